"""What every attack starts from: an honest town, and the tools to forge it.

`Operator` plays whoever holds the log key: it logs anything, authorised or
not, and gets the tree, the checkpoint and the cosignature right. So an attack
differs from the honest town in one defect only. Synthetic throughout.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from securesystemslib.dsse import Envelope as DsseEnvelope

from auzolan.core.kinds.govern import Document
from auzolan.core.record.canonical import JsonObject, canonical_bytes
from auzolan.core.record.checkpoint import TreeHead, checkpoint_text
from auzolan.core.record.envelope import PAYLOAD_TYPE, Envelope
from auzolan.core.record.keys import SigningKey
from auzolan.core.record.note import Note, NoteSignature, cosign_note, sign_note
from auzolan.core.record.published import CHECKPOINT, blob_path, record_path
from auzolan.core.record.record import KIND_URI_PREFIX, STATEMENT_TYPE, Record
from auzolan.core.record.tilelog import TileWriter
from auzolan.core.record.tombstone import tombstone
from tests.memory_files import MemoryFiles
from tests.town import CLINIC, LIBRARY, LOG, NOW, ORIGIN, SCHOOL, WITNESS, key, next_rules, root_record, sign

OUTSIDER, IMPOSTOR = key("outsider"), key("impostor")
COSIGNED_AT = NOW - 3_600
DAY = 86_400

FLOOR = {"id": "own-language", "text": "Nobody is refused an answer for the language they speak."}
WITNESSED: JsonObject = {"keys": [str(WITNESS.witness_public)], "quorum": 1}
SCAN = b"Scan of the minutes of 20 November (synthetic).\n"
ATTENDANCE = sha256(b"synthetic salt").digest() + b"Who was there (synthetic).\n"
SCAN_DIGEST, ATTENDANCE_DIGEST = sha256(SCAN).hexdigest(), sha256(ATTENDANCE).hexdigest()


def held(name: str, *keys: SigningKey) -> JsonObject:
    """Return the table of a principal who holds `keys`."""
    return {"name": name, "keys": [str(each.public) for each in keys]}


TWO: JsonObject = {"library": held("Town library", LIBRARY), "school": held("Town school", SCHOOL)}
THREE: JsonObject = {**TWO, "clinic": held("Town clinic", CLINIC)}


def stewards(*ids: str) -> JsonObject:
    return {"steward": list(ids)}


def counts(**more: int) -> JsonObject:
    """Return the town's thresholds; `more` are counts by kind without its version."""
    table: JsonObject = {"default": {"role": "steward", "count": 1}}
    for kind, count in ({"governance": 2, "document": 2} | more).items():
        table[f"{kind}/v1"] = {"role": "steward", "count": count}
    return table


def town_root(**changes: Any) -> Record:
    """Return the town's first rules, witnessed and with a right that no vote lowers."""
    return root_record(**({"witnesses": WITNESSED, "rights_floor": [FLOOR]} | changes))


def town_next(previous: str, **changes: Any) -> Record:
    """Return rules that follow `previous`; unless changed, the clinic joins."""
    joined = {"principals": THREE, "roles": stewards("library", "school", "clinic")}
    return next_rules(previous, **({"witnesses": WITNESSED, "rights_floor": [FLOOR]} | joined | changes))


ROOT = town_root()
MINUTES = Document(
    "Minutes",
    "2026-11-20",
    "We met.",
    {"commons": ROOT.id},
    {"scan": SCAN_DIGEST, "private.attendance": ATTENDANCE_DIGEST},
).to_record()
NEXT = town_next(ROOT.id)
BUDGET = Document("Budget", "2026-11-27", "Forty books, two languages.", {"minutes": MINUTES.id}).to_record()
ERASED = tombstone([ATTENDANCE_DIGEST], [MINUTES.id], "asked to be forgotten", "2026-12-01")


def document(title: str = "Minutes", text: str = "We met.", root: Record = ROOT, **links: str) -> Record:
    """Return a document; without links it names the root of its commons."""
    return Document(title, "2026-11-20", text, links or {"commons": root.id}).to_record()


def loan(root: Record = ROOT) -> Record:
    """Return the document that attackers want to pass."""
    return document("Loan", "The town borrows a million.", root)


