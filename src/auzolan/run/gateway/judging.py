"""What a judge model says about a text becomes a label; what it does not say becomes one too."""

from __future__ import annotations

from auzolan.run.checks.judge import judge_messages, read_verdict
from auzolan.run.gateway.house import House
from auzolan.run.rules.ruleset import Judge


def definition_of(judge: Judge) -> str:
    """Return what a judge is told, in the sections that gpt-oss-safeguard's guide asks for."""
    parts = [("INSTRUCTIONS", judge.instructions), ("DEFINITIONS", judge.definitions)]
    for title, cases in (("VIOLATES", judge.violates), ("SAFE", judge.safe)):
        parts.append((title, "\n".join(f"- {each}" for each in cases)))
    return "\n\n".join(f"## {title}\n{text}" for title, text in parts if text)


async def labels_of(house: House, side: str, text: str) -> frozenset[str]:
    """Ask every judge that the rules name for this side, one after the other.

    No judge at hand, no reply, or one that cannot be read: "no-verdict:ID", and the rules say what follows. Whatever
    else goes wrong with a judge is no reply.
    """
    found = set()
    for judge in house.rulebook.rules.judges:
        if side not in judge.sides:
            continue
        asked = judge_messages(definition_of(judge), [judge.article], text, side)
        reply = await _reply(house, asked)
        verdict = read_verdict(reply, [judge.article]) if reply is not None else None
        if verdict is None:
            found.add(judge.no_verdict)
        elif verdict.violation:
            found.add(judge.violation)
    return frozenset(found)


async def _reply(house: House, asked: list[dict[str, str]]) -> str | None:
    try:
        return await house.judge(asked) if house.judge else None
    except Exception:  # whatever it is, nobody is acquitted by it, and the rules say whether the question is answered
        return None
