"""Edge: `auzolan run anchor`: the runtime's newest checkpoint goes into the community's log."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from auzolan.cli.commons import find_commons
from auzolan.cli.govern import choose_key, propose_within
from auzolan.cli.output import hint, out, print_json
from auzolan.cli.run.declared import anchors_of, find_service, state_folder
from auzolan.core.kinds.run import Anchor, Service
from auzolan.core.record.checkpoint import Checkpoint, read_checkpoint
from auzolan.core.record.disk import DiskFiles
from auzolan.core.record.errors import MissingError, VerificationError
from auzolan.core.record.note import verify_note
from auzolan.core.record.published import CHECKPOINT
from auzolan.core.record.tilelog import TileReader


def put_anchor(name: str | None, state: Path | None, key: str | None, commons: str | None, as_json: bool) -> None:
    """Sign the newest checkpoint of a service's answers, and commit it if nothing is lacking.

    Raises:
        MissingError: the service has given no answer on this machine.
        VerificationError: the log there is not the service's, or not a continuation of what was anchored.
    """
    place = find_commons(commons)
    with place.writing() as ledger:
        signer = choose_key(key, ledger)
        record = find_service(ledger, name)
        service = Service.from_record(record)
        folder = state_folder(service, state) / "answers"
        files = DiskFiles(folder, private=True)
        try:
            data = files.read(CHECKPOINT)
        except MissingError:
            raise MissingError(
                f"{folder}: no answer of {service.name} was logged here yet; answers are logged in batches,"
                " at most ten minutes after they were given, and when the service ends"
            ) from None
        checkpoint = read_checkpoint(data)
        _check(service, checkpoint, files, anchors_of(ledger, service))
        said = Anchor(record.id, data.decode(), datetime.now(UTC).date().isoformat()).to_record()
        new = ledger.index.find(said.id) is None
        if new:
            propose_within(place, ledger, [said], [signer], as_json, commit_at_once=True, quiet=as_json)
        committed = ledger.index.find(said.id) is not None
    if as_json:
        print_json({"anchor": said.id, "size": checkpoint.head.size, "committed": committed})
        return
    if not committed:
        return  # what it waits for was printed
    n_answers = checkpoint.head.size
    are = "answer of {} is" if n_answers == 1 else "answers of {} are"
    out().print(f"{n_answers:,} {are.format(service.name)} anchored{'' if new else ' already'}")
    hint("do it at fixed times, such as every night;")
    hint("a witness's cosignature then covers them too")


def _check(service: Service, checkpoint: Checkpoint, files: DiskFiles, before: list[Checkpoint]) -> None:
    if checkpoint.origin != service.origin or not verify_note(checkpoint.note, [service.runtime_key], "checkpoint"):
        raise VerificationError(f"the log of answers there is not that of {service.name}, signed by its runtime key")
    reader = TileReader(files, checkpoint.head.size)
    for each in before:
        size = each.head.size
        if size > checkpoint.head.size or reader.root_at(size) != each.head.root:
            raise VerificationError(f"the log of answers is not a continuation of the one anchored at size {size}")
