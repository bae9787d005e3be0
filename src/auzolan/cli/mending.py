"""`auzolan fsck`: naming damage to the bit, and writing back what is proved."""

from __future__ import annotations

from typing import Annotated

import typer

from auzolan.cli.commons import Commons, find_commons, promises
from auzolan.cli.govern import CommonsOption
from auzolan.cli.output import JsonOption, handled, hint, out, plain, print_json, progress_bar, short
from auzolan.core.record.checkpoint import Checkpoint, read_checkpoint
from auzolan.core.record.errors import MissingError, StaleError, VerificationError
from auzolan.core.record.fsck import Damage, find_damage, find_leftovers
from auzolan.core.record.published import CHECKPOINT
from auzolan.core.record.tilelog import TileWriter


@handled
def fsck(
    repair: Annotated[
        bool, typer.Option("--repair", help="Write back what a digest or the signed root proves.")
    ] = False,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Re-derive this commons' whole ledger and name every damaged file, to the bit."""
    place = find_commons(commons)
    # Alone from the first look to the last write: what somebody commits meanwhile must not look like a leftover.
    with place.locked():
        checkpoint = read_checkpoint(place.public.read(CHECKPOINT))
        with progress_bar("checking files") as progress:
            damages = list(find_damage(place.public, checkpoint.head, progress))
        leftovers = find_leftovers(place.public, checkpoint.head) if not damages else []
        repaired = [damage for damage in damages if damage.repaired is not None] if repair else []
        if repair:
            place.public.write_all({damage.path: damage.repaired or b"" for damage in repaired})
            place.public.remove_all(leftovers)
        lost = [damage for damage in damages if damage not in repaired]
        returned = [] if lost else _rebuild_index(place, repair)
    if as_json:
        rows = [{"path": d.path, "finding": d.finding, "repaired": d in repaired} for d in damages]
        print_json({"size": checkpoint.head.size, "damages": rows, "leftovers": leftovers, "returned": returned})
    else:
        _print_damages(damages, repaired)
        for path in leftovers:
            verb = "removed" if repair else "--repair removes it"
            out().print(f"ledger/{plain(path)}: left by an interrupted commit, in no log; {verb}", soft_wrap=True)
        for digest in returned:
            verb = "erased again" if repair else "--repair erases it again"
            out().print(f"private file {short(digest)} was erased, and is here again; {verb}", soft_wrap=True)
        if not damages:
            out().print(f"all {checkpoint.head.size:,} entries, their records and every tile are whole")
    if lost:
        raise typer.Exit(1)
    _check_promise(place, checkpoint)


def _check_promise(place: Commons, checkpoint: Checkpoint) -> None:
    """Say when more was signed for this log than is published here.

    Raises:
        StaleError: and it is not on this disk either.
    """
    last = promises().last(checkpoint.origin)
    if last is None or last.size <= checkpoint.head.size:
        return
    try:
        TileWriter.open(place.public, last)
    except (MissingError, VerificationError):
        raise StaleError(
            f"this copy is whole, but old: it has {checkpoint.head.size:,} entries, {last.size:,} were signed; "
            "restore a newer one"
        ) from None
    hint("a commit was interrupted before its checkpoint; the next `auzolan commit` or `forget` finishes it")


def _print_damages(damages: list[Damage], repaired: list[Damage]) -> None:
    for damage in damages:
        verb = "repaired" if damage in repaired else "can be repaired (--repair)" if damage.repaired else "lost"
        out().print(f"ledger/{damage.path}: {plain(damage.finding)}; {verb}", soft_wrap=True)


def _rebuild_index(place: Commons, repair: bool) -> list[str]:
    """Make the index again; return, and on repair erase, the private files that came back after their erasure."""
    with place.reading() as ledger:
        ledger.index.clear()
        with progress_bar("making the index again") as progress:
            for done in ledger.rebuild_index(0):
                progress(done, ledger.head.size)
        returned = ledger.returned_blobs()
        if repair:
            ledger.erase(returned)
        return returned
