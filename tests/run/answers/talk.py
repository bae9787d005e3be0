"""A synthetic town that talks to its service for a day, and all that the administrator of the log gets to see of it.

Conversations follow each other's turns within a minute or two and run side by
side. Openings and what follows them come from short lists that the
administrator knows. A topic lets a rule fire in most turns of a conversation.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from auzolan.core.kinds.answer import TIME_STEP_S, Fired
from auzolan.core.record.canonical import JsonValue
from auzolan.run.answers.journal import Journal
from auzolan.run.answers.log import AnswerLog
from auzolan.run.answers.places import Places
from auzolan.run.answers.seal import asked_bytes
from tests.memory_files import MemoryFiles
from tests.run.answers.world import ADAPTER_IDS, NOW, ORIGIN, RUNTIME, SEALER
from tests.town import MemoryGuard

START = NOW // 86_400 * 86_400
N_PEOPLE, N_CONVERSATIONS, N_TOPICS = 3_000, 1_600, 4
OPENINGS = tuple(f"Opening {number}: when is the office open?" for number in range(60))
MORE = tuple(f"And {number}?" for number in range(5))


def reply(messages: list[JsonValue]) -> str:
    """Return the one answer that the model gives to these messages."""
    return f"Answer {len(json.dumps(messages))}"


@dataclass(frozen=True)
class Turn:
    """One request: by whom, when, what."""

    person: int
    at: int
    messages: list[JsonValue]
    fired: tuple[Fired, ...]


@dataclass(frozen=True)
class Seen:
    """One answer as the administrator sees it; the first three are for whoever judges the attack, and unseen.

    Attributes:
        person: who asked.
        arrived: place in the order of arrival.
        exactly_at: second in which it was given.
        position: in the log.
        batch: number of the batch that it came in.
        at: the time in its record.
        loud: all other fields that two answers can share: rules, outcome, adapters, engine, the log's view.
        bits: request digest, response digest, id, signature.
    """

    person: int
    arrived: int
    exactly_at: int
    position: int
    batch: int
    at: int
    loud: str
    request: str
    bits: tuple[bytes, bytes, bytes, bytes]


def turns(chance: Random) -> list[Turn]:
    """Return a day's requests in the order in which they came."""
    found = []
    for _ in range(N_CONVERSATIONS):
        person, topic = chance.randrange(N_PEOPLE), chance.randrange(N_TOPICS)
        at = START + 6 * 3_600 + chance.randrange(14 * 3_600)
        messages: list[JsonValue] = [{"role": "user", "content": chance.choice(OPENINGS)}]
        while True:
            fires = topic and chance.random() < 0.8
            fired = (Fired(f"topic-{topic}", "warn", "2.1"),) if fires else ()
            found.append(Turn(person, at, messages, fired))
            if chance.random() < 0.25:
                break
            at += 15 + int(chance.expovariate(1 / 75))
            said: JsonValue = {"role": "assistant", "content": reply(messages)}
            messages = [*messages, said, {"role": "user", "content": chance.choice(MORE)}]
    return sorted(found, key=lambda turn: turn.at)


def day(folder: Path, seed: int, salted: bool = True) -> list[Seen]:
    """Run a day through the sealer and the log; return what is seen, in the log's order.

    Args:
        folder: for the journal.
        seed: of everything that is left to chance.
        salted: whether each answer has its own nonce.
    """
    chance = Random(seed)
    log = AnswerLog(
        MemoryFiles(), Journal(folder / f"{seed}-{salted}"), Places(None), RUNTIME, ORIGIN, MemoryGuard(),
        chance.shuffle,
    )  # fmt: skip
    asked = turns(chance)
    arrived: dict[bytes, int] = {}
    sizes = [0]
    for place, turn in enumerate(asked):
        nonce = chance.randbytes(32) if salted else bytes(32)
        sealed = SEALER.seal(
            nonce, asked_bytes(turn.messages), reply(turn.messages), outcome="answered", fired=turn.fired,
            adapters=ADAPTER_IDS, log_size=20, cosigned_at=START - 1_000, now=turn.at,
        )  # fmt: skip
        log.append(sealed)
        arrived[bytes.fromhex(sealed.id)] = place
        if place + 1 == len(asked) or asked[place + 1].at // TIME_STEP_S != turn.at // TIME_STEP_S:
            sizes.append(log.batch().size)
    found, batch = [], 0
    frames = [frame for _, page in log._pages(0, log.head.size) for frame in page]
    for position, frame in enumerate(frames):
        batch += position >= sizes[batch + 1]
        place = arrived[frame.id]
        found.append(_seen(frame.envelope, position, batch, place, asked[place]))
    log._journal.close()
    log._places.close()
    return found


def _seen(envelope: bytes, position: int, batch: int, arrived: int, turn: Turn) -> Seen:
    outer = json.loads(envelope)
    statement = json.loads(base64.b64decode(outer["payload"]))
    body = statement["predicate"]["body"]
    request, response, at = (body.pop(name) for name in ("request", "response", "answered_at"))
    identity = statement["subject"][0]["digest"]["sha256"]
    signature = base64.b64decode(outer["signatures"][0]["sig"])
    bits = (bytes.fromhex(request), bytes.fromhex(response), bytes.fromhex(identity), signature)
    loud = json.dumps([body, statement["predicate"]["links"]], sort_keys=True)
    return Seen(turn.person, arrived, turn.at, position, batch, at, loud, request, bits)


def in_order(seen: list[Seen]) -> list[Seen]:
    """Return what would be seen if a batch kept the order of arrival."""
    return [replace(each, position=each.arrived) for each in seen]


def to_the_second(seen: list[Seen]) -> list[Seen]:
    """Return what would be seen if records held the second, in order of arrival."""
    return [replace(each, position=each.arrived, batch=each.arrived, at=each.exactly_at) for each in seen]
