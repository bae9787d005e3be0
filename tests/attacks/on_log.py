"""Attacks on the log itself: checkpoint, tree, log key, witnesses, memory (steps 1, 2, 10, 11, 12)."""

from __future__ import annotations

from auzolan.core.record.checkpoint import TreeHead, bundle_bytes, bundle_path, checkpoint_text, tile_path
from auzolan.core.record.note import NoteSignature, cosign_note, sign_note
from auzolan.core.record.published import CHECKPOINT, COSIGNED
from tests.attacks.forge import (
    BUDGET,
    COSIGNED_AT,
    DAY,
    IMPOSTOR,
    ROOT,
    WITNESSED,
    Forged,
    Operator,
    document,
    fails,
    flip,
    note,
    opening,
    story,
    town_next,
    town_root,
    unchecked,
    witnessed,
)
from tests.town import CLINIC, LIBRARY, LOG, NOW, ORIGIN, SCHOOL, WITNESS, key, sign

TILE, BUNDLE = tile_path(0, 0, 5), bundle_path(0, 5)
SECOND_WITNESS = key("witness.example/second")


def rewritten() -> Operator:
    """Return another history of the town: the same rules, other minutes."""
    return Operator(sign(ROOT), sign(document("Minutes", "We never met.")), sign(town_next(ROOT.id)))


def aging() -> Operator:
    """Return a town whose rules want to be seen by a witness every week."""
    root = town_root(witnesses={**WITNESSED, "max_age_days": 7})
    return Operator(sign(root), sign(document(root=root)), sign(document("Budget", root=root)))


# 1. Checkpoint


@fails(1, "expected a decimal number without leading zeros")
def malformed_checkpoint() -> Forged:
    """The signed summary of the log was rewritten so that its number of entries is no proper number."""
    return story().publish().edit(CHECKPOINT, lambda data: data.replace(b"\n5\n", b"\n05\n"))


@fails(1, "of an empty log")
def empty_log() -> Forged:
    """The log's keeper serves a signed log with nothing in it, as if nothing had ever been decided."""
    operator = Operator()
    return operator.publish(witnessed(operator.head()))


@fails(1, "control character")
def control_character_in_checkpoint() -> Forged:
    """Somebody put a terminal command into the name of the log, to write on the screen of whoever checks it."""
    return story().publish().edit(CHECKPOINT, lambda data: b"\x1b[2J" + data)


@fails(1, "signatures, at most 128 are read")
def checkpoint_of_many_signatures() -> Forged:
    """Somebody hung hundreds of signature lines on the log's summary, to keep verifiers busy."""
    text = checkpoint_text(ORIGIN, story().head())
    line = sign_note(text, LOG)
    return story().publish(note(text, line, *[NoteSignature("busy", bytes(4), bytes(8))] * 200))


# 2. Tree


@fails(2, "expected 6 entries, got 5")
def checkpoint_size_raised() -> Forged:
    """The log's summary was changed to speak of six entries where there are five."""
    forged = story().publish().edit(CHECKPOINT, lambda data: data.replace(b"\n5\n", b"\n6\n"))
    return forged.move(TILE, tile_path(0, 0, 6)).move(BUNDLE, bundle_path(0, 6))


@fails(2, "expected 5 entries, got 4")
def truncated_log() -> Forged:
    """The last entry was cut off the log, so that the erasure that it reports seems never to have happened."""
    return story().publish().edit(TILE, lambda data: data[:-32]).edit(BUNDLE, lambda data: data[:-34])


@fails(2, "tile/0/000.p/5: hash 2 is not what the entries give")
def flipped_bundle() -> Forged:
    """One bit of one entry in the log's list of entries was changed."""
    return story().publish().edit(BUNDLE, lambda data: flip(data, 2 * 34 + 10))


@fails(2, "tile/0/000.p/5: hash 3 is not what the entries give")
def flipped_tile() -> Forged:
    """One bit of one hash in the log's tree was changed."""
    return story().publish().edit(TILE, lambda data: flip(data, 3 * 32 + 10))


@fails(2, "tile/0/000.p/5: hash 1 is not what the entries give")
def swapped_entries() -> Forged:
    """Two entries of the log changed places, so that a later decision seems to be the earlier one."""
    entries = story().entries
    return story().publish().edit(BUNDLE, lambda _: bundle_bytes([entries[i] for i in (0, 2, 1, 3, 4)]))


@fails(2, "the checkpoint says")
def root_of_other_entries() -> Forged:
    """The log's keeper signed the tree of another history than the one that is shown."""
    other = rewritten().log(sign(BUDGET, SCHOOL, CLINIC), sign(document("Loan"), SCHOOL, CLINIC))
    return story().publish(witnessed(other.head()))


