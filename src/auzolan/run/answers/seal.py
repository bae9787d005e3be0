"""Sealing an answer: its record, signed, in a few dozen microseconds.

The bytes are those of `Envelope(answer.to_record()).signed_by(key).canonical`;
tests compare the two on many answers. What does not change between answers is
put together once; the rest are numbers, digests and the rules that fired.

Why orjson may write them: RFC 8785 sorts keys by UTF-16 code units and escapes
as ECMAScript does. All keys here are ASCII, where that is the order of bytes.
orjson escapes what RFC 8785 escapes and nothing else (the five short forms,
quote, backslash, and \\u00xx in lower case for other controls); a test goes
through every code point. Numbers here are integers below 2**53.

Pure: the nonce and the time are arguments. Not here: keeping it (`log`), what
the user gets (`receipt`).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

import orjson

from auzolan.core.kinds.answer import TIME_STEP_S, Answer, Engine, Fired
from auzolan.core.record.canonical import MAX_INTEGER, JsonValue
from auzolan.core.record.envelope import PAYLOAD_TYPE
from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.core.record.keys import SigningKey
from auzolan.core.record.record import KIND_URI_PREFIX, STATEMENT_TYPE
from auzolan.run.answers.digests import messages_bytes, request_digest, response_digest

_TYPE = PAYLOAD_TYPE.encode()


class Sealed(NamedTuple):
    """A signed answer.

    Attributes:
        id: of its record, in hexadecimal.
        envelope: canonical bytes.
        nonce: opens the digests; for whoever asked, and kept nowhere.
        entry: SHA-256 of `envelope`: what the log holds.
    """

    id: str
    envelope: bytes
    nonce: bytes
    entry: bytes


class _Parts(NamedTuple):
    """What stands around the changing fields, for one choice of adapters."""

    loaded: bytes
    links: bytes


def asked_bytes(messages: JsonValue) -> bytes:
    """Return `messages_bytes`, quickly where each message holds nothing but texts under ASCII names.

    Raises:
        MalformedError: as `messages_bytes`.
    """
    if isinstance(messages, list) and all(map(_is_plain, messages)):
        try:
            return orjson.dumps(messages, option=orjson.OPT_SORT_KEYS)
        except TypeError:  # a lone surrogate; the slow way says so better
            return messages_bytes(messages)
    return messages_bytes(messages)


def _is_plain(message: JsonValue) -> bool:
    if type(message) is not dict:
        return False
    return all(type(key) is str and key.isascii() and type(text) is str for key, text in message.items())


class Sealer:
    """Seals the answers of one service, as long as nothing of the following changes; then another one is made.

    Args:
        service: id of the service's record.
        constitution: id of the one in force for it.
        rules: id of the runtime policy.
        engine: what runs the model.
        loaded: "weights", "tokenizer", "chat_template", "config" -> digest of what was loaded; without adapters.
        adapters: id of each adapter that can take part -> digest of what was loaded, "" where it is not known.
        integrity: "verified", "claimed" or "unverified".
        overrides: safeguards that are turned off.
        key: the runtime's.

    Raises:
        MalformedError: this could not stand in an answer's record.
    """

    def __init__(
        self,
        *,
        service: str,
        constitution: str,
        rules: str,
        engine: Engine,
        loaded: Mapping[str, str],
        adapters: Mapping[str, str],
        integrity: str,
        overrides: Sequence[str],
        key: SigningKey,
    ) -> None:
        self._ids = {Answer.SERVICE: service, Answer.CONSTITUTION: constitution, Answer.RULES: rules}
        self._loaded = dict(loaded)
        self._adapters = dict(adapters)
        self._parts: dict[tuple[str, ...], _Parts] = {}
        self._key = key
        self._check(engine, integrity, tuple(overrides))
        # The names of a record's fields in the order of RFC 8785, all of them ASCII.
        self._after_time = b',"engine":' + _json(engine.to_json()) + b',"fired":'
        self._after_fired = b',"integrity":' + _json(integrity) + b',"loaded":'
        self._overrides = b',"overrides":' + _json([*overrides]) + b',"request":"'
        self._to_links = b'"},"kind":' + _json(Answer.KIND) + b',"links":'
        self._statement = b'{"_type":' + _json(STATEMENT_TYPE) + b',"predicate":'
        kind = _json(KIND_URI_PREFIX + Answer.KIND)
        self._to_subject = b',"predicateType":' + kind + b',"subject":[{"digest":{"sha256":"'
        end = b'","payloadType":' + _json(PAYLOAD_TYPE) + b',"signatures":[{"keyid":"'
        self._to_signature = end + key.public.keyid.encode() + b'","sig":"'
        self._outcomes = {outcome: b',"outcome":' + _json(outcome) for outcome in Answer.OUTCOMES}

    def _check(self, engine: Engine, integrity: str, overrides: tuple[str, ...]) -> None:
        """Let the record's own reader refuse what is wrong, once and not at every answer."""
        places = enumerate(self._adapters.values(), 1)
        digests = {f"{Answer.ADAPTER}{place}": digest for place, digest in places if digest}
        answer = Answer(
            service=self._ids[Answer.SERVICE],
            constitution=self._ids[Answer.CONSTITUTION],
            rules=self._ids[Answer.RULES],
            adapters=tuple(self._adapters),
            answered_at=0,
            request="0" * 64,
            response="0" * 64,
            outcome=Answer.OUTCOMES[0],
            fired=(),
            integrity=integrity,
            loaded=self._loaded | digests,
            engine=engine,
            log_size=0,
            log_age_s=None,
            overrides=overrides,
        )
        if Answer.from_record(answer.to_record()) != answer or not all(name.isascii() for name in self._loaded):
            raise MalformedError(
                "answer: what stays the same in all of them has not the form that their record demands"
            )

    def seal(
        self,
        nonce: bytes,
        asked: bytes,
        text: str,
        *,
        outcome: str,
        fired: Sequence[Fired],
        adapters: tuple[str, ...],
        log_size: int,
        cosigned_at: int | None,
        now: int,
    ) -> Sealed:
        """Return the signed answer.

        Args:
            nonce: 32 random bytes, never used before.
            asked: `asked_bytes` of the messages as the client sent them.
            text: what was really sent back.
            outcome: one of `Answer.OUTCOMES`.
            fired: the rules that matched, in their order.
            adapters: ids of those that took part, in their order.
            log_size: entries of the community's log that the runtime knows.
            cosigned_at: POSIX seconds of the newest cosignature of it, or None.
            now: POSIX seconds. Only the ten minutes in which it lies reach the record.

        Raises:
            UsageError: an adapter that was not named when this was made.
            MalformedError: something that cannot stand in an answer's record.
        """
        parts = self._parts.get(adapters) or self._prepare(adapters)
        answered_at = now - now % TIME_STEP_S
        # From the rounded time: from `now`, the age would turn over at another second
        # than the time does, and the two together would tell more than ten minutes.
        age = b"null" if cosigned_at is None else b"%d" % _age(answered_at, cosigned_at)
        if not 0 <= log_size <= MAX_INTEGER or not 0 <= now <= MAX_INTEGER or outcome not in self._outcomes:
            raise MalformedError(f"answer: the outcome {outcome!r}, the log's size or the time cannot be")
        record = b"".join(
            (
                b'{"blobs":{},"body":{"answered_at":%d' % answered_at,
                self._after_time,
                _fired_json(fired) if fired else b"[]",
                self._after_fired,
                parts.loaded,
                b',"log_age_s":%b,"log_size":%d' % (age, log_size),
                self._outcomes[outcome],
                self._overrides,
                request_digest(nonce, asked).encode(),
                b'","response":"',
                response_digest(nonce, text).encode(),
                self._to_links,
                parts.links,
            )
        )
        return self._sign(record, nonce)

    def _prepare(self, adapters: tuple[str, ...]) -> _Parts:
        if unknown := [each for each in adapters if each not in self._adapters]:
            raise UsageError(f"adapter {unknown[0][:16]}… is not one of those that this service loaded")
        if len(set(adapters)) != len(adapters):
            raise UsageError("an adapter can take part in an answer once only")
        places = list(enumerate(adapters, 1))
        digests = {f"{Answer.ADAPTER}{place}": self._adapters[each] for place, each in places if self._adapters[each]}
        links = {f"{Answer.ADAPTER}{place}": each for place, each in places}
        parts = _Parts(_json({**self._loaded, **digests}), _json({**self._ids, **links}) + b"}")
        if len(self._parts) < 64:  # bounded, whatever is asked for
            self._parts[adapters] = parts
        return parts

    def _sign(self, record: bytes, nonce: bytes) -> Sealed:
        name = sha256(record).hexdigest()
        statement = b"".join((self._statement, record, self._to_subject, name.encode(), b'"},"name":"record"}]}'))
        signature = self._key.sign(b"DSSEv1 %d %b %d %b" % (len(_TYPE), _TYPE, len(statement), statement))
        parts = (b'{"payload":"', b64encode(statement), self._to_signature, b64encode(signature), b'"}]}')
        envelope = b"".join(parts)
        return Sealed(name, envelope, nonce, sha256(envelope).digest())


def _age(answered_at: int, cosigned_at: int) -> int:
    age = max(0, answered_at - cosigned_at)
    return age - age % TIME_STEP_S


def _fired_json(fired: Sequence[Fired]) -> bytes:
    rows = [{"article": each.article, "effect": each.effect, "rule": each.rule} for each in fired]
    if not all(row["rule"] and row["effect"] in Answer.EFFECTS for row in rows):
        raise MalformedError("answer: a rule that fired needs a name and an effect")
    return _json(rows)


def _json(value: str | Sequence[object] | Mapping[str, object]) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise MalformedError(f"answer: cannot be written as JSON ({error})") from None
