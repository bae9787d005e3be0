"""What goes back to a Decidim: files that its own importers read, without any plugin.

- `published`: what the caller fills from records; `links`: which addresses may be linked
- `results_csv`: one accountability result per article
- `answers`: what became of each proposal, as proposal answers; its words are made in `sentences`
- `participatory_text`: the constitution as the text of the next round
- `readme`: what the admin does with the files; `phrases`: the words, in `languages/*.toml`

Everything here turns values into bytes; nothing is sent, and no file is opened.
"""
