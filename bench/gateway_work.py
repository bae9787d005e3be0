"""What the gateways are asked and what must come back. Synthetic; standard library only.

Every question has a number, and its answer begins with that number, so that
an answer that went to somebody else, or came from a cache, is seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

MODEL = "stand-in"
PATH = "/v1/chat/completions"
N_TOKENS = 64
FIRST = "Answer"  # the token that comes before all others
DONE = b"data: [DONE]\n\n"

_SENTENCE = (
    "the water of the river is shared by the mills and the gardens below and each has its days as the"
    " assembly wrote them down in spring so that nobody has to ask twice and whoever opens a gate closes it"
    " again and says so at the house by the bridge where the list of the week hangs on the door"
)


class WrongAnswerError(Exception):
    """An answer is not what the stand-in said; nothing is measured with wrong answers."""


class RefusedError(WrongAnswerError):
    """The status of an answer is not 200."""


ABOUT = "who has the water of the river this week, and why?"


def question(number: int, *, stream: bool, about: str = ABOUT) -> bytes:
    """Return the body of one request."""
    asked = {"role": "user", "content": f"Question {number}: {about}"}
    rules = {"role": "system", "content": "You answer in one paragraph."}
    body: dict[str, object] = {"model": MODEL, "messages": [rules, asked], "max_tokens": 128, "temperature": 0.5}
    return json.dumps(body | ({"stream": True} if stream else {})).encode()


def number_of(content: str) -> int:
    """Return the number of a question, whatever a gateway has put before it."""
    return int(content.rpartition("Question ")[2].partition(":")[0])


def tokens(number: int) -> list[str]:
    """Return the answer to a question, token by token."""
    words = [FIRST, f" {number}:"] + [f" {word}" for word in _SENTENCE.split()]
    return [*words[: N_TOKENS - 1], " now."]


def text(number: int) -> str:
    """Return the answer to a question."""
    return "".join(tokens(number))


def is_answered(body: bytes) -> bool:
    """Say whether there is anything in a body of what the stand-in says, streamed or not."""
    return f'"{FIRST}'.encode() in body


def check_whole(body: bytes, number: int) -> None:
    """Stop unless an unstreamed answer is the right one."""
    try:
        said = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        raise WrongAnswerError(f"expected a chat completion, got {body[:300]!r}") from None
    if said != text(number):
        raise WrongAnswerError(f"question {number}: expected {text(number)[:60]!r} ..., got {str(said)[:300]!r}")


def check_stream(body: bytes, number: int) -> None:
    """Stop unless a streamed answer is the right one, and ends as it should."""
    events = [line[5:].strip() for line in body.splitlines() if line.startswith(b"data:")]
    if events.count(b"[DONE]") != 1:
        raise WrongAnswerError(f"expected one [DONE] in a stream, got {body[-300:]!r}")
    said = "".join(_pieces(json.loads(event) for event in events if event != b"[DONE]"))
    if said != text(number):
        raise WrongAnswerError(f"question {number}: expected {text(number)[:60]!r} ..., got {said[:300]!r}")


def _pieces(events: Iterable[dict[str, list[dict[str, dict[str, str | None]]]]]) -> Iterable[str]:
    for event in events:
        for choice in event.get("choices") or ():
            yield choice["delta"].get("content") or ""