# 10. Log key


@fails(10, "not signed by the log key in force")
def wrong_log_key() -> Forged:
    """Somebody else signed the log's summary, with another key that bears the log key's name."""
    false_key = type(LOG)(LOG.name, IMPOSTOR.seed)
    return story().publish(witnessed(story().head(), false_key))


@fails(10, "the checkpoint is of log 'auzolan/town-00000002'")
def wrong_origin() -> Forged:
    """The log's summary is signed for a log of another name than the town's."""
    return story().publish(witnessed(story().head(), origin="auzolan/town-00000002"))


@fails(10, "not signed by the log key in force")
def unsigned_checkpoint() -> Forged:
    """The log's own signature is missing; only a witness has signed."""
    text = checkpoint_text(ORIGIN, story().head())
    return story().publish(note(text, cosign_note(text, WITNESS, COSIGNED_AT)))


@fails(10, "the signature by town-log does not fit")
def log_cut_short() -> Forged:
    """The last entry was taken away and the tree and summary recomputed, but the old signature had to stay."""
    cut = opening().log(sign(BUDGET, SCHOOL, CLINIC))
    return cut.publish(_resigned_by_nobody(cut.head()))


@fails(10, "the signature by town-log does not fit")
def entry_appended() -> Forged:
    """Somebody without the log key added a properly signed record to the log and recomputed the tree."""
    longer = story().log(sign(document("Loan", "The town borrows a million.")))
    return longer.publish(_resigned_by_nobody(longer.head()))


def _resigned_by_nobody(head: TreeHead) -> bytes:
    """Return a checkpoint of `head` under the log's signature of the honest head."""
    return note(checkpoint_text(ORIGIN, head), sign_note(checkpoint_text(ORIGIN, story().head()), LOG))


@fails(10, "the signature by town-log does not fit")
def line_added_to_checkpoint() -> Forged:
    """Somebody wrote a further line into the log's signed summary."""
    return story().publish().edit(CHECKPOINT, lambda data: data.replace(b"\n\n", b"\nchecked by everybody\n\n", 1))


@fails(10, "the signature by town-log does not fit")
def second_log_signature_false() -> Forged:
    """A second, false signature in the log key's name stands beside the right one."""
    text = checkpoint_text(ORIGIN, story().head())
    right = sign_note(text, LOG)
    false = NoteSignature(right.name, right.key_id, sign_note("another text\n", LOG).blob)
    return story().publish(note(text, right, false, cosign_note(text, WITNESS, COSIGNED_AT)))


@fails(10, "not signed by the log key in force, new-log")
def replaced_log_key_signs() -> Forged:
    """The town replaced the key of its log, and whoever kept the old key goes on signing with it."""
    rules = town_next(ROOT.id, log={"origin": ORIGIN, "key": str(key("new-log").public)})
    return Operator(sign(ROOT), sign(rules), sign(document("After"), LIBRARY, CLINIC)).publish()


# 11. Witnesses


@fails(11, "the signature by witness.example/neighbour does not fit")
def bad_cosignature() -> Forged:
    """The time on a witness's signature was moved forward, so that an old view of the log seems fresh."""
    text = checkpoint_text(ORIGIN, story().head())
    old = cosign_note(text, WITNESS, NOW - 90 * DAY)
    moved = NoteSignature(old.name, old.key_id, COSIGNED_AT.to_bytes(8, "big") + old.blob[8:])
    return story().publish(note(text, sign_note(text, LOG), moved))


@fails(11, "the signature by witness.example/neighbour does not fit")
def cosignature_of_other_head() -> Forged:
    """A witness's signature on an earlier state of the log was copied onto the present one."""
    text = checkpoint_text(ORIGIN, story().head())
    copied = cosign_note(checkpoint_text(ORIGIN, story().head(3)), WITNESS, COSIGNED_AT)
    return story().publish(note(text, sign_note(text, LOG), copied))


@fails(11, "the cosignature by witness.example/neighbour has the wrong form")
def cosignature_cut() -> Forged:
    """A witness's signature was cut, so that it no longer says when the log was seen."""
    text = checkpoint_text(ORIGIN, story().head())
    whole = cosign_note(text, WITNESS, COSIGNED_AT)
    return story().publish(note(text, sign_note(text, LOG), NoteSignature(whole.name, whole.key_id, whole.blob[8:])))


@fails(11, "witnesses cosigned another history at size 3")
def cosigned_other_history() -> Forged:
    """The town's witness vouched for other minutes than those that are shown: the past was rewritten."""
    forged = story().publish()
    forged.files[COSIGNED] = witnessed(rewritten().head(), at=COSIGNED_AT - DAY)
    return forged


