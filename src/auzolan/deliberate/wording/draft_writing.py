"""Writes the file in which people edit the wording, from a selection; `draft_file` reads it again.

Each article begins with the words of the statement that was selected, as they
are. Statements that are alike as texts are offered below it and never put in
its place: text says nothing about meaning, and the proof of proportionality is
about the statement that was selected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from auzolan.core.kinds.constitution import Principle
from auzolan.core.kinds.selection import Outcome
from auzolan.deliberate.conversation import Statement
from auzolan.deliberate.wording.draft_file import LEFT_OUT, escaped
from auzolan.deliberate.wording.duplicates import Alike, alike

_MOST_ALIKE = 12  # shown under one principle
_MOST_SHOWN = 300  # characters of a statement that is only shown

_HOW = """\
People will vote on the wording in this file, principle by principle.
Nothing in it is ratified before that.

- You may change the words of a principle: the lines that begin with `>`. Then say who did after `editor:`; a role will do.
- You may change the title and the numbers. 1.1, 2.1 and so on are articles of one principle each; principles numbered 2.1 and 2.2 stand together in article 2.
- You may merge statements that say the same: tick `[x]` and name an editor. Read them first: texts can be alike and mean the opposite. A merged principle takes the words of the statement with the most support, unless you write others. If the other one has a number of its own here, delete that principle.
- You may add translations, such as `translation es:`. They are for reading; people vote on the words after `>` only.
- You may leave a statement out: delete its principle, and say so under "Left out".
- You may not move a principle under another heading, or change which statement it rests on. Why it is here follows from the votes.
- `why` and `transformation` are for reading. What became of the words is found out again by comparing them with the statements.

When you are done: `auzolan deliberate put-to-vote FILE`."""  # noqa: E501

_INTRODUCTIONS = {
    Principle.SELECTED: "Selected: articles",
    Principle.CONTESTED: "Contested: for the people to decide",
    Principle.ACKNOWLEDGED: "Acknowledged: views of some",
    LEFT_OUT: "Left out",
}
_EXPLAINED = {
    Principle.SELECTED: "Statements that were selected, in proportion to those who agree.",
    Principle.CONTESTED: "They would be articles, but not everybody is for them. The vote decides.",
    Principle.ACKNOWLEDGED: "So many share these views that they are entitled to be heard, though not all agree.",
    LEFT_OUT: (
        "A statement of the selection that no principle has, with who decided and why; "
        "after a dash, such as `#12 by Ana: the law forbids it`."
    ),
}


@dataclass(frozen=True)
class Material:
    """What a draft is written from.

    Attributes:
        statements: all of the conversation, by id.
        support: lower bound of the share that agrees, in millionths; those whose counts are withheld are not in it.
        translations: statement -> language -> text.
    """

    statements: Mapping[int, Statement]
    support: Mapping[int, int]
    translations: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    def strongest(self, own: int, others: tuple[int, ...]) -> int:
        """Return which of some statements has the most support, ties by id; `own` where its counts are withheld."""
        if own not in self.support:
            return own
        return min((own, *others), key=lambda each: (-self.support.get(each, -1), each))


def standings(outcome: Outcome) -> dict[int, str]:
    """Return statement -> why it is put to the vote, in the order of the draft."""
    found = {each.statement: Principle.SELECTED for each in outcome.articles}
    for statement in outcome.put_to_vote:
        found.setdefault(statement, Principle.CONTESTED)
    for clause in outcome.clauses:
        found.setdefault(clause.statement, Principle.ACKNOWLEDGED)
    return found


def possible_duplicates(outcome: Outcome, statements: Mapping[int, Statement]) -> dict[int, tuple[Alike, ...]]:
    """Return, for each statement of a selection, those alike as texts that a person may merge into it."""
    texts = {each.id: each.text for each in statements.values() if each.moderation != "out"}
    rivals = {pair for one, other in outcome.conflicts for pair in ((one, other), (other, one))}
    found = {
        statement: tuple(each for each in likes if (statement, each.statement) not in rivals)
        for statement, likes in alike(texts, standings(outcome).keys()).items()
    }
    return {statement: likes for statement, likes in found.items() if likes}


def write_draft(outcome: Outcome, selection_id: str, title: str, language: str, material: Material) -> str:
    """Return the file.

    Args:
        outcome: of the selection.
        selection_id: of its record.
        title: of the constitution.
        language: that the statements are in, a BCP 47 tag.
        material: the statements, their support, and translations.
    """
    likes, of = possible_duplicates(outcome, material.statements), standings(outcome)
    numbers = {statement: f"{article}.1" for article, statement in enumerate(of, 1)}
    lines = [f"# {escaped(title)}", "", _HOW, "", f"- selection: `{selection_id}`", ""]
    for standing in Principle.STANDINGS:
        statements = [statement for statement, its in of.items() if its == standing]
        if statements:
            lines += [f"## {_INTRODUCTIONS[standing]}", "", _EXPLAINED[standing], ""]
        for statement in statements:
            lines += [f"### {numbers[statement]}", "", f"> {escaped(_text(material, statement))}".rstrip(), ""]
            lines += [f"- statement: #{statement}", f"- language: {language}"]
            lines += [f"- transformation: {Principle.VERBATIM}", "- editor:"]
            lines += [f"- why: {_why(outcome, statement, standing)}"]
            for tag, text in sorted(material.translations.get(statement, {}).items()):
                lines.append(f"- translation {tag}: {escaped(text)}")
            lines += [*_boxes(statement, likes.get(statement, ()), numbers, material), ""]
    return "\n".join([*lines, f"## {_INTRODUCTIONS[LEFT_OUT]}", "", _EXPLAINED[LEFT_OUT], ""])


def _text(material: Material, statement: int) -> str:
    found = material.statements.get(statement)
    return found.text if found else ""


def _why(outcome: Outcome, statement: int, standing: str) -> str:
    other = next((each for each in outcome.not_included if each.statement == statement), None)
    if standing == Principle.SELECTED:
        return "selected"
    if standing == Principle.ACKNOWLEDGED:
        return "acknowledged, its supporters are entitled to a seat"
    if other is not None and other.against:
        groups = " and ".join(f"group {escaped(name)}" for name in other.against)
        return f"contested, {groups} against it"
    if other is not None and other.rival is not None:
        return f"contested, it excludes #{other.rival}, and those who voted on both are divided"
    return "contested; by whom is withheld, as few people stand behind a count"


def _boxes(statement: int, likes: tuple[Alike, ...], numbers: Mapping[int, str], material: Material) -> Iterator[str]:
    strongest = material.strongest(statement, tuple(each.statement for each in likes))
    shown = likes[:_MOST_ALIKE]
    for each in shown:
        text = escaped(_text(material, each.statement))
        text = text if len(text) <= _MOST_SHOWN else escaped(_text(material, each.statement)[: _MOST_SHOWN // 2]) + "…"
        notes = [f"{int(100 * each.share)} % alike"]
        if each.one_denies:
            notes.append("**but only one of the two says no**")
        if each.statement == strongest:
            notes.append("the one with the most support")
        if each.statement in numbers:
            notes.append(f"also {numbers[each.statement]}")
        yield f"- [ ] #{each.statement} “{text}” ({'; '.join(notes)})"
    if len(likes) > len(shown):
        rest = ", ".join(f"#{each.statement}" for each in likes[_MOST_ALIKE : _MOST_ALIKE + 50])
        yield f"- more: {len(likes) - len(shown):,} others that are alike, {rest}"