class Operator:
    """A log and its folder, in the hands of whoever has the log key."""

    def __init__(self, *items: Envelope | bytes) -> None:
        self.files = MemoryFiles()
        self.entries: list[bytes] = []
        self.root: str | None = None
        self.log(*items)

    def log(self, *items: Envelope | bytes) -> Self:
        """Log envelopes, or bytes in their place."""
        for item in items:
            if isinstance(item, Envelope):
                self.root = self.root or item.claimed.id
                if SCAN_DIGEST in item.claimed.public_blobs.values():
                    self.files.content[blob_path(SCAN_DIGEST)] = SCAN
            data = item.canonical if isinstance(item, Envelope) else item
            entry = sha256(data).digest()
            self.files.content[record_path(entry.hex())] = data
            self.entries.append(entry)
        return self

    def head(self, size: int | None = None) -> TreeHead:
        """Return the tree head of the first `size` entries."""
        return TileWriter(MemoryFiles()).append(self.entries[:size])

    def publish(self, checkpoint: bytes | None = None) -> Forged:
        """Write the tree, and `checkpoint` or the honest one."""
        head = TileWriter(self.files).append(self.entries)
        self.files.content[CHECKPOINT] = witnessed(head) if checkpoint is None else checkpoint
        return Forged(self.files.content, self.root)


@dataclass
class Forged:
    """A published folder, and what its verifier brings along."""

    files: dict[str, bytes]
    root: str | None
    seen: TreeHead | None = None
    now: int = NOW

    def edit(self, path: str, change: Callable[[bytes], bytes]) -> Self:
        """Change one file after publication, as whoever serves it can."""
        self.files[path] = change(self.files[path])
        return self

    def move(self, old: str, new: str) -> Self:
        self.files[new] = self.files.pop(old)
        return self

    def without(self, path: str) -> Self:
        del self.files[path]
        return self


def note(text: str, *lines: NoteSignature) -> bytes:
    return Note(text, lines).to_bytes()


def witnessed(head: TreeHead, log_key: SigningKey = LOG, origin: str = ORIGIN, at: int = COSIGNED_AT) -> bytes:
    """Return a checkpoint signed by the log and cosigned by the town's witness."""
    text = checkpoint_text(origin, head)
    return note(text, sign_note(text, log_key), cosign_note(text, WITNESS, at))


def opening() -> Operator:
    """Return the honest town after three records, for the attack to add a fourth."""
    return Operator(sign(ROOT), sign(MINUTES), sign(NEXT))


def story() -> Operator:
    """Return the honest town in full: five records."""
    return opening().log(sign(BUDGET, SCHOOL, CLINIC), sign(ERASED, LIBRARY))


def flip(data: bytes, at: int) -> bytes:
    """Return `data` with the lowest bit of one byte flipped."""
    return bytes(value ^ (position == at % len(data)) for position, value in enumerate(data))


def statement(predicate: bytes, kind: str) -> bytes:
    """Return the Statement around any predicate bytes, its subject and order of keys right."""
    subject = canonical_bytes([{"name": "record", "digest": {"sha256": sha256(predicate).hexdigest()}}])
    kind_uri = canonical_bytes(KIND_URI_PREFIX + kind)
    return b'{"_type":"%b","predicate":%b,"predicateType":%b,"subject":%b}' % (
        STATEMENT_TYPE.encode(),
        predicate,
        kind_uri,
        subject,
    )


def seal(payload: bytes, keys: Iterable[SigningKey] = (LIBRARY, SCHOOL)) -> bytes:
    """Return a canonical envelope with right signatures around any payload, also one that `Envelope` refuses."""
    pae = DsseEnvelope(payload, PAYLOAD_TYPE, {}).pae()
    rows = [(each.public.keyid, base64.b64encode(each.sign(pae)).decode()) for each in keys]
    return canonical_bytes(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": keyid, "sig": sig} for keyid, sig in sorted(rows)],
        }
    )


@dataclass(frozen=True)
class Attack:
    """One folder: what was done, and what a verification must say about it.

    Attributes:
        name: of the folder; ends in _fail, _unchecked or _pass.
        defect: one sentence for a citizen, what the attacker did.
        step: number of the step that must notice.
        says: part of the sentence that must name the defect.
        exit_code: 1 a check failed, 3 could not check, 0 for the honest control.
        forge: makes the folder.
    """

    name: str
    defect: str
    step: int
    says: str
    exit_code: int
    forge: Callable[[], Forged]


ATTACKS: list[Attack] = []
Forger = Callable[[], Forged]


def _register(suffix: str, exit_code: int, step: int, says: str) -> Callable[[Forger], Forger]:
    def register(forge: Forger) -> Forger:
        defect = " ".join((forge.__doc__ or "").split())
        ATTACKS.append(Attack(f"{forge.__name__}_{suffix}", defect, step, says, exit_code, forge))
        return forge

    return register


def fails(step: int, says: str) -> Callable[[Forger], Forger]:
    """Register an attack that ends with exit code 1; its docstring is the sentence for citizens."""
    return _register("fail", 1, step, says)


def unchecked(step: int, says: str) -> Callable[[Forger], Forger]:
    """Register a case that ends with exit code 3: neither passed nor failed."""
    return _register("unchecked", 3, step, says)
