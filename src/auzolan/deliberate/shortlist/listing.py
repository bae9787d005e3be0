"""From a choice, or from the file that people edited, to the statements of a shortlist.

Checks: that every proposal which the file cites exists, was not withdrawn and is no amendment; that the first of each
row has a place by the quotas, so that nobody slips in past them; that no proposal is cited twice in two ways.
Does not check: whether merged proposals say the same, or whether a new text is fair to them. Both are seen: the file
names every proposal, and `own_words` says where the text is the title of none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from auzolan.core.kinds.proposals import Cited, ListedStatement
from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.decidim.entities import Proposal, Text
from auzolan.deliberate.shortlist.candidates import is_candidate
from auzolan.deliberate.shortlist.choosing import Choice
from auzolan.deliberate.shortlist.statement_file import Row, Sheet, texts_of
from auzolan.deliberate.shortlist.tidying import tidy

LONG = 300  # characters; Decidim sets no limit for a row of a matrix, readers do


@dataclass(frozen=True)
class _Found:
    key: str
    fingerprint: str
    title: Text


def drafted(choice: Choice, languages: tuple[str, ...]) -> tuple[ListedStatement, ...]:
    """Return the statements of a choice in the words of their proposals.

    Args:
        choice: which proposals.
        languages: of the kit, the main one first.
    """
    return tuple(
        ListedStatement(
            number,
            texts_of(candidate.title, languages),
            (Cited(str(candidate.key), candidate.fingerprint),),
            is_own(texts_of(candidate.title, languages), [candidate.title]),
            quota,
        )
        for number, (candidate, quota, _) in enumerate(choice.chosen, 1)
    )


def listed(sheet: Sheet, choice: Choice, proposals: Iterable[Proposal]) -> tuple[ListedStatement, ...]:
    """Return the statements of an edited file, numbered by its rows.

    Proposals of the choice that no row cites any more are simply not listed.

    Args:
        sheet: the file.
        choice: that it was written from.
        proposals: all of them; read once.

    Raises:
        MalformedError: a check of this module failed; the message names the line.
    """
    wanted = {cited for row in sheet.rows for cited in row.proposals}
    found = _look_up(sheet, wanted, proposals)
    quotas = {str(each.candidate.key): each.quota for each in choice.chosen}
    seen: dict[str, int] = {}
    made = []
    for number, row in enumerate(sheet.rows, 1):
        cited = [found[each] for each in row.proposals]
        for each in cited:
            if seen.setdefault(each.key, row.line) != row.line or [one.key for one in cited].count(each.key) > 1:
                raise _wrong(sheet, row, f"proposal {each.key} is there twice, first on line {seen[each.key]:,}")
        if cited[0].key not in quotas:
            raise _wrong(
                sheet,
                row,
                f"proposal {row.proposals[0]} has no place by the quotas, so that it can be merged behind another "
                "and cannot lead",
            )
        made.append(
            ListedStatement(
                number,
                row.text,
                tuple(Cited(each.key, each.fingerprint) for each in cited),
                is_own(row.text, [each.title for each in cited]),
                quotas[cited[0].key],
            )
        )
    return tuple(made)


def _look_up(sheet: Sheet, wanted: set[int | str], proposals: Iterable[Proposal]) -> dict[int | str, _Found]:
    found: dict[int | str, _Found] = {}
    why: dict[int | str, str] = {}
    for each in proposals:
        for name in (each.key.id, str(each.key)) if each.key.id in wanted else (str(each.key),):
            if name not in wanted:
                continue
            if name in found or name in why:
                why[name] = "is the number of several proposals; write its key, host/component/proposal/number"
            elif not is_candidate(each):
                why[name] = "was withdrawn, is an amendment, or has no title"
            else:
                key_fingerprint = each.fingerprint.value if each.fingerprint else ""
                found[name] = _Found(str(each.key), key_fingerprint, each.title)
    for row in sheet.rows:
        for cited in row.proposals:
            if cited in why:
                raise _wrong(sheet, row, f"proposal {cited} {why[cited]}")
            if cited not in found:
                raise _wrong(sheet, row, f"proposal {cited} is not among those that were imported")
    return found


def is_own(text: Mapping[str, str], titles: list[Text]) -> bool:
    """Whether every text is the title of one of its proposals in that language."""
    return all(any(tidy(title.get(language, "")) == said for title in titles) for language, said in text.items())


def _wrong(sheet: Sheet, row: Row, what: str) -> MalformedError:
    return MalformedError(f"{sheet.name}, line {row.line:,}: {what}")


def lacking(statements: Iterable[ListedStatement], language: str) -> tuple[int, ...]:
    """Return which statements have no text in a language."""
    return tuple(each.id for each in statements if language not in each.text)


def long(statements: Iterable[ListedStatement]) -> tuple[int, ...]:
    """Return which statements have a text that is longer than most people read in a table."""
    return tuple(each.id for each in statements if any(len(text) > LONG for text in each.text.values()))
