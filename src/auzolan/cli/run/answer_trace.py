"""Edge: `auzolan trace RECEIPT`: from an answer to the rules, articles, votes and proposals that it rests on.

That a rule fired, the service says, and signed; nothing here can look into the
engine. So rules that fired are shown as asserted, and so is an adapter whose
files nobody hashed. The rest was compared with the records in this very run.
"""

from __future__ import annotations

from pathlib import Path

import typer
from rich.text import Text
from rich.tree import Tree

from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import find_ledger
from auzolan.cli.output import JsonDict, hint, out, plain, print_json, short
from auzolan.cli.oversee import verdict_of
from auzolan.cli.run.articles import Articles, lines_of
from auzolan.cli.run.receipts import Checked, check_receipt
from auzolan.cli.tracing import branches_of, contradiction_in, grow, make_walk, node_json
from auzolan.core.kinds.answer import Answer
from auzolan.core.record.errors import VerificationError
from auzolan.core.record.trace import Strength, Walk

LOADED_STEP = 4


def trace_answer(path: Path, root: str | None, depth: int, commons: str | None, as_json: bool) -> None:
    """Check a receipt, and print what its answer rests on."""
    checked, place = check_receipt(path, commons, root), find_ledger(commons)
    walk = make_walk(place, checked.verified)
    rests_on = _rests_on(checked, walk, depth)
    fired = _fired(checked, commons)
    answer = checked.answer.answer
    verdict = verdict_of(checked.verified, root)
    wrong = contradiction_in(rests_on)
    if as_json:
        said = {
            "answer": checked.answer.id,
            "outcome": answer.outcome,
            "integrity": answer.integrity,
            "verdict": verdict,
        }
        failure = {"error": wrong, "exit_code": VerificationError.exit_code} if wrong else {}
        print_json({**said, "fired": fired, "rests_on": rests_on, **failure})
        if wrong:
            raise typer.Exit(VerificationError.exit_code)
        return
    tree = Tree(
        Text.assemble((short(checked.answer.id), "bold"), f"  {Answer.KIND}  {answer.outcome}, {answer.integrity}")
    )
    _grow_fired(tree, fired)
    grow(tree.add(Text("rests on", style="bold")), rests_on)
    out().print(tree)
    hint(f"{verdict}; 'asserted' means: signed by those who say so, not recomputed here")
    if wrong:
        raise VerificationError(wrong)


def _rests_on(checked: Checked, walk: Walk, depth: int) -> list[JsonDict]:
    loaded = next(each for each in checked.answer.findings if each.number == LOADED_STEP)
    compared = checked.answer.answer.integrity == "verified" and loaded.status == "passed"
    links = checked.answer.answer.to_record().links
    seen: set[str] = set()
    branches: list[JsonDict] = []
    for name in sorted(links, key=_nearest_first):
        target = links[name]
        asserted = name.startswith(Answer.ADAPTER) and not compared
        again = target in seen
        seen.add(target)
        node: JsonDict = {"link": name, "strength": str(Strength.ASSERTED if asserted else Strength.CHECKED)}
        node |= node_json(walk, target) | {"again": again, "more": False}
        node["branches"] = [] if again or depth == 1 else branches_of(walk, target, True, seen, depth - 1)
        branches.append(node)
    return branches


def _nearest_first(name: str) -> tuple[int, str]:
    """Order links by how directly they lead to the people: constitution, what was taught, rules, service."""
    order = (Answer.CONSTITUTION, Answer.ADAPTER, Answer.RULES)
    return next((place for place, each in enumerate(order) if name.startswith(each)), len(order)), name


def _fired(checked: Checked, commons: str | None) -> list[JsonDict]:
    """Return each rule that fired, with its article and the votes behind it."""
    place = find_ledger(commons)
    with place.reading() as ledger:
        constitution = checked.records[checked.answer.answer.constitution]
        articles = Articles(ledger, Evidence(place.public, place.private), constitution)
        return [
            {**each.to_json(), **(articles.about(each.article) if each.article else {})}
            for each in checked.answer.answer.fired
        ]


def _grow_fired(tree: Tree, fired: list[JsonDict]) -> None:
    branch = tree.add(Text("rules that matched" if fired else "rules that matched: none", style="bold"))
    for each in fired:
        label = Text.assemble(("[asserted] ", "yellow"), f"{plain(each['rule'], 60)} ({each['effect']})")
        if not each.get("text"):
            label += Text(
                f"  {'of article ' + plain(each['article'], 40) if each['article'] else 'of the operator'}", "dim"
            )
        rule = branch.add(label)
        for line in lines_of(each) if each.get("text") else ():
            rule.add(Text(line.strip()))
