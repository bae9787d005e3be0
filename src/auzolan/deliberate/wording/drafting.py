"""From an edited file to the body of `draft/v1`, and the check that a draft follows from its selection.

What became of words is found out here by comparing them with the statements,
never believed. Where a person merged statements and left the words as they
were, the words are those of the statement with the most support (highest lower
Jeffreys bound of the share that agrees, ties by id); where counts of the
selected statement are withheld, its own.

Not here: whether statements that were merged say the same, and whether a
reworded principle still says what people agreed with. An editor answers for
that by name, and the people's vote decides.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from auzolan.core.kinds.constitution import Draft, LeftOut, Principle
from auzolan.core.kinds.selection import Outcome, Selection
from auzolan.core.record.errors import MalformedError, VerificationError
from auzolan.deliberate.conversation import Statement
from auzolan.deliberate.sources.texts import mask, unfit
from auzolan.deliberate.wording.draft_file import DraftFile, Entry, one_line
from auzolan.deliberate.wording.draft_writing import Material, standings
from auzolan.deliberate.wording.duplicates import one_denies
from auzolan.deliberate.wording.instructions import suspicious
from auzolan.deliberate.wording.voting import wording_of

POLL_HEADER = ("number", "comment_text")  # Polis reads statements from a column of this name


def draft_of(
    file: DraftFile, selection_id: str, outcome: Outcome, material: Material, drafted_at: str, where: str = "the draft"
) -> Draft:
    """Return the draft that an edited file amounts to.

    Checks: everything about the file that `draft_file.read_draft` leaves open.

    Args:
        file: as read.
        selection_id: of the record with `outcome`.
        outcome: of the selection.
        material: the statements of its conversation, and their support.
        drafted_at: ISO 8601 date.
        where: what errors call the file.

    Raises:
        MalformedError: the file does not follow from the selection, or an editor's name is missing; with the line.
    """
    if file.selection != selection_id:
        raise MalformedError(f"{where}: it was made from another selection, {file.selection[:16]}…")
    of = standings(outcome)
    _check_statements(file, of, material, where)
    _refuse_merged_rivals(file.entries, outcome, where)
    principles = tuple(_principle(entry, of, material, where) for entry in file.entries)
    _refuse_same_words(file.entries, principles, where)
    found = {statement for each in principles for statement in each.statements}
    for left in file.left_out:
        _check_left_out(left, of, found, material, f"{where}, line {file.lines[left.statement]:,}")
    for statement in sorted(of.keys() - found - {each.statement for each in file.left_out}):
        raise MalformedError(
            f"{where}: #{statement} is {of[statement]} and stands in no principle; put it back, or say under "
            f"'## Left out': - #{statement} by NAME: REASON"
        )
    _check_text(file.title, f"{where}, the title")
    return Draft(selection_id, file.title, drafted_at, principles, file.left_out)


def _check_statements(file: DraftFile, of: Mapping[int, str], material: Material, where: str) -> None:
    """Check that every statement is known, in one principle only, and that headings say what the selection says."""
    owner: dict[int, Entry] = {}
    for entry in file.entries:
        for statement in entry.statements:
            place = f"{where}, line {entry.lines[statement]:,}"
            known = material.statements.get(statement)
            if known is None:
                raise MalformedError(f"{place}: there is no statement #{statement} in this conversation")
            if known.moderation == "out":
                raise MalformedError(f"{place}: #{statement} was moderated out; nobody may vote on it")
            if statement in owner:
                other = owner[statement]
                raise MalformedError(
                    f"{place}: #{statement} stands in {entry.number} and in {other.number} (line "
                    f"{other.lines[statement]:,}); untick it in one of them, or delete that principle"
                )
            owner[statement] = entry
        standing = _standing(entry.statements, of)
        if standing is None:
            raise MalformedError(
                f"{where}, line {entry.line:,}: {entry.number} rests on no statement that was selected, contested or "
                "to be acknowledged"
            )
        if standing != entry.standing:
            raise MalformedError(
                f"{where}, line {entry.line:,}: {entry.number} stands under '{entry.standing.capitalize()}', but by "
                f"the votes it is {standing}; move it under that heading"
            )


def _refuse_merged_rivals(entries: Sequence[Entry], outcome: Outcome, where: str) -> None:
    for entry in entries:
        if pair := _rivals(entry.statements, outcome):
            raise MalformedError(
                f"{where}, line {entry.line:,}: {entry.number} merges #{pair[0]} and #{pair[1]}, which were declared "
                "to exclude each other; untick one"
            )


def _rivals(statements: Sequence[int], outcome: Outcome) -> tuple[int, int] | None:
    return next((pair for pair in outcome.conflicts if set(pair) <= set(statements)), None)


def _standing(statements: Sequence[int], of: Mapping[int, str]) -> str | None:
    """Return why a principle is put to the vote: the first of the standings that one of its statements has."""
    found = {of[statement] for statement in statements if statement in of}
    return next((each for each in Principle.STANDINGS if each in found), None)


def _same(one: str, other: str) -> bool:
    """Whether two texts have the same words, however an editor saves spaces and accents."""
    return unicodedata.normalize("NFC", one_line(one)) == unicodedata.normalize("NFC", one_line(other))


def _principle(entry: Entry, of: Mapping[int, str], material: Material, where: str) -> Principle:
    place = f"{where}, line {entry.line:,}"
    own, others = entry.statements[0], entry.statements[1:]
    words = {each: one_line(material.statements[each].text) for each in entry.statements}
    text, order = entry.text, entry.statements
    if _same(entry.text, words[own]) or any(_same(entry.text, words[each]) for each in others):
        first = material.strongest(own, tuple(each for each in others if words[each]))
        text, order = words[first], (first, *sorted({own, *others} - {first}))
        transformation = Principle.MERGED if others else Principle.VERBATIM
    else:
        transformation = Principle.REWORDED
        _check_text(text, place)
    if transformation != Principle.VERBATIM and not entry.editor:
        what = "its words were changed" if transformation == Principle.REWORDED else "statements were merged"
        raise MalformedError(f"{place}: in {entry.number} {what}; say who did it after '- editor:'")
    if entry.editor:
        _check_text(entry.editor, f"{place}, the editor of {entry.number}")
    for language, translation in entry.translations.items():
        _check_text(translation, f"{place}, translation {language}")
    standing = _standing(entry.statements, of)
    assert standing is not None, "checked before"
    return Principle(
        number=entry.number,
        text=text,
        language=entry.language,
        transformation=transformation,
        editor="" if transformation == Principle.VERBATIM else entry.editor,
        statements=order,
        standing=standing,
        translations=dict(sorted(entry.translations.items())),
    )


def _check_text(text: str, where: str) -> None:
    """Check that an import will take a text as it is; else nobody could vote on these very words."""
    if problem := unfit(text):
        raise MalformedError(f"{where}: {problem}")
    if mask(text).text != text:
        raise MalformedError(f"{where}: an e-mail address or a long number, which is masked wherever votes come in")


def _refuse_same_words(entries: Sequence[Entry], principles: Sequence[Principle], where: str) -> None:
    seen: dict[str, str] = {}
    for entry, principle in zip(entries, principles, strict=True):
        wording = wording_of(principle.text)
        if not wording:
            raise MalformedError(f"{where}, line {entry.line:,}: {entry.number} is a number and nothing else")
        if wording in seen:
            raise MalformedError(
                f"{where}, line {entry.line:,}: {entry.number} has the same words as {seen[wording]}; merge them"
            )
        seen[wording] = entry.number


def _check_left_out(left: LeftOut, of: Mapping[int, str], found: set[int], material: Material, where: str) -> None:
    if left.statement not in material.statements:
        raise MalformedError(f"{where}: there is no statement #{left.statement} in this conversation")
    if left.statement in found:
        raise MalformedError(f"{where}: #{left.statement} stands in a principle and under 'Left out' too")
    if left.statement not in of:
        raise MalformedError(f"{where}: #{left.statement} was not selected, so there is nothing to leave out")
    _check_text(left.reason, where)
    _check_text(left.editor, where)


def verify_draft(draft: Draft, selection: Selection, statements: Sequence[Statement]) -> Draft:
    """Return `draft` if it follows from its selection, but for what editors did, who are named.

    Checks: its statements are in the snapshot, not moderated out, and none excludes another; what it calls verbatim
    or merged has a statement's own words; standing follows from the selection; nothing of the selection is left out in
    silence; the selection is no trial.
    Does not check: whether the words of a merge are those with the most support, whether merged statements say the
    same, and anything about the words of a principle that it calls reworded.

    Args:
        draft: to be checked.
        selection: that it names.
        statements: of the snapshot behind the selection.

    Raises:
        VerificationError: it says something else.
    """
    if selection.trial:
        raise VerificationError("the draft words a trial selection")
    of, texts = standings(selection.outcome), {each.id: each for each in statements}
    for each in draft.principles:
        _verify_principle(each, of, texts)
        if _rivals(each.statements, selection.outcome):
            raise VerificationError(f"the draft's principle {each.number} merges statements that exclude each other")
    found = {statement for each in draft.principles for statement in each.statements}
    left = [each.statement for each in draft.left_out]
    if len(set(left)) != len(left) or set(left) & found or not set(left) <= of.keys():
        raise VerificationError("the draft leaves out what stands in it, or what was not selected")
    if lost := of.keys() - found - set(left):
        raise VerificationError(f"statement {min(lost)} is {of[min(lost)]}, and the draft leaves it out in silence")
    return draft


def _verify_principle(principle: Principle, of: Mapping[int, str], texts: Mapping[int, Statement]) -> None:
    where, first = f"the draft's principle {principle.number}", principle.statements[0]
    for statement in principle.statements:
        if statement not in texts or texts[statement].moderation == "out":
            raise VerificationError(f"{where} rests on statement {statement}, which is not in the conversation")
    if principle.standing != _standing(principle.statements, of):
        raise VerificationError(f"{where} is not {principle.standing} by the selection")
    if principle.transformation == Principle.REWORDED:
        return
    expected = Principle.MERGED if len(principle.statements) > 1 else Principle.VERBATIM
    if principle.transformation != expected or principle.text != one_line(texts[first].text):
        raise VerificationError(f"{where} has other words than statement {first}, and does not say so")
    if principle.transformation == Principle.VERBATIM and principle.editor:
        raise VerificationError(f"{where} is a statement's own words, and names an editor")


def poll_csv(draft: Draft) -> str:
    """Return the vote's statements as a table, for Polis and for surveys."""
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(POLL_HEADER)
    rows.writerows((each.number, each.text) for each in draft.principles)
    return written.getvalue()


def to_look_at(draft: Draft, texts: Mapping[int, str]) -> Iterator[str]:
    """Yield sentences about what a person should look at before people vote on it; none of it is forbidden.

    Args:
        draft: as it would be signed.
        texts: of the statements, by id.
    """
    for each in draft.principles:
        for text in (each.text, *each.translations.values()):
            if what := suspicious(text):
                yield f"{each.number} has {what}: read it before it goes further, as these words will teach one"
                break
        own, *others = each.statements
        if each.transformation == Principle.MERGED and (
            opposed := [other for other in others if one_denies(texts[own], texts[other])]
        ):
            yield f"{each.number} merges #{own} and #{opposed[0]}, of which only one says no: do they say the same?"
        if each.translations and " ".join(each.text.split()) != " ".join(texts.get(own, "").split()):
            yield f"{each.number} may have other words than its translations: do they still fit?"
