"""`auzolan deliberate diff`: what changed from one constitution to another, and by whose votes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from auzolan.cli.ballots import Evidence
from auzolan.cli.check_steps import linked_as
from auzolan.cli.commons import find_ledger
from auzolan.cli.govern import LedgerOption
from auzolan.cli.outcome_view import votes_on
from auzolan.cli.output import JsonDict, JsonOption, handled, hint, out, plain, print_json, short
from auzolan.cli.records import named
from auzolan.cli.selection_table import support
from auzolan.core.kinds.constitution import SUPERSEDES, Constitution, Draft, Principle
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.selection import Selection
from auzolan.core.record.errors import UsageError
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView

if TYPE_CHECKING:
    from auzolan.deliberate.wording.comparison import Change

_STYLES = {"added": "green", "removed": "red", "reworded": "yellow", "kept": "dim"}


@handled
def diff(
    old: Annotated[
        str | None, typer.Argument(metavar="[OLD]", help="A constitution; default: the one that NEW replaces.")
    ] = None,
    new: Annotated[str | None, typer.Argument(metavar="[NEW]", help="Default: the newest.")] = None,
    commons: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which principles were added, removed, reworded or kept, and who voted for them then and now."""
    from auzolan.deliberate.wording.comparison import compare

    place = find_ledger(commons)
    with place.reading() as ledger:
        after = named(ledger, new, Constitution.KIND)
        if old is None and SUPERSEDES not in after.links:
            raise UsageError(f"constitution {short(after.id)} replaces none; name the one to compare it with")
        before = named(ledger, after.links[SUPERSEDES] if old is None else old, Constitution.KIND)
        names = [_conversation(ledger, each) for each in (before, after)]
        tallies = [linked_as(ledger, each, Constitution.TALLY, Tally.KIND) for each in (before, after)]
        snapshots = [linked_as(ledger, each, Tally.SNAPSHOT, Snapshot.KIND) for each in tallies]
    evidence, said = Evidence(place.public, place.private), [Constitution.from_record(each) for each in (before, after)]
    votes = [votes_on(evidence.counts(tally)) for tally in tallies]
    changes = [_change_json(each, said, votes) for each in compare(said[0], said[1], names[0] == names[1])]
    people = [Snapshot.from_record(each).n_participants for each in snapshots]
    view = {"old": before.id, "new": after.id, "participants": people, "changes": changes}
    if as_json:
        print_json(view)
    else:
        _print(view, said)


def _conversation(ledger: LedgerView, constitution: Record) -> str:
    """Return the name of the conversation that a constitution's statements come from."""
    draft = linked_as(ledger, constitution, Constitution.DRAFT, Draft.KIND)
    selection = linked_as(ledger, draft, Draft.SELECTION, Selection.KIND)
    tally = linked_as(ledger, selection, Selection.TALLY, Tally.KIND)
    snapshot = linked_as(ledger, tally, Tally.SNAPSHOT, Snapshot.KIND)
    return Snapshot.from_record(snapshot).source["name"]


def _change_json(change: Change, said: list[Constitution], votes: list[dict[int, JsonDict]]) -> JsonDict:
    sides = (("old", change.old, 0), ("new", change.new, 1))
    found: JsonDict = {"what": change.what, "because": change.because}
    for side, principle, place in sides:
        found[side] = None if principle is None else _principle_json(principle, said[place], votes[place])
    if change.new is None and change.old is not None:
        found["voted_down"] = _voted_down(change.old, said[1])
    return found


def _principle_json(principle: Principle, said: Constitution, votes: dict[int, JsonDict]) -> JsonDict:
    status = "ratified" if principle in said.ratified else "acknowledged"
    numbers = votes[said.voted_as[principle.number]]
    return {"number": principle.number, "text": principle.text, "status": status, **numbers}


def _voted_down(principle: Principle, new: Constitution) -> bool:
    """Say whether the same words were put to the new vote and not ratified; else nobody was asked about them."""
    return any(each.text == principle.text for each in new.principles)


def _print(view: JsonDict, said: list[Constitution]) -> None:
    dates = [plain(each.ratified_at, 20) for each in said]
    out().print(f"{plain(said[1].title, 200)}: from {dates[0]} to {dates[1]}", style="bold")
    out().print(f"{view['participants'][0]:,} people voted then, {view['participants'][1]:,} now.")
    for change in view["changes"]:
        out().print()
        one = change["new"] or change["old"]
        label = f"{change['what']:<9} {one['number']:>5}  "
        out().print(Text(label, style=_STYLES[change["what"]]) + Text(plain(one["text"], 400)))
        if change["what"] == "reworded":
            out().print(Text(f"  was {change['old']['number']}: {plain(change['old']['text'], 400)}", style="dim"))
            out().print(Text(f"  taken for the same one because {change['because']}", style="dim"))
        for side, when in (("old", "then"), ("new", "now")):
            if change[side]:
                out().print(Text(f"  {when}: {change[side]['status']}; {support(change[side])}", style="dim"))
        if "voted_down" in change:
            gone = "it was put to the new vote and not ratified" if change["voted_down"] else "nobody was asked again"
            out().print(Text(f"  {gone}", style="dim"))
    if not view["changes"]:
        out().print("Nothing is in force in either.")
    hint("groups are found anew in each vote: group A then and group A now need not be the same people")
