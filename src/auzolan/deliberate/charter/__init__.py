"""The public faces of a constitution: what is shown of it, as Markdown and as a page, in several languages.

    view       what is shown, as values; no words
    gather     the same from records and published counts
    words      the words of a language, from `languages/*.toml`: numbers, plurals, dates
    speaker    the same, made safe for a face
    sentences  what is shown, said in a language; both faces say the same
    markdown   as `constitution.md`
    html       as one page that stands alone: `marks` (bars, tables, the opinion map), `style`

Not here: reading ledgers and writing files (`auzolan.cli.publish`), and deciding anything.
"""
