from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auzolan.core.record.errors import MalformedError, UsageError, VerificationError
from auzolan.core.record.keys import PublicKey, SigningKey
from auzolan.core.record.merkle import MAX_SIZE
from auzolan.core.record.note import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Note,
    NoteSignature,
    cosign_note,
    read_note,
    read_signature_line,
    sign_note,
    verify_note,
)
from tests.strategies import flipped, note_texts, signature_lines, signed_notes, times
from tests.town import LIBRARY, LOG, NOW, SCHOOL, WITNESS

TEXT = "town.example\n5\nnot a root\n"
DASH = "\u2014"


def signed(text: str = TEXT) -> Note:
    return Note(text, (sign_note(text, LOG),))


@given(signed_notes())
def test_a_note_survives_its_bytes(note: Note) -> None:
    again = read_note(note.to_bytes())

    assert note == again
    assert note.to_bytes() == again.to_bytes()


@given(signed_notes())
def test_what_was_signed_verifies(note: Note) -> None:
    verified = verify_note(note, [LOG.public, WITNESS.witness_public])

    assert LOG.public == verified[0].key
    assert verified[0].time is None
    assert all(each.time is not None for each in verified[1:])


@settings(max_examples=200)
@given(signed_notes(), st.data())
def test_any_changed_bit_is_refused_or_leaves_fewer_signatures(note: Note, data: st.DataObject) -> None:
    keys = [LOG.public, WITNESS.witness_public]
    whole = Note(note.text, tuple(line for line in note.signatures if line.name in (LOG.name, WITNESS.name)))
    before = verify_note(whole, keys)
    bit = data.draw(st.integers(0, 8 * len(whole.to_bytes()) - 1))
    try:
        other = read_note(flipped(whole.to_bytes(), bit))
        after = verify_note(other, keys)
    except (MalformedError, VerificationError):
        return

    assert len(after) < len(before)
    assert not after or other.text == whole.text


@given(note_texts(), times())
def test_a_cosignature_carries_its_time(text: str, time: int) -> None:
    line = cosign_note(text, WITNESS, time)
    (verified,) = verify_note(Note(text, (line,)), [WITNESS.witness_public])

    assert (WITNESS.witness_public, time) == verified


@given(note_texts(), times(), st.integers(0, 63))
def test_a_cosignature_with_another_time_is_refused(text: str, time: int, bit: int) -> None:
    line = cosign_note(text, WITNESS, time)
    other = line._replace(blob=flipped(line.blob, bit))

    with pytest.raises(VerificationError):
        verify_note(Note(text, (other,)), [WITNESS.witness_public])


@given(signature_lines())
def test_a_signature_line_survives_its_text(line: NoteSignature) -> None:
    assert line == read_signature_line(str(line).removesuffix("\n"))