@fails(11, "cosigned: ")
def cosigned_garbage() -> Forged:
    """The file with the witnesses' older signatures was overwritten with rubbish."""
    forged = story().publish()
    forged.files[COSIGNED] = b"nobody saw anything\n"
    return forged


@unchecked(11, "not enough witnesses")
def too_few_witnesses() -> Forged:
    """No witness has signed this state of the log, so nobody vouches that all are shown the same."""
    text = checkpoint_text(ORIGIN, story().head())
    return story().publish(note(text, sign_note(text, LOG)))


@unchecked(11, "not enough witnesses")
def stranger_cosigns() -> Forged:
    """The witness's signature was replaced by one of a stranger with the same name, whom the rules do not know."""
    text = checkpoint_text(ORIGIN, story().head())
    stranger = type(WITNESS)(WITNESS.name, IMPOSTOR.seed)
    return story().publish(note(text, sign_note(text, LOG), cosign_note(text, stranger, COSIGNED_AT)))


@unchecked(11, "1 of 2 needed cosignatures")
def one_witness_signs_twice() -> Forged:
    """Two witnesses must vouch for the log; one of them signed twice."""
    keys = [str(WITNESS.witness_public), str(SECOND_WITNESS.witness_public)]
    root = town_root(witnesses={**WITNESSED, "keys": keys, "quorum": 2})
    operator = Operator(sign(root), sign(document(root=root)), sign(document("Budget", root=root)))
    text = checkpoint_text(ORIGIN, operator.head())
    twice = [cosign_note(text, WITNESS, COSIGNED_AT + late) for late in (0, 60)]
    return operator.publish(note(text, sign_note(text, LOG), *twice))


@unchecked(11, "stale: the newest cosignature is 30 days old, the rules allow 7")
def stale_cosignature() -> Forged:
    """The newest signature of a witness is a month old: what was decided since may have been left out."""
    return aging().publish(witnessed(aging().head(), at=NOW - 30 * DAY))


@unchecked(11, "stale: the newest cosignature is 30 days old, the rules allow 7")
def other_log_vouches() -> Forged:
    """A stale log is dressed up as fresh with a witness's new signature on the log of another town."""
    forged = aging().publish(witnessed(aging().head(), at=NOW - 30 * DAY))
    forged.files[COSIGNED] = witnessed(rewritten().head(), IMPOSTOR, "other.example/town")
    return forged


@unchecked(11, "in the future")
def future_cosignature() -> Forged:
    """A witness's signature bears a date that is still to come, so that it would seem fresh for long."""
    return story().publish(witnessed(story().head(), at=NOW + 36_500 * DAY))


@unchecked(11, "witnesses cosigned 5 entries, here are 3")
def older_than_cosigned() -> Forged:
    """The server shows an older state of the log than the one that the witness has signed already."""
    forged = opening().publish()
    forged.files[COSIGNED] = witnessed(story().head())
    return forged


# 12. Memory


@fails(12, "this machine saw another history at size 3")
def split_view() -> Forged:
    """The log shows this machine other minutes than those it showed before, with a witness in the plot."""
    forged = story().publish()
    forged.seen = rewritten().head()
    return forged


@fails(12, "this machine saw another history at size 5")
def last_entry_replaced() -> Forged:
    """The newest entry that this machine saw was exchanged for another, and everything signed anew."""
    forged = story().publish()
    forged.seen = opening().log(sign(BUDGET, SCHOOL, CLINIC), sign(document("Loan"), SCHOOL, CLINIC)).head()
    return forged


@unchecked(12, "this machine has seen 5 entries, here are 3")
def rolled_back() -> Forged:
    """The server shows an older state of the log than this machine has seen before."""
    forged = opening().publish()
    forged.seen = story().head()
    return forged


# What is not here cannot be checked


@unchecked(2, "tile/0/000.p/5: neither it nor the full tile is here")
def missing_tile() -> Forged:
    """A part of the log's tree is not served."""
    return story().publish().without(TILE)


@unchecked(2, "tile/entries/000.p/5: neither it nor the full tile is here")
def missing_bundle() -> Forged:
    """The log's list of entries is not served."""
    return story().publish().without(BUNDLE)


@unchecked(2, "tile/entries/000.p/6")
def entry_withheld() -> Forged:
    """The log's keeper signed six entries and shows five."""
    longer = story().log(sign(document("Loan", "The town borrows a million."), SCHOOL, CLINIC))
    return story().publish(witnessed(longer.head()))


@unchecked(1, "checkpoint: not found")
def missing_checkpoint() -> Forged:
    """The log's signed summary is not served."""
    return story().publish().without(CHECKPOINT)
