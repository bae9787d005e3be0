"""`auzolan trace`: the walk both ways, as a tree or as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text
from rich.tree import Tree

from auzolan.cli.ballots import Evidence
from auzolan.cli.checkers import checkers, why_unavailable
from auzolan.cli.commons import Commons, PublishedCopy, find_ledger
from auzolan.cli.decidim.checking import decidim_checkers
from auzolan.cli.govern import LedgerOption
from auzolan.cli.output import JsonDict, JsonOption, handled, hint, out, print_json, progress_bar, short
from auzolan.cli.oversee import RootOption, run_verification, verdict_of
from auzolan.cli.target import Target, find_verified
from auzolan.cli.teach.tracing import teach_checkers
from auzolan.cli.words import headline
from auzolan.core.kinds import KNOWN_KINDS
from auzolan.core.record.errors import MissingError, VerificationError
from auzolan.core.record.findings import VerifiedLedger
from auzolan.core.record.trace import Strength, Walk

_STRENGTH_STYLES = {
    Strength.RECOMPUTED: "bold green",
    Strength.CHECKED: "green",
    Strength.ASSERTED: "yellow",
    Strength.CONTRADICTED: "bold red",
    Strength.UNAVAILABLE: "dim",
}


def is_receipt(path: Path) -> bool:
    """Say whether a path is an answer's receipt, without loading what checks one."""
    if not path.is_file():
        return False
    from auzolan.cli.run.receipts import looks_like_receipt

    return looks_like_receipt(path)


def trace_receipt(path: Path, root: str | None, depth: int, commons: str | None, as_json: bool) -> None:
    """Walk from an answer to all that it rests on."""
    from auzolan.cli.run.answer_trace import trace_answer

    trace_answer(path, root, depth, commons, as_json)


@handled
def trace(
    record_id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A record, 8 or more of its first digits, a kind, or an answer's receipt file."
        ),
    ],
    root: RootOption = None,
    depth: Annotated[int, typer.Option("--depth", min=1, max=200, help="How many links to follow each way.")] = 25,
    commons: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Walk from a record to all it rests on, and to all that rests on it.

    Every link shows how well it was established in this very run: recomputed, checked, or only asserted by its signers.
    """
    if is_receipt(Path(record_id)):
        trace_receipt(Path(record_id), root, depth, commons, as_json)
        return
    place = find_ledger(commons)
    verified = run_verification(Target(place.public, place.private), root, quiet=True)
    walk = make_walk(place, verified)
    start = _newest_of(walk, record_id) or find_verified(verified, record_id)
    rests_on, led_to = (branches_of(walk, start, backwards, {start}, depth) for backwards in (True, False))
    if as_json:
        verdict = verdict_of(verified, root)
        found_wrong = contradiction_in([*rests_on, *led_to])
        failure = {"error": found_wrong, "exit_code": VerificationError.exit_code} if found_wrong else {}
        walked = {"record": node_json(walk, start), "verdict": verdict, "rests_on": rests_on, "led_to": led_to}
        print_json({**walked, **failure})
        if found_wrong:
            raise typer.Exit(VerificationError.exit_code)
        return
    tree = Tree(_node_text(walk, start))
    for title, branches in (("rests on", rests_on), ("led to", led_to)):
        grow(tree.add(Text(title if branches else f"{title}: nothing", style="bold")), branches)
    out().print(tree)
    hint(f"{verdict_of(verified, root)}; 'asserted' means: signed by those who say so, not recomputed here")
    if found_wrong := contradiction_in([*rests_on, *led_to]):
        raise VerificationError(found_wrong)


def make_walk(place: Commons | PublishedCopy, verified: VerifiedLedger) -> Walk:
    """Return a walk over a verified ledger, with all that can be established about its links."""
    with progress_bar("reading links") as progress:
        evidence = Evidence(place.public, place.private)
        return Walk(
            place.public,
            verified,
            {**checkers(evidence), **decidim_checkers(evidence), **teach_checkers(evidence)},
            progress,
        )


def _newest_of(walk: Walk, noun: str) -> str | None:
    """Return the id of the newest record of a kind that is named by its noun, such as "tally"; None if none is."""
    if noun not in {kind.split("/")[0] for kind in KNOWN_KINDS}:
        return None
    found = [each for each in walk.verified.positions if walk.record(each).kind.split("/")[0] == noun]
    if not found:
        raise MissingError(f"there is no {noun} in this commons yet")
    return max(found, key=walk.verified.positions.__getitem__)


def contradiction_in(branches: list[JsonDict]) -> str:
    """Return a sentence about the first link that was computed again and came out differently, or ""."""
    for node in branches:
        if node["strength"] == Strength.CONTRADICTED:
            return f"link {node['link']}: computed again, it comes out differently: do not trust it"
        if deeper := contradiction_in(node.get("branches", [])):
            return deeper
    return ""


def branches_of(walk: Walk, digest: str, backwards: bool, seen: set[str], depth: int) -> list[JsonDict]:
    """Return the links from `digest` as nested JSON; a record met before, or too far away, is not opened."""
    branches = []
    for link in walk.backwards(digest) if backwards else walk.forwards(digest):
        other = link.target if backwards else link.source
        node: JsonDict = {"link": link.name, "strength": str(link.strength)}
        if link.is_blob:
            gone = walk.verified.unavailable.get(link.target)
            node |= {"blob": link.target, "status": gone or "its bytes match"}
        else:
            again = other in seen
            if depth > 1:  # one that is too far to open may be nearer on another way
                seen.add(other)
            node |= node_json(walk, other)
            if link.strength is Strength.UNAVAILABLE:
                node["note"] = why_unavailable(walk, link.source)
            node["again"] = again
            node["more"] = (
                not again and depth == 1 and any(walk.backwards(other) if backwards else walk.forwards(other))
            )
            node["branches"] = [] if again or depth == 1 else branches_of(walk, other, backwards, seen, depth - 1)
        branches.append(node)
    return branches


def node_json(walk: Walk, record_id: str) -> JsonDict:
    """Return a record of the walk, without its links."""
    record, position = walk.record(record_id), walk.verified.positions[record_id]
    return {
        "id": record_id,
        "kind": record.kind,
        "headline": headline(record),
        "entry": position,
        "signers": list(walk.verified.signers[position]),
    }


def _node_text(walk: Walk, record_id: str) -> Text:
    node = node_json(walk, record_id)
    return Text.assemble(
        (short(record_id), "bold"),
        f"  {node['kind']}  {node['headline']}",
        (f"  by {', '.join(node['signers'])}", "dim"),
    )


def grow(tree: Tree, branches: list[JsonDict]) -> None:
    """Put branches on a tree."""
    for node in branches:
        style = _STRENGTH_STYLES[Strength(node["strength"])]
        label = Text.assemble((f"{node['link']} ", "dim"), (f"[{node['strength']}] ", style))
        if "blob" in node:
            tree.add(label + Text(f"file {short(node['blob'])}, {node['status']}"))
            continue
        label += Text(f"{short(node['id'])}  {node['kind']}  {node['headline']}")
        if "note" in node:
            label += Text(f"\n{node['note']}", style="yellow")
        label += Text("  (see above)" if node["again"] else f"  by {', '.join(node['signers'])}", style="dim")
        grow(branch := tree.add(label), node["branches"])
        if node["more"]:
            branch.add(Text("… more behind it; --depth shows it", style="dim"))
