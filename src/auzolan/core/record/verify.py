"""Verifying a published ledger from nothing but its bytes and, if given, a pin.

The steps, in order; each has at least one folder in tests/attacks:

     1. Checkpoint    it is a well-formed signed tree head
     2. Tree          the entries hash to every tile and to the signed root
     3. Records       each entry's file is there, with the logged bytes, in canonical form
     4. Root          the first record is a governance, the pinned one if a pin is given
     5. Governance    each version continues the one in force and keeps the rights floor
     6. Signatures    enough different principals signed each record, by the rules in force then
     7. Once          no record stands twice
     8. Links         each record names an earlier one, and no id of an earlier one hides in a body
     9. Blobs         published bytes match; erased and withheld ones are named
    10. Log key       the checkpoint is signed by the key in force, for the log it names
    11. Witnesses     cosignatures fit, enough of them, recent enough, none of another history
    12. Memory        it continues what this machine saw before

Covered: a copy of a ledger in which anything was altered after it was signed, or
that was never authorised.
Not covered: whether what the principals signed is true or wise. That nothing was
left out holds only against what a witness, or this machine, saw before: where
steps 11 and 12 are open, the log's keeper may have made another log for others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from auzolan.core.record.authority import Authorised, SuccessionError
from auzolan.core.record.checkpoint import TILE_HEIGHT, TILE_WIDTH, Checkpoint, TreeHead, tile_path
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.errors import (
    AuzolanError,
    MalformedError,
    MissingError,
    NotCheckedError,
    VerificationError,
)
from auzolan.core.record.files import ReadFiles
from auzolan.core.record.findings import STEPS, Expectation, Status, Step, VerifiedLedger, plain
from auzolan.core.record.governance import GOVERNANCE_KIND
from auzolan.core.record.merkle import HASH_SIZE, Frontier, leaf_hash
from auzolan.core.record.note import Verified, verify_note
from auzolan.core.record.published import Published, blob_path
from auzolan.core.record.record import PRIVATE_BLOB_PREFIX, Record, check_bound, digests_in
from auzolan.core.record.tilelog import TileReader
from auzolan.core.record.tombstone import TOMBSTONE_KIND, check_blobs, erased_by

_CLOCK_TOLERANCE = 300


def verify_ledger(
    files: ReadFiles,
    expect: Expectation,
    report: Callable[[Step], None] = lambda _: None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> VerifiedLedger:
    """Verify the published ledger in `files`.

    Args:
        files: the published folder.
        expect: the pin, the memory and the clock.
        report: called with every step as it ends, the failing one included.
        progress: called with (records done, records in all).

    Returns:
        What was verified; `complete` says whether some step could not be checked.

    Raises:
        VerificationError: a step failed.
        MissingError, StorageError: it could not be checked at all.
    """
    return _Verifier(files, expect, report, progress).run()


class _Verifier:
    """One run; `_in_step` names the step that an error belongs to."""

    def __init__(
        self,
        files: ReadFiles,
        expect: Expectation,
        report: Callable[[Step], None],
        progress: Callable[[int, int], None],
    ) -> None:
        self._files = files
        self._published = Published(files)
        self._expect = expect
        self._report = report
        self._progress = progress
        self._holders: dict[str, list[tuple[str, str]]] = {}
        self._erased: set[str] = set()
        self._missing: list[str] = []
        self._n_signatures = 0
        self._n_links = 0

    @contextmanager
    def _in_step(self, number: int, about: str = "") -> Iterator[None]:
        """Turn an error into the step's failure, or into "not checked" where bytes are missing."""
        try:
            yield
        except AuzolanError as error:
            unchecked = isinstance(error, NotCheckedError)
            status = Status.NOT_CHECKED if unchecked else Status.FAILED
            finding = plain(f"{about}{error}")
            self._report(Step(number, status, finding))
            kind = type(error) if unchecked else VerificationError
            raise kind(f"step {number} ({STEPS[number - 1]}): {finding}") from None

    def _end(self, number: int, status: Status, finding: str) -> None:
        step = Step(number, status, plain(finding))
        self._result.steps.append(step)
        self._report(step)

    def run(self) -> VerifiedLedger:
        """Run all steps."""
        # 1. Checkpoint
        with self._in_step(1):
            checkpoint = self._published.checkpoint()
            if not checkpoint.head.size:
                raise MalformedError("checkpoint: of an empty log; a commons begins with its governance")
        self._result = VerifiedLedger(checkpoint)
        head = checkpoint.head
        self._end(1, Status.PASSED, f"log {checkpoint.origin}, {head.size:,} entries, root {head.root.hex()[:16]}…")
        # 2. Tree
        with self._in_step(2):
            self._check_tree(head)
        self._end(2, Status.PASSED, "recomputed: the entries hash to every tile and to that root")
        # 3. to 8.: record by record, in log order
        for position, entry in enumerate(self._result.entries):
            self._check_record(position, entry)
            self._progress(position + 1, head.size)
        self._end_records()
        # 9. Blobs
        self._check_blobs()
        # 10. Log key
        with self._in_step(10):
            self._check_log_key(checkpoint)
        # 11. Witnesses
        with self._in_step(11):
            self._check_witnesses(checkpoint)
        # 12. Memory
        with self._in_step(12):
            self._check_memory(head)
        return self._result

    # 2
    def _check_tree(self, head: TreeHead) -> None:
        reader = TileReader(self._files, head.size)
        frontier = Frontier()
        upper: dict[int, list[bytes]] = {}
        for number in range(-(-head.size // TILE_WIDTH)):
            bundle = reader.bundle(number)
            leaves = [leaf_hash(entry) for entry in bundle]
            self._compare_tile(reader, 0, number, leaves)
            self._result.entries += bundle
            for level, row in enumerate(frontier.extend(leaves)[::TILE_HEIGHT]):
                upper.setdefault(level, []).extend(row if level else [])
        for level, row in upper.items():
            for start in range(0, len(row), TILE_WIDTH):
                self._compare_tile(reader, level, start // TILE_WIDTH, row[start : start + TILE_WIDTH])
        if frontier.root() != head.root:
            raise VerificationError(
                f"the entries hash to root {frontier.root().hex()[:16]}…, the checkpoint says {head.root.hex()[:16]}…"
            )

    def _compare_tile(self, reader: TileReader, level: int, number: int, expected: list[bytes]) -> None:
        stored = reader.tile(level, number)
        if stored != expected:
            at = next(i for i, (a, b) in enumerate(zip(stored, expected, strict=False)) if a != b)
            raise VerificationError(
                f"{tile_path(level, number, len(expected))}: hash {at} is not what the entries give"
            )

    # 3 to 8
    def _check_record(self, position: int, entry: bytes) -> None:
        about = f"entry {position}: "
        with self._in_step(3, about):
            if len(entry) != HASH_SIZE:
                raise MalformedError(f"expected the SHA-256 of a record, got {len(entry)} bytes")
            envelope = self._published.envelope(entry)
        record = envelope.claimed
        if position == 0:
            with self._in_step(4, about):
                self._check_root(record)
        authorised = self._authorise(envelope, position, about)
        with self._in_step(7, about):
            if record.id in self._result.positions:
                first = self._result.positions[record.id]
                raise VerificationError(f"record {record.id[:16]}… stands already at entry {first}")
        with self._in_step(8, about):
            self._check_links(record)
        self._result.positions[record.id] = position
        self._result.signers.append(authorised.signers)
        self._n_signatures += len(envelope.signatures)
        self._n_links += len(record.links)
        self._note_blobs(record)

    def _check_root(self, record: Record) -> None:
        if record.kind != GOVERNANCE_KIND:
            raise VerificationError(f"the first record must be {GOVERNANCE_KIND}, got {record.kind}")
        if self._expect.root is not None and record.id != self._expect.root:
            raise VerificationError(
                f"this commons begins with {record.id[:16]}…, not with the pinned root {self._expect.root[:16]}…"
            )

    def _authorise(self, envelope: Envelope, position: int, about: str) -> Authorised:
        try:
            return self._result.chain.verify(envelope, position)
        except (SuccessionError, MalformedError, NotCheckedError) as error:
            with self._in_step(5, about):
                raise error
        except VerificationError as error:
            with self._in_step(6, about):
                raise error

    def _check_links(self, record: Record) -> None:
        check_bound(record, bool(self._result.positions))
        for name, target in record.links.items():
            if target not in self._result.positions:
                raise VerificationError(f"link {name} names {target[:16]}…, which is no earlier record")
        for digest in digests_in(record.body):
            if digest in self._result.positions:
                raise VerificationError(f"the body hides the id of record {digest[:16]}…, which belongs in links")

    def _end_records(self) -> None:
        chain, n = self._result.chain, len(self._result.entries)
        self._end(3, Status.PASSED, f"recomputed: {_count(n, 'record file')} as logged, in canonical form")
        if self._expect.root:
            self._end(4, Status.PASSED, f"the first record is the pinned root {self._expect.root[:16]}…")
        else:
            finding = "authority not pinned: anyone could have made a commons that looks like this"
            self._end(4, Status.OPEN, finding)
        rules, versions = chain.current.rules, len(chain.versions)
        floor = f"; {_count(len(rules.rights_floor), 'article')} in the rights floor" if rules.rights_floor else ""
        demo = "; a demonstration: its throw-away keys prove nothing" if rules.demo else ""
        signed = "signed as old and new rules demand"
        self._end(
            5, Status.PASSED, f"{_count(versions, 'version')} of the rules of {rules.name!r}, {signed}{floor}{demo}"
        )
        self._end(6, Status.PASSED, f"{_count(self._n_signatures, 'signature')} checked; enough principals made them")
        self._end(7, Status.PASSED, "no record stands twice")
        self._end(
            8,
            Status.PASSED,
            f"{_count(self._n_links, 'link')}, all to earlier records; no id of an earlier record hides in a body",
        )

    # 9
    def _note_blobs(self, record: Record) -> None:
        with self._in_step(9, f"record {record.id[:16]}…: "):
            check_blobs(record, lambda digest: self._holders.get(digest, ()))
            if record.kind == TOMBSTONE_KIND:
                self._erased.update(erased_by(record))
        for name, digest in record.blobs.items():
            self._holders.setdefault(digest, []).append((record.id, name))
        for name, digest in record.public_blobs.items():
            with self._in_step(9, f"record {record.id[:16]}…, blob {name}: "):
                try:
                    self._published.check_blob(digest)
                except MissingError:
                    self._result.unavailable[digest] = "missing"

    def _check_blobs(self) -> None:
        private = (d for d, names in self._holders.items() if names[0][1].startswith(PRIVATE_BLOB_PREFIX))
        for digest in sorted(private):
            with self._in_step(9, f"private blob {digest[:16]}…: "):
                self._check_private(digest, digest in self._erased)
        counts = {
            word: list(self._result.unavailable.values()).count(word) for word in ("missing", "withheld", "erased")
        }
        said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        status = Status.NOT_CHECKED if counts["missing"] else Status.OPEN if counts["withheld"] else Status.PASSED
        self._end(9, status, f"every blob that is here has its digest{'; ' + said if said else ''}")

    def _check_private(self, digest: str, is_erased: bool) -> None:
        path = blob_path(digest)
        if _digest_or_none(self._files, path) == digest:  # many servers answer some page where there is nothing
            raise VerificationError("a private blob is published")
        found = _digest_or_none(self._expect.private, path) if self._expect.private else None
        if found is None:
            self._result.unavailable[digest] = "erased" if is_erased else "withheld"
        elif is_erased:
            raise VerificationError("a tombstone says it was erased, but it is still on this machine")
        elif found != digest:
            raise VerificationError(f"its bytes hash to {found[:16]}…")

    # 10
    def _check_log_key(self, checkpoint: Checkpoint) -> None:
        rules = self._result.chain.current.rules
        if checkpoint.origin != rules.origin:
            raise VerificationError(f"the checkpoint is of log {checkpoint.origin!r}, the rules name {rules.origin!r}")
        if not verify_note(checkpoint.note, [rules.log_key], "checkpoint"):
            raise VerificationError(f"the checkpoint is not signed by the log key in force, {rules.log_key.name}")
        self._end(10, Status.PASSED, f"the checkpoint is signed by {rules.log_key.name}")

    # 11
    def _check_witnesses(self, checkpoint: Checkpoint) -> None:
        rules = self._result.chain.current.rules
        if not rules.witness_keys:
            self._end(11, Status.OPEN, "the rules name no witnesses: nobody else vouches that all see the same")
            return
        current = verify_note(checkpoint.note, rules.witness_keys, "checkpoint")
        older_head, older = self._older_cosignatures(checkpoint.head)
        times = [v.time for v in (*current, *older) if v.time is not None]
        self._result.newest_cosignature = max(times, default=None)
        names = ", ".join(sorted(v.key.name for v in current)) or "none"
        finding = f"{len(current)} of {rules.witness_quorum} needed cosignatures ({names})"
        problem = self._staleness(times, rules.witness_max_age)
        if older and older_head.size > checkpoint.head.size:
            problem = f"stale: witnesses cosigned {older_head.size:,} entries, here are {checkpoint.head.size:,}"
        if len(current) < rules.witness_quorum:
            problem = "not enough witnesses have seen this head"
        status = Status.NOT_CHECKED if problem else Status.PASSED if rules.witness_quorum else Status.OPEN
        self._end(11, status, finding + (f"; {problem}" if problem else ""))

    def _older_cosignatures(self, head: TreeHead) -> tuple[TreeHead, Sequence[Verified]]:
        """Return what witnesses cosigned before; their times on other logs say nothing about this one."""
        older = self._published.cosigned()
        rules = self._result.chain.current.rules
        if older is None or older.origin != rules.origin:
            return head, []
        verified = verify_note(older.note, rules.witness_keys, "cosigned")
        if verified and older.head.size <= head.size:
            self._continues(older.head, "witnesses cosigned")
        return older.head, verified

    def _staleness(self, times: Sequence[int], max_age: int | None) -> str:
        newest = max(times, default=None)
        if newest is None:
            return "" if max_age is None else "no cosignature says when this head was seen"
        age = self._expect.now - newest
        if age < -_CLOCK_TOLERANCE:
            return f"the newest cosignature lies {-age:,} s in the future: this clock or the witness's is wrong"
        if max_age is not None and age > max_age:
            return f"stale: the newest cosignature is {age // 86_400} days old, the rules allow {max_age // 86_400}"
        return ""

    def _continues(self, old: TreeHead, who: str) -> None:
        """Compare an older head with the entries that were verified; nothing is read again from the server."""
        if self._result.root_at(old.size) != old.root:
            raise VerificationError(
                f"{who} another history at size {old.size}: the log shows different things to different people"
            )

    # 12
    def _check_memory(self, head: TreeHead) -> None:
        seen = self._expect.seen
        if seen is None and self._expect.recall:
            seen = self._expect.recall(self._result.root_id)
        if seen is None:
            self._end(12, Status.OPEN, "this machine has not seen this log before")
        elif seen.size > head.size:
            finding = f"stale: this machine has seen {seen.size:,} entries, here are {head.size:,}"
            self._end(12, Status.NOT_CHECKED, finding)
        else:
            self._continues(seen, "this machine saw")
            self._end(12, Status.PASSED, f"continues the {seen.size:,} entries that this machine saw before")


def _digest_or_none(files: ReadFiles, path: str) -> str | None:
    try:
        return files.digest(path)
    except MissingError:
        return None


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
