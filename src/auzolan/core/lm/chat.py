"""The bytes of the chat API that OpenAI defined and vLLM, llama.cpp and Ollama speak.

Pure: no network here. What comes from a server is not trusted: it gives a
completion, or one error that says what was wrong with its shape and repeats
nothing of it. Servers send floats and keys of their own, so this reader is
laxer than that of records.

Reference: https://platform.openai.com/docs/api-reference/chat (without
streaming, tools and log-probabilities).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from auzolan.core.lm.generate import Completion, Request
from auzolan.core.record.canonical import MAX_INTEGER, JsonObject, JsonValue
from auzolan.core.record.errors import MalformedError

OWN_KEYS = frozenset({"model", "messages", "max_tokens", "temperature", "top_p", "seed", "stop", "stream", "n"})
_MAX_NAME = 200
_MAX_EXCERPT = 200
_FINISH = re.compile(r"[a-z_]{1,40}")
_SURROGATE = re.compile("[\ud800-\udfff]")


def chat_body(request: Request, model: str, extra: Mapping[str, JsonValue]) -> bytes:
    """Return the body that asks `model` to continue the conversation; `extra` is added as it is."""
    decoding = request.decoding
    settings: dict[str, float] = {
        "temperature": decoding.temperature_milli / 1000,
        "top_p": decoding.top_p_milli / 1000,
    }
    fields: JsonObject = {
        "model": model,
        "messages": [{"role": message.role, "content": message.text} for message in request.messages],
        "max_tokens": decoding.max_tokens,
        "seed": decoding.seed,
        "stream": False,
    }
    if decoding.stop:
        fields["stop"] = list(decoding.stop)
    return json.dumps({**extra, **fields, **settings}, ensure_ascii=False, separators=(",", ":")).encode()


def read_answer(data: bytes, request: Request) -> Completion:
    """Read a server's answer to `request`.

    Text that is no valid Unicode (half of a character that was cut in two) is
    replaced by U+FFFD, as any reader of UTF-8 would.

    Raises:
        MalformedError: it is no answer.
    """
    fields = _object(_parse(data), "the answer")
    choices = fields.get("choices")
    if not isinstance(choices, list) or not choices:
        raise MalformedError("expected the answer to have a list of choices")
    choice = _object(choices[0], "choice 1")
    message = _object(choice.get("message"), "message")
    text = message.get("content")
    if text is None:  # servers say so where the model wrote nothing but reasoning before it was cut
        text = ""
    if not isinstance(text, str):
        raise MalformedError("expected the message's content to be text")
    finish = choice.get("finish_reason")
    usage = fields.get("usage")
    counts: dict[object, object] = usage if isinstance(usage, dict) else {}
    model = fields.get("model")
    return Completion(
        request_id=request.id,
        text=_valid(text),
        finish=finish if isinstance(finish, str) and _FINISH.fullmatch(finish) else "other",
        prompt_tokens=_count(counts.get("prompt_tokens")),
        completion_tokens=_count(counts.get("completion_tokens")),
        model=_valid(model)[:_MAX_NAME] if isinstance(model, str) else "",
    )


def _parse(data: bytes) -> object:
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError):  # not JSON, not Unicode, a number of too many digits, nested too deep
        raise MalformedError("expected the answer to be JSON") from None
    return value


def _object(value: object, what: str) -> dict[object, object]:
    if not isinstance(value, dict):
        raise MalformedError(f"expected {what} to be an object")
    return value


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_INTEGER:
        return None
    return value


def _valid(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)


def read_complaint(data: bytes) -> str:
    """Return what a server says is wrong, in at most 200 printable characters; "" where it does not say."""
    try:
        value = _parse(data)
    except MalformedError:
        value = data[: 4 * _MAX_EXCERPT].decode("utf-8", "replace")
    if isinstance(value, dict):
        value = value.get("error", value)
    if isinstance(value, dict):
        value = value.get("message") or value.get("detail")
    if not isinstance(value, str):
        return ""
    printable = "".join(c if c.isprintable() else " " for c in _valid(value[: 4 * _MAX_EXCERPT]))
    return " ".join(printable.split())[:_MAX_EXCERPT]