def signature(name: str = "somebody", blob: bytes = bytes(64)) -> str:
    return str(NoteSignature(name, b"\x01\x02\x03\x04", blob))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected text, a blank line"),
        (b"\n", "expected text, a blank line"),
        (b"\n\n", "expected text, a blank line"),
        (b"text\n", "expected text, a blank line"),
        (b"text\n\n", "the last line does not end"),
        (b"text\n\n\n", "the last line does not end"),
        (f"\n\n{signature()}".encode(), "expected text, a blank line"),
        (f"text\n{signature()}".encode(), "expected text, a blank line"),
        (f"text\n\n{signature()}".encode()[:-1], "the last line does not end"),
        (f"text\n\n{signature()}\n".encode(), "the last line does not end"),
        (f"text\n\n{signature()} ".encode(), "the last line does not end"),
        (f"text\n\n{signature()}trailing\n".encode(), "is not '— name base64'"),
        (f"text\r\n\r\n{signature()}".encode(), "control character"),
        (f"text\n\n{signature()[:-1]}\r\n".encode(), "control character"),
        (f"te\x00xt\n\n{signature()}".encode(), "control character"),
        (f"te\x1b[31mxt\n\n{signature()}".encode(), "control character"),
        (f"te\txt\n\n{signature()}".encode(), "control character"),
        (b"\xff\n\n" + signature().encode(), "not UTF-8"),
        (b"\xed\xa0\x80\n\n" + signature().encode(), "not UTF-8"),
        (f"text\n\n- somebody {'A' * 88}\n".encode(), "is not '— name base64'"),
        (f"text\n\n{DASH}somebody {'A' * 88}\n".encode(), "is not '— name base64'"),
        (f"text\n\n{DASH}\u00a0somebody {'A' * 88}\n".encode(), "is not '— name base64'"),
        (f"text\n\n{DASH} {'A' * 88}\n".encode(), "is not '— name base64'"),
        (f"text\n\n{DASH}  {'A' * 88}\n".encode(), "key name"),
        (f"text\n\n{DASH} some body {'A' * 88}\n".encode(), "is not '— name base64'"),
        (f"text\n\n{DASH} somebody  {'A' * 88}\n".encode(), "is not '— name base64'"),
        (f"text\n\n{DASH} somebody {'A' * 88} \n".encode(), "is not '— name base64'"),
        (f"text\n\n{DASH} some+body {'A' * 88}\n".encode(), "key name"),
        (f"text\n\n{DASH} some\u202ebody {'A' * 88}\n".encode(), "key name"),
        (f"text\n\n{DASH} some\u2028body {'A' * 88}\n".encode(), "key name"),
        (f"text\n\n{DASH} somebody AAA\n".encode(), "base64"),
        (f"text\n\n{DASH} somebody AB==\n".encode(), "stray bits"),
        (f"text\n\n{DASH} somebody \n".encode(), "too short"),
        (f"text\n\n{DASH} somebody {base64.b64encode(bytes(4)).decode()}\n".encode(), "too short"),
        (f"text\n\n{DASH} {DASH} somebody {'A' * 88}\n".encode(), "is not '— name base64'"),
    ],
)
def test_a_note_of_another_form_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read_note(data)


@pytest.mark.parametrize(
    "text",
    [
        "a\n",
        "a\n\nb\n",
        "a\n\n",
        "\n\n",
        " \n",
        f"{DASH} a b\n",
        f"a\n\n{DASH} a b\n\nc\n",
        "a\u2028b\n",
        "a\x85\x7f\n",
    ],
)
def test_only_newlines_divide_a_note_and_the_last_blank_line_ends_its_text(text: str) -> None:
    note = read_note(text.encode() + b"\n" + signature().encode())

    assert text == note.text
    assert len(note.signatures) == 1


def test_a_note_larger_than_the_limit_is_refused() -> None:
    with pytest.raises(MalformedError, match="at most 1,000,000 are read"):
        read_note(b"a" * (MAX_NOTE_BYTES + 1))


def test_more_signatures_than_the_limit_are_refused() -> None:
    lines = [signature(f"s{number}") for number in range(MAX_SIGNATURES + 1)]

    assert len(read_note(("text\n\n" + "".join(lines[:-1])).encode()).signatures) == MAX_SIGNATURES
    with pytest.raises(MalformedError, match="129 signatures, at most 128 are read"):
        read_note(("text\n\n" + "".join(lines)).encode())


def test_a_bad_signature_by_a_known_key_rejects_the_whole_note() -> None:
    bad = sign_note("another text\n", LIBRARY)

    with pytest.raises(VerificationError, match="the signature by library-desk does not fit"):
        verify_note(signed().with_signature(bad), [LOG.public, LIBRARY.public])


