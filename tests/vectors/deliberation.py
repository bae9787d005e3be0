"""A small synthetic deliberation with fixed chance, for golden vectors: ballots, counts, labels and their records."""

from __future__ import annotations

import random
from hashlib import sha256

from auzolan.core.kinds.constitution import Constitution, Draft, LeftOut, Principle
from auzolan.core.kinds.selection import Selection
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.record import Record
from auzolan.deliberate.ballots import seal
from auzolan.deliberate.conversation import Cleaning, Conversation, Statement
from auzolan.deliberate.grouping import group_opinions
from auzolan.deliberate.pseudonyms import pseudonyms
from auzolan.deliberate.ratify.eligibility import opinion_groups
from auzolan.deliberate.ratify.outcome import outcome_of
from auzolan.deliberate.ratify.parameters import Parameters
from auzolan.deliberate.ratify.selection import select
from auzolan.deliberate.snapshot import snapshot_of, statements_bytes, successor
from auzolan.deliberate.tally import count, labels_bytes, tally_of
from auzolan.deliberate.votes import Rows, pack
from tests.town import ROOT_ID, sign

_SALT = bytes(range(32))  # of private blobs; the spine puts it before their content
_DATE = "2026-11-20"


def _conversation() -> Conversation:
    """Return forty invented voters of two habits of mind on twelve statements."""
    chance, name = random.Random(7), pseudonyms(sha256(b"golden key").digest(), "golden (synthetic)")
    rows, districts = Rows(), {}
    for voter in range(40):
        who = name(str(voter))
        districts[who] = "north" if chance.random() < 0.5 else "south"
        for statement in chance.sample(range(12), chance.randint(5, 12)):
            side = 1 if (statement % 2 == voter % 2) else -1
            rows.add(who, statement, chance.choice((side, side, side, 0, -side)))
    packing = pack(rows)
    return Conversation(
        tool="survey",
        layout="synthetic",
        table=packing.table,
        statements=tuple(
            Statement(number, f"Statement {number} (synthetic).", "out" if number == 11 else "in")
            for number in range(12)
        ),
        agree_sign=1,
        sign_evidence="synthetic",
        rows_read=len(rows),
        topic="Golden (synthetic)",
        strata={"district": districts},
        cleaning=(Cleaning("earlier votes replaced by later ones of the same participant", votes=packing.replaced),),
    )


def _private(data: bytes) -> str:
    return sha256(_SALT + data).hexdigest()


def deliberation() -> tuple[dict[str, bytes], dict[str, Envelope]]:
    """Return blobs by file name, and signed records by name."""
    conversation = _conversation()
    salts = b"".join(sha256(b"salt %d" % number).digest() for number in range(len(conversation.table.participants)))
    ballots = seal(conversation.table, conversation.strata, salts)
    left = ballots.without(ballots.table.participants[3:5])
    files = {
        "statements.json": statements_bytes(conversation.statements),
        "ballots": ballots.to_bytes(),
        "ballots-without-two": left.to_bytes(),
    }
    public = {"statements": sha256(files["statements.json"]).hexdigest()}
    snapshot = snapshot_of(
        conversation, ballots, name="golden (synthetic)", licence="CC0-1.0", identity="synthetic", imported_at=_DATE,
        privacy="auditors", commons=ROOT_ID, blobs={**public, "private.ballots": _private(files["ballots"])},
    )  # fmt: skip
    record = snapshot.to_record()
    after = successor(
        snapshot, record.id, left, {**public, "private.ballots": _private(files["ballots-without-two"])}, _DATE
    ).to_record()
    found = group_opinions(conversation.table, conversation.left_out_of_statistics, bytes.fromhex(record.id))
    counts = count(ballots, found.labels, found.n_groups, 3)
    files |= {"counts.json": counts.to_bytes(), "labels": labels_bytes(found.labels)}
    blobs = {"counts": sha256(files["counts.json"]).hexdigest(), "private.labels": _private(files["labels"])}
    tally = tally_of(record.id, counts, found, "silhouette", _DATE, blobs).to_record()
    by = Parameters(seats=3, support_ppm=200_000, group_least=50)
    groups = opinion_groups(ballots.table, found.labels, found.sizes)
    selected = select(ballots.table, groups, conversation.left_out_of_statistics, [(0, 2)], by)
    outcome = outcome_of(selected, counts, by, [(0, 2)], "before")
    selection = Selection(tally.id, ROOT_ID, _DATE, True, outcome).to_record()
    more, ratified = _ratified(selection, by)
    return files | more, {
        "snapshot-v1": sign(record),
        "successor": sign(after),
        "tally-v1": sign(tally),
        "selection-v1": sign(selection),
        **ratified,
    }


def _ratified(selection: Record, by: Parameters) -> tuple[dict[str, bytes], dict[str, Envelope]]:
    """Word what was selected and let forty more invented voters ratify it."""
    chosen = Selection.from_record(selection).outcome.articles
    principles = tuple(
        Principle(
            f"{number}.1", f"Statement {each.statement} (synthetic).", "en", Principle.VERBATIM, "",
            (each.statement,), Principle.SELECTED, {"eu": f"{each.statement}. esaldia (sintetikoa)."},
        )
        for number, each in enumerate(chosen[:-1], 1)
    )  # fmt: skip
    left_out = (LeftOut(chosen[-1].statement, "The other two say it (synthetic).", "golden editor"),)
    draft = Draft(selection.id, "Golden constitution (synthetic)", _DATE, principles, left_out).to_record()
    chance, rows = random.Random(8), Rows()
    name = pseudonyms(sha256(b"golden key").digest(), "golden vote (synthetic)")
    for voter in range(40):
        for statement in range(len(principles)):
            rows.add(name(str(voter)), statement, chance.choice((1, 1, 1, 0, -1)))
    texts = tuple(Statement(number, each.text, "in") for number, each in enumerate(principles))
    vote = Conversation("survey", "synthetic", pack(rows).table, texts, 1, "synthetic", len(rows))
    salts = b"".join(sha256(b"vote salt %d" % number).digest() for number in range(40))
    ballots = seal(vote.table, {}, salts)
    files = {"vote-statements.json": statements_bytes(texts), "vote-ballots": ballots.to_bytes()}
    public = {"statements": sha256(files["vote-statements.json"]).hexdigest()}
    snapshot = snapshot_of(
        vote, ballots, name="golden vote (synthetic)", licence="CC0-1.0", identity="synthetic", imported_at=_DATE,
        privacy="auditors", commons=ROOT_ID, blobs={**public, "private.ballots": _private(files["vote-ballots"])},
    ).to_record()  # fmt: skip
    found = group_opinions(vote.table)
    counts = count(ballots, found.labels, found.n_groups, 3)
    files |= {"vote-counts.json": counts.to_bytes(), "vote-labels": labels_bytes(found.labels)}
    blobs = {"counts": sha256(files["vote-counts.json"]).hexdigest(), "private.labels": _private(files["vote-labels"])}
    tally = tally_of(snapshot.id, counts, found, "silhouette", _DATE, blobs).to_record()
    groups = opinion_groups(vote.table, found.labels, found.sizes)
    outcome = outcome_of(select(vote.table, groups, frozenset(), [], by, final=True), counts, by, [], "before")
    voted = {each.number: number for number, each in enumerate(principles)}
    constitution = Constitution(
        draft.id, tally.id, ROOT_ID, "Golden constitution (synthetic)", _DATE, principles, voted, outcome
    ).to_record()
    named = {"vote": snapshot, "vote-tally": tally, "draft-v1": draft, "constitution-v1": constitution}
    return files, {name: sign(record) for name, record in named.items()}
