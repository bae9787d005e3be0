"""The files of the kit: what an admin of a stock Decidim, 0.27 to 0.32, needs to ask everybody about a shortlist.

    README.md            what to do, in which order, in the main language and English
    process.XX.md        what participants read: what is asked, why, and what happens with it
    survey-N.XX.txt      title, description, terms, question, options and rows of a survey, to paste
    survey-N.json        the same as data

The question is a matrix with one option per row; no questionnaire can be imported into stock Decidim. Each row begins
with the number of its statement in brackets, by which the reader of the answers finds it in any language. Terms are
written in every language, since Decidim shows the box that everybody must tick only where they are
(decidim/decidim#1976). The body of a row has no limit of length there (read in its form and its table).

Pure: the files come out as bytes by name. Not here: `statements.csv` (`statement_file`), and the record.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from auzolan.core.kinds.proposals import ListedStatement
from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.errors import UsageError
from auzolan.deliberate.shortlist.guide import process_page, readme
from auzolan.deliberate.shortlist.phrases import phrases_of
from auzolan.deliberate.shortlist.plan import Kit
from auzolan.deliberate.shortlist.tidying import tidy

QUESTION_TYPE = "matrix_single"


def kit_files(kit: Kit) -> dict[str, bytes]:
    """Return the files of a kit by name.

    Raises:
        UsageError: a language comes twice, or there are no phrases in it.
        VerificationError: the surveys do not ask about each statement equally often (± 1).
    """
    if not kit.languages or len(set(kit.languages)) < len(kit.languages):
        raise UsageError(f"expected languages, each once, got {', '.join(kit.languages) or 'none'}")
    kit = _of_one_line(kit)
    found = {"README.md": readme(kit)}
    for language in kit.languages:
        found[f"process.{language}.md"] = process_page(kit, language)
    for number in range(1, len(kit.surveys) + 1):
        for language in kit.languages:
            found[f"survey-{number}.{language}.txt"] = _survey_text(kit, number, language)
        found[f"survey-{number}.json"] = _survey_json(kit, number)
    return {name: text.encode("utf-8") for name, text in found.items()}


def _of_one_line(kit: Kit) -> Kit:
    """Return a kit whose texts are lines, wherever its statements come from."""
    statements = tuple(
        replace(each, text={language: tidy(said) for language, said in each.text.items()}) for each in kit.statements
    )
    return replace(kit, name=tidy(kit.name), statements=statements)


def row_of(statement: ListedStatement, language: str, main: str) -> str:
    """Return the row of a survey for a statement; in the main language where it lacks a translation."""
    return f"[{statement.id}] {statement.text.get(language) or statement.text[main]}"


def rows_of(kit: Kit, number: int, language: str) -> Sequence[str]:
    """Return the rows of a survey."""
    asked = [kit.statements[each - 1] for each in kit.surveys[number - 1]]
    return [row_of(each, language, kit.languages[0]) for each in asked]


def _title(kit: Kit, number: int, language: str) -> str:
    phrases, n = phrases_of(language), len(kit.surveys)
    key = "title" if n == 1 else "title_of"
    return phrases.say(key, name=kit.name, i=number, n=n)


def _survey_text(kit: Kit, number: int, language: str) -> str:
    phrases = phrases_of(language)
    rows = rows_of(kit, number, language)
    parts = (
        ("label_title", [_title(kit, number, language)]),
        ("label_description", [phrases.say("description", n=len(rows))]),
        ("label_terms", [phrases.say("terms")]),
        ("label_question", [phrases.say("question")]),
        ("label_type", [phrases.say("type")]),
        ("label_options", [word for _, word in phrases.options()]),
        ("label_rows", rows),
    )
    return "\n\n".join("\n".join([f"=== {phrases.say(label)} ===", *lines]) for label, lines in parts) + "\n"


def _survey_json(kit: Kit, number: int) -> str:
    of = {language: phrases_of(language) for language in kit.languages}
    n, asked = len(kit.surveys), kit.surveys[number - 1]
    options: list[JsonObject] = [
        {"vote": vote, "text": {language: phrases.options()[at][1] for language, phrases in of.items()}}
        for at, (vote, _) in enumerate(of[kit.languages[0]].options())
    ]
    rows = {language: rows_of(kit, number, language) for language in kit.languages}
    table: JsonObject = {
        "shortlist": kit.record,
        "survey": number,
        "surveys": n,
        "title": {language: _title(kit, number, language) for language in kit.languages},
        "description": {language: each.say("description", n=len(asked)) for language, each in of.items()},
        "terms": {language: each.say("terms") for language, each in of.items()},
        "question": {language: each.say("question") for language, each in of.items()},
        "type": QUESTION_TYPE,
        "mandatory": False,
        "options": list(options),
        "rows": [
            {"statement": statement, "text": {language: rows[language][at] for language in kit.languages}}
            for at, statement in enumerate(asked)
        ],
    }
    return json.dumps(table, ensure_ascii=False, indent=2) + "\n"