def test_a_signature_by_an_unknown_key_is_ignored() -> None:
    """Also where it shares a known key's name or its id, but not both."""
    same_name = NoteSignature(LOG.name, b"\x00\x00\x00\x00", bytes(64))
    same_id = NoteSignature("somebody", LOG.public.note_id, bytes(64))
    note = Note(TEXT, (same_name, same_id, *signed().signatures))

    assert [LOG.public] == [each.key for each in verify_note(note, [LOG.public])]


def test_without_a_known_key_nothing_is_verified() -> None:
    assert verify_note(signed(), [SCHOOL.public]) == []
    assert verify_note(signed(), []) == []


def test_one_key_counts_once_however_often_it_signs() -> None:
    lines = (*signed().signatures, *signed().signatures)
    cosigned = tuple(cosign_note(TEXT, WITNESS, NOW + second) for second in range(3))

    assert len(verify_note(Note(TEXT, lines), [LOG.public])) == 1
    assert len(verify_note(Note(TEXT, cosigned), [WITNESS.witness_public])) == 1


def test_a_signature_of_one_type_never_passes_for_the_other() -> None:
    """The log's own signature is no cosignature, and a cosignature is no signature by the log."""
    plain = NoteSignature(LOG.name, LOG.witness_public.note_id, LOG.sign(TEXT.encode()))
    timed = NoteSignature(LOG.name, LOG.public.note_id, cosign_note(TEXT, LOG, NOW).blob)

    with pytest.raises(VerificationError, match="has the wrong form"):
        verify_note(Note(TEXT, (plain,)), [LOG.witness_public])
    with pytest.raises(VerificationError, match="does not fit"):
        verify_note(Note(TEXT, (timed,)), [LOG.public])
    with pytest.raises(VerificationError, match="does not fit"):
        verify_note(Note(TEXT, (plain._replace(blob=bytes(8) + plain.blob),)), [LOG.witness_public])


@pytest.mark.parametrize("blob", [b"x", bytes(64), bytes(71), bytes(73), b"\x80" + bytes(71), b"\xff" * 72])
def test_a_cosignature_of_another_length_or_after_2_to_the_63_is_refused(blob: bytes) -> None:
    line = NoteSignature(WITNESS.name, WITNESS.witness_public.note_id, blob)

    with pytest.raises(VerificationError, match="has the wrong form"):
        verify_note(Note(TEXT, (line,)), [WITNESS.witness_public])


@pytest.mark.parametrize("time", [-1, MAX_SIZE + 1, 2**64, 10**30])
def test_a_time_that_a_cosignature_cannot_carry_is_refused_before_signing(time: int) -> None:
    with pytest.raises(UsageError, match="time"):
        cosign_note(TEXT, WITNESS, time)


def test_a_new_signature_replaces_the_old_one_of_the_same_key() -> None:
    first = signed().with_signature(cosign_note(TEXT, WITNESS, NOW))
    second = first.with_signature(cosign_note(TEXT, WITNESS, NOW + 5))

    assert len(first.signatures) == len(second.signatures) == 2
    assert [None, NOW + 5] == [each.time for each in verify_note(second, [LOG.public, WITNESS.witness_public])]


def test_a_key_renamed_is_another_key() -> None:
    """The name is hashed into the id, so that a signature cannot be passed on under another name."""
    renamed = SigningKey("another-log", LOG.seed)
    line = signed().signatures[0]

    assert verify_note(signed(), [renamed.public]) == []
    with pytest.raises(VerificationError, match="does not fit"):
        verify_note(
            Note("other\n", (line._replace(name=renamed.name, key_id=renamed.public.note_id),)), [renamed.public]
        )


def test_an_error_names_what_was_read() -> None:
    with pytest.raises(MalformedError, match=r"^cosigned: "):
        read_note(b"", "cosigned")


def test_keys_of_both_types_can_be_asked_for_together() -> None:
    keys: list[PublicKey] = [LOG.public, LOG.witness_public]
    note = signed().with_signature(cosign_note(TEXT, LOG, NOW))

    assert keys == [each.key for each in verify_note(note, keys)]
