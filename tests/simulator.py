"""An in-memory town in which everything that may fail does, in an order that a seed decides.

Three people, a reader and two witnesses have a machine each; one more machine
holds the log key and its promises. Messages are lost, repeated, delayed and
cut off; processes die at any write; power cuts undo what no finished call has
written; disks are put back to older copies, that of the log too, but not its
promises; the rules and the log key change.

What must hold in every run is kept by `Checker`, which sees everything:

    no two signed tree heads are inconsistent
    nothing that `commit` reported is lost or moved
    no witness cosigns, and no reader accepts, two inconsistent heads
    nobody is told that an honest log has forked, or is fooled by half a copy

A copy of the published files is made so that half of it is harmless: what
records need comes first, then the checkpoint that was read at the start, then
`cosigned`, which may not be ahead of it. A copy is never taken from an older
ledger, and a place makes one at a time.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from random import Random

from auzolan.core.record.checkpoint import TreeHead, read_checkpoint
from auzolan.core.record.envelope import Envelope, read_envelope
from auzolan.core.record.errors import MissingError, StaleError, StorageError, UsageError, VerificationError
from auzolan.core.record.findings import Expectation, Status, VerifiedLedger
from auzolan.core.record.index import Index
from auzolan.core.record.keys import SigningKey
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.merkle import leaf_hash, root_of
from auzolan.core.record.note import cosign_note, read_signature_line
from auzolan.core.record.published import CHECKPOINT, COSIGNED
from auzolan.core.record.record import Record
from auzolan.core.record.tilelog import TileReader
from auzolan.core.record.verify import verify_ledger
from auzolan.core.record.witness import WitnessRefusalError, add_checkpoint, read_add_checkpoint
from tests.faulty_files import Crash, Fault, Machine, Operation
from tests.memory_files import MemoryFiles
from tests.town import CLINIC, LIBRARY, LOG, NOW, ORIGIN, SCHOOL, document, key, next_rules, root_record, sign

LOG_KEYS = (LOG, key("town-log-2"))
WITNESSES = {"north": key("witness.example/north"), "south": key("witness.example/south")}
PEOPLE = {"library": LIBRARY, "school": SCHOOL, "clinic": CLINIC}
LOG_PLACE = "log"
N_STEPS = 130


def _rules(log_key: SigningKey, name: str) -> dict[str, object]:
    """Return what differs from the town's usual rules: two of three people, one of two witnesses."""
    return {
        "name": name,
        "log": {"origin": ORIGIN, "key": str(log_key.public)},
        "witnesses": {"keys": [str(w.witness_public) for w in WITNESSES.values()], "quorum": 1},
        "principals": {who: {"name": who, "keys": [str(k.public)]} for who, k in PEOPLE.items()},
        "roles": {"steward": list(PEOPLE)},
    }


@dataclass(frozen=True)
class Outcome:
    """How a run ended: what happened how often, and which invariants did not hold."""

    seed: int
    events: Counter[str]
    broken: tuple[str, ...]


@dataclass(frozen=True)
class Message:
    """Bytes on their way."""

    sender: str
    to: str
    what: str
    data: bytes


@dataclass
class Copying:
    """A copy of the published files that is being made."""

    source: str
    todo: list[str]
    checkpoint: bytes
    cosigned: bytes | None


@dataclass
class Place:
    """A machine that is not the log's: its copy, what it remembers, and for people and witnesses a key."""

    name: str
    rules_id: str
    files: MemoryFiles = field(default_factory=MemoryFiles)
    seen: TreeHead | None = None
    witnessed: TreeHead | None = None
    known: list[str] = field(default_factory=list)
    copying: Copying | None = None


class Checker:
    """Compares everything that was ever signed, cosigned, accepted or reported as committed."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.committed: dict[str, int] = {}
        self._entries: dict[TreeHead, tuple[bytes, ...]] = {}
        self._accepted: dict[str, set[TreeHead]] = {}

    def sign(self, head: TreeHead, entries: Sequence[bytes]) -> None:
        """Take note of a signed head and the entries that it is about."""
        if root_of([leaf_hash(entry) for entry in entries]) != head.root:
            self.broken.append(f"signed size {head.size}, whose root the tiles do not give")
        self._entries[head] = tuple(entries)
        self._compare("signed", head, self._entries)

    def accept(self, who: str, head: TreeHead) -> None:
        """Take note of a head that a reader or witness holds for true."""
        if head not in self._entries:
            self.broken.append(f"{who} accepted size {head.size}, which was not signed")
            return
        heads = self._accepted.setdefault(who, set())
        heads.add(head)
        self._compare(f"{who} accepted", head, heads)

    def commit(self, record_id: str, position: int) -> None:
        """Take note of what `commit` returned."""
        if self.committed.setdefault(record_id, position) != position:
            self.broken.append(f"record {record_id[:8]} moved from {self.committed[record_id]} to {position}")

    def finish(self, result: VerifiedLedger) -> None:
        """Compare all with the ledger that came of it."""
        self.broken += [
            f"record {record_id[:8]} was committed at {position}, stands at {result.positions.get(record_id)}"
            for record_id, position in self.committed.items()
            if result.positions.get(record_id) != position
        ]
        self.sign(result.checkpoint.head, result.entries)

    def _compare(self, what: str, head: TreeHead, others: Iterable[TreeHead]) -> None:
        mine = self._entries[head]
        for other in others:
            size = min(head.size, other.size)
            if mine[:size] != self._entries[other][:size]:
                self.broken.append(f"{what} two inconsistent heads, of sizes {other.size} and {head.size}")


class Simulation:
    """One run."""

    def __init__(self, seed: int, promises_are_lost: bool) -> None:
        self.random = Random(seed)
        self.events: Counter[str] = Counter()
        self.checker = Checker()
        self.promises_are_lost = promises_are_lost
        self.root = root_record(**_rules(LOG, "Town (synthetic)"))
        self.machine = Machine(*LOG_KEYS)
        self.index = Index(None)
        self.ledger: Ledger | None = None
        self.inbox: dict[str, Envelope] = {}
        self.witness_sizes = dict.fromkeys(WITNESSES, 0)
        self.backups: list[tuple[dict[str, bytes], dict[str, TreeHead]]] = []
        self.set_aside: list[dict[str, bytes]] = []
        self.is_stale = False
        self.places = {name: Place(name, self.root.id) for name in (*PEOPLE, *WITNESSES, "reader")}
        self.mail: list[Message] = []
        self.cuts: set[frozenset[str]] = set()
        self.actions: list[tuple[int, Callable[[], None]]] = [
            (11, self.propose), (34, self.deliver), (2, self.lose), (16, self.commit), (6, self.ask_witness),
            (8, self.start_copy), (9, self.go_on_copying), (5, self.read), (2, self.partition), (6, self.heal),
            (4, self.back_up), (2, self.roll_back_log), (12, self.roll_back_copy), (12, self.restore_log),
            (1, self.restart),
        ]  # fmt: skip

    def run(self) -> None:
        """Begin with the root on the log's disk, take the steps, and make peace."""
        self._add(sign(self.root))
        self.commit(faults=False)
        self.back_up()
        weights = [weight for weight, _ in self.actions]
        for _, action in self.random.choices(self.actions, weights, k=N_STEPS):
            action()
        self.make_peace()

    def happens(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def alarm(self, what: str) -> None:
        """Take note that someone says that the log has forked: a lie about an honest one."""
        self.events[what.split(":")[0]] += 1
        if not self.promises_are_lost:
            self.checker.broken.append(what)

    # The log's machine

    def at_log(self, act: Callable[[Ledger], None], faults: bool = True) -> None:
        """Let the log's process act, which may fail or die, and check what it signed."""
        n_signed = len(self.machine.signed)
        if faults and self.happens(50):
            self._plan_fault()
        try:
            if self.ledger is None:
                self.ledger = self.machine.open(self.index)
            act(self.ledger)
        except Crash:
            self.events["crashes"] += 1
            self._stop_process()
        except StaleError:
            self.events["refused stale commits"] += 1
            self.is_stale = True
            if self.machine.signed[n_signed:]:
                self.checker.broken.append("a stale disk signed")
        except (StorageError, UsageError):
            self.events["errors of disk or key"] += 1
            if self.happens(30):
                self.ledger = None
        self.machine.faults.arm(None)
        for head in self.machine.signed[n_signed:]:
            self.checker.sign(head, list(TileReader(self.machine.public, head.size).entries()))

    def _plan_fault(self) -> None:
        at, dies, share = self.random.randrange(9), self.happens(60), self.random.choice((0, 50, 100))

        def choose(number: int, operation: Operation) -> Fault | None:
            if number != at:
                return None
            return Fault(at, frozenset(item for item in operation.items if self.happens(share)), dies)

        self.machine.faults.arm_choice(choose)

    def _stop_process(self) -> None:
        self.ledger = None
        if self.happens(40):
            self.events["power cuts"] += 1
            self.machine.public.cut_power(lambda _: self.happens(70))
            self.machine.private.cut_power(lambda _: self.happens(70))
            self.machine.guard.cut_power()
        if self.happens(50):
            self.index = Index(None)

    def restart(self) -> None:
        self._stop_process()

    def _add(self, envelope: Envelope) -> None:
        known = self.inbox.get(envelope.claimed.id)
        self.inbox[envelope.claimed.id] = known.with_signatures(list(envelope.signatures)) if known else envelope

    def commit(self, faults: bool = True) -> None:
        batch = self.random.sample(list(self.inbox.values()), min(len(self.inbox), self.random.randrange(1, 4)))
        if batch:
            self.at_log(lambda ledger: self._commit(ledger, batch), faults)

    def _commit(self, ledger: Ledger, batch: list[Envelope]) -> None:
        rules = ledger.chain.versions
        try:
            results = self.machine.commit(ledger, *batch)
        except (VerificationError, MissingError):
            self.events["refused records"] += 1
            if len(batch) == 1:
                del self.inbox[batch[0].claimed.id]
            return
        for result in results:
            self.checker.commit(result.id, result.position)
            self.inbox.pop(result.id, None)
            self.events["commits"] += result.fresh
        for old, new in pairwise(ledger.chain.versions[max(len(rules) - 1, 0) :]):
            self.events["new rules"] += 1
            self.events["new log keys"] += old.rules.log_key != new.rules.log_key

    def back_up(self) -> None:
        self.backups.append((dict(self.machine.public.content), dict(self.machine.guard.heads)))

    def roll_back_log(self) -> None:
        """Put the log's disk back; it is lost where a copy has all of it, else it is set aside."""
        content, heads = self.random.choice(self.backups)
        if content == self.machine.public.content:
            return
        self.events["rollbacks of the log"] += 1
        if not any(_size(place.files) >= self._promised() for place in self.places.values()):
            self.set_aside.append(dict(self.machine.public.content))
        self._replace_log(content)
        if self.promises_are_lost:
            self.machine.guard.heads = dict(heads)

    def _replace_log(self, content: dict[str, bytes]) -> None:
        self.machine.public.restore(content)
        self.is_stale = False
        self._stop_process()
        for place in self.places.values():
            if place.copying and place.copying.source == LOG_PLACE:
                place.copying = None

    def _promised(self) -> int:
        return self.machine.guard.heads[ORIGIN].size

    def _copies(self) -> list[dict[str, bytes]]:
        copies = [*self.set_aside, *(place.files.content for place in self.places.values())]
        return [content for content in copies if CHECKPOINT in content]

    def restore_log(self) -> None:
        """Put any copy on a disk that refuses to sign; it may be too old as well."""
        copies = self._copies()
        if self.is_stale and copies:
            self.events["restored copies"] += 1
            self._replace_log(max(self.random.choices(copies, k=2), key=_size_in))

    # People

    def propose(self) -> None:
        """Let someone write a record, sign it and send it round."""
        name = self.random.choice(list(PEOPLE))
        place, number = self.places[name], self.random.randrange(10**6)
        links = {"about": self.random.choice(place.known or [self.root.id])}
        record = document(f"Document {number}", f"by {name}", **links)
        if self.happens(12):
            log_key = self.random.choice(LOG_KEYS)
            record = next_rules(place.rules_id, **_rules(log_key, f"Town {number} (synthetic)"))
        elif self.happens(20):
            blob = f"blob {number}".encode()
            self.send(name, LOG_PLACE, "blob", blob)
            record = Record(record.kind, record.body, record.links, {"file": sha256(blob).hexdigest()})
        envelope = Envelope(record).signed_by(PEOPLE[name])
        for other in PEOPLE:
            if other != name and self.happens(80):
                self.send(name, other, "record", envelope.canonical)

    def receive(self, message: Message) -> None:
        """Let a place do what a message asks for."""
        if message.what == "record" and message.to in PEOPLE:
            envelope = read_envelope(message.data).signed_by(PEOPLE[message.to])
            self.send(message.to, LOG_PLACE, "record", envelope.canonical)
        elif message.what == "record":
            self._add(read_envelope(message.data))
        elif message.what == "blob":
            self.at_log(lambda ledger: self.events.update(blobs=bool(ledger.stage_blob(message.data))))
        elif message.what == "cosign":
            self._witness(message)
        elif message.what == "size":
            self.witness_sizes[message.sender] = int(message.data)
        else:
            self.at_log(lambda ledger: self._take_cosignature(ledger, message.data))

    # Witnesses

    def ask_witness(self, name: str = "", faults: bool = True) -> None:
        name = name or self.random.choice(list(WITNESSES))
        self.at_log(lambda ledger: self._ask(ledger, name), faults)

    def _ask(self, ledger: Ledger, name: str) -> None:
        old = self.witness_sizes[name]
        if ledger.checkpoint is None or old > ledger.head.size:
            return
        proof = ledger.reader().consistency_proof(old) if old else []
        lines = [f"old {old}", *(base64.b64encode(item).decode() for item in proof)]
        request = ("\n".join(lines) + "\n\n").encode() + ledger.checkpoint.note.to_bytes()
        self.send(LOG_PLACE, name, "cosign", request)

    def _witness(self, message: Message) -> None:
        place = self.places[message.to]
        request = read_add_checkpoint(message.data)
        last = place.witnessed
        try:
            keys = [log_key.public for log_key in LOG_KEYS]
            head = add_checkpoint(request, {ORIGIN: keys}, {ORIGIN: last} if last else {})
        except WitnessRefusalError as error:
            size = last.size if last else 0
            if error.status == 409 and request.old_size != size:
                self.events["late requests to witnesses"] += 1
                self.send(place.name, LOG_PLACE, "size", str(size).encode())
            else:
                self.alarm(f"a witness refused a fork: {error.status} {error}")
            return
        if self.happens(5):
            return  # it died before it remembered
        place.witnessed = head
        self.checker.accept(f"witness {place.name}", head)
        if self.happens(5):
            return  # it died before it answered
        line = cosign_note(request.checkpoint.note.text, WITNESSES[place.name], NOW)
        self.send(place.name, LOG_PLACE, "cosigned", str(line).encode())
        self.send(place.name, LOG_PLACE, "size", str(head.size).encode())

    def _take_cosignature(self, ledger: Ledger, data: bytes) -> None:
        try:
            ledger.add_cosignature(read_signature_line(data.decode().rstrip("\n")))
            self.events["cosignatures"] += 1
        except VerificationError:
            self.events["late cosignatures"] += 1

    # Copies and readers

    def start_copy(self) -> None:
        place = self.random.choice(list(self.places.values()))
        source = self.random.choice([LOG_PLACE] * 5 + [name for name in self.places if name != place.name])
        if not self._is_cut(place.name, source) and not place.copying:
            self._start_copy(place, source)

    def _start_copy(self, place: Place, source: str) -> None:
        files = self._files(source)
        if CHECKPOINT not in files.content or _size(files) < _size(place.files):
            return
        ours = place.files.content
        new = [path for path, data in files.content.items() if ours.get(path) != data and "/" in path]
        todo = sorted(new, reverse=True, key=lambda path: (path.startswith("tile/"), path))
        place.copying = Copying(source, todo, files.content[CHECKPOINT], files.content.get(COSIGNED))

    def go_on_copying(self) -> None:
        busy = [place for place in self.places.values() if place.copying]
        if not busy:
            return
        place = self.random.choice(busy)
        if self.happens(10):
            self.events["half copies"] += 1
            place.copying = None
        self._go_on_copying(place, self.random.randrange(1, 60))

    def _go_on_copying(self, place: Place, n_files: int) -> None:
        copying = place.copying
        if copying is None:
            return
        for _ in range(min(n_files, len(copying.todo))):
            path = copying.todo.pop()
            data = self._files(copying.source).content.get(path)
            if data is None or self._is_cut(place.name, copying.source):
                self.events["half copies"] += 1
                place.copying = None
                return
            place.files.write_all({path: data})
        if not copying.todo:
            place.files.write_all({CHECKPOINT: copying.checkpoint})
            if copying.cosigned and self.happens(90):
                place.files.write_all({COSIGNED: copying.cosigned})
            place.copying = None
            self.events["copies"] += 1

    def _files(self, name: str) -> MemoryFiles:
        return self.machine.public if name == LOG_PLACE else self.places[name].files

    def roll_back_copy(self) -> None:
        """Put someone's copy back to an older one, unless the log may need it."""
        place = self.random.choice(list(self.places.values()))
        content, _ = self.random.choice(self.backups)
        if _size(self.machine.public) == self._promised() and _size_in(content) < _size(place.files):
            self.events["rollbacks of copies"] += 1
            place.files, place.copying = MemoryFiles(content), None
            for other in self.places.values():
                if other.copying and other.copying.source == place.name:
                    other.copying = None

    def read(self) -> None:
        self._read(self.random.choice(list(self.places.values())))

    def _read(self, place: Place) -> VerifiedLedger | None:
        if CHECKPOINT not in place.files.content:
            return None
        try:
            result = verify_ledger(place.files, Expectation(NOW, self.root.id, place.seen))
        except (VerificationError, MissingError) as error:
            self.alarm(f"a reader refused a ledger: {place.name}: {error}")
            return None
        if result.steps[-1].status is Status.NOT_CHECKED:
            self.events["stale copies noticed"] += 1
            return None
        if "missing" in result.unavailable.values():
            self.checker.broken.append(f"{place.name} has a checkpoint without what it needs")
        self.events["readings"] += 1
        place.seen = result.checkpoint.head
        place.known, place.rules_id = list(result.positions), result.chain.current.id
        self.checker.accept(f"reader {place.name}", place.seen)
        return result

    # The network

    def send(self, sender: str, to: str, what: str, data: bytes) -> None:
        self.mail.append(Message(sender, to, what, data))

    def deliver(self) -> None:
        if not self.mail:
            return
        number = self.random.randrange(len(self.mail))
        message = self.mail[number]
        if self._is_cut(message.sender, message.to):
            self.events["held up messages"] += 1
            return
        if self.happens(15):
            self.events["duplicates"] += 1
        else:
            del self.mail[number]
        self.receive(message)

    def lose(self) -> None:
        if self.mail:
            self.events["lost messages"] += 1
            del self.mail[self.random.randrange(len(self.mail))]

    def _is_cut(self, one: str, other: str) -> bool:
        return frozenset((one, other)) in self.cuts

    def partition(self) -> None:
        """Cut the town in two."""
        self.events["partitions"] += 1
        names = [LOG_PLACE, *self.places]
        side = {name for name in names if self.happens(40)}
        self.cuts = {frozenset((a, b)) for a in side for b in names if b not in side}

    def heal(self) -> None:
        self.cuts = set()

    # The end

    def make_peace(self) -> None:
        """Heal all, let the log recover, and check that one history has all that was committed.

        A log that lost its promises cannot recover; then all is only shown to everyone.
        """
        self.heal()
        while self.mail:
            self.receive(self.mail.pop())
        if not self.promises_are_lost:
            self._recover()
        for name in WITNESSES:
            self._cosign_at_last(name)
        for place in self.places.values():
            self._start_copy(place, LOG_PLACE)
            self._go_on_copying(place, 10**6)
            result = self._read(place)
            if self.promises_are_lost:
                continue
            if result is None or not result.complete:
                self.checker.broken.append(f"{place.name} could not verify the healed ledger")
            else:
                self.checker.finish(result)

    def _recover(self) -> None:
        """Commit one more record, after putting back the copies one by one while the log refuses."""
        last = sign(document("The end", commons=self.root.id))
        copies = self._copies()
        while True:
            self.inbox = {last.claimed.id: last}
            self.commit(faults=False)
            if last.claimed.id in self.checker.committed:
                return
            if not copies:
                self.checker.broken.append("the log did not recover")
                return
            self._replace_log(dict(copies.pop()))

    def _cosign_at_last(self, name: str) -> None:
        """Ask until the answer has come; a witness may die in between."""
        cosigned = f"{WITNESSES[name].name} ".encode()
        for _ in range(20):
            if cosigned in self.machine.public.content[CHECKPOINT]:
                return
            self.ask_witness(name, faults=False)
            while self.mail:
                self.receive(self.mail.pop())


def _size(files: MemoryFiles) -> int:
    return _size_in(files.content)


def _size_in(content: dict[str, bytes]) -> int:
    data = content.get(CHECKPOINT)
    return read_checkpoint(data).head.size if data else 0


def run(seed: int, promises_are_lost: bool = False) -> Outcome:
    """Run the town with a seed.

    Args:
        seed: decides everything.
        promises_are_lost: the log's promises go back together with its disk, as
            nothing here can survive; then only witnesses and readers help.
    """
    simulation = Simulation(seed, promises_are_lost)
    simulation.run()
    return Outcome(seed, simulation.events, tuple(dict.fromkeys(simulation.checker.broken)))
