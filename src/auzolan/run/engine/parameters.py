"""What a client may ask: the fields of a chat completion that are let through, read strictly and written anew.

An allow-list. What steers the engine itself (`lora`, `grammar`, `logit_bias`,
`id_slot` ...) and what is not known is refused by name: a client must not
choose other adapters, another prompt or another way of sampling than the
service's, and must not believe that it did. A few fields that common clients
send and that change nothing here are dropped (`DROPPED`); `user` is one of
them, and is neither kept nor logged. A field that is null counts as not there.

The client's object never goes on to the engine: `to_upstream` writes a new one
from what was read. The service's system prompt stands first, and no other
message bears that role: a client's own system messages are quoted before the
user's first words, or refused (`Limits.client_system`).

Does not check: what texts say, and marks of the chat template inside of them
(`auzolan.run.checks`), which llama.cpp would otherwise take for its own.
Follows OpenAI's reference of chat completions; as in every server of that
form, a forged history of a conversation cannot be told from a true one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from auzolan.run.engine.field_values import (
    ParameterError,
    Wire,
    WireObject,
    read_fields,
    read_flag,
    read_integer,
    read_list,
    read_number,
    read_text,
    show,
)
from auzolan.run.engine.tool_fields import (
    choice_to_json,
    name_of,
    read_call_id,
    read_calls,
    read_choice,
    read_format,
    read_tools,
    texts_of,
    with_texts,
)

MAX_MESSAGES = 512
MAX_PARTS = 256
MAX_CHARACTERS = 1_000_000
MAX_STOPS = 4
MAX_TOKENS = 1_000_000
QUOTED, REFUSED = "quoted", "refused"
SYSTEM = frozenset({"system", "developer"})
ROLES = SYSTEM | {"user", "assistant", "tool"}

_RANGES = {
    "temperature": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "presence_penalty": (-2.0, 2.0),
    "frequency_penalty": (-2.0, 2.0),
}
READ = frozenset(_RANGES) | {
    "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "stop", "seed", "n",
    "response_format", "tools", "tool_choice", "logprobs",
}  # fmt: skip
DROPPED = frozenset({
    "user", "metadata", "store", "parallel_tool_calls", "service_tier", "safety_identifier", "prompt_cache_key",
    "prompt_cache_retention", "reasoning_effort", "verbosity",
})  # fmt: skip
_OF_MESSAGES = frozenset({
    "role", "content", "tool_calls", "tool_call_id", "name", "id", "refusal", "annotations", "reasoning_content",
})  # fmt: skip


class Message(NamedTuple):
    """One turn.

    Attributes:
        role: one of `ROLES`.
        text: parts of a message are joined by line breaks.
        calls: of tools, by the assistant.
        answers: id of the call that a tool answers.
    """

    role: str
    text: str
    calls: tuple[WireObject, ...] = ()
    answers: str = ""


@dataclass(frozen=True)
class Limits:
    """What a service allows.

    Attributes:
        max_tokens: of an answer; a client who asks for more gets these.
        client_system: what becomes of a client's system and developer messages: "quoted" or "refused".
    """

    max_tokens: int = 1024
    client_system: str = QUOTED


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat completion that was asked for; all of it has been checked for form.

    Attributes:
        model: as the client named it.
        messages: at least one; the last is by "user" or "tool".
        stream: whether the answer comes in pieces.
        usage: whether a stream ends with counts of tokens.
        max_tokens: None where the client named none.
        stop: texts at which the answer ends.
        numbers: temperature, top_p, penalties and seed, those that were named.
        format: `response_format`, None for plain text.
        tools: offered to the model.
        choice: of tools: "", "none", "auto", "required", or "name:" and a name.
    """

    model: str
    messages: tuple[Message, ...]
    stream: bool = False
    usage: bool = False
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    format: WireObject | None = None
    tools: tuple[WireObject, ...] = ()
    choice: str = ""

    @property
    def tool_names(self) -> tuple[str, ...]:
        """Return the names of the tools that it offers."""
        return tuple(name_of(tool) for tool in self.tools)

    def texts(self) -> Iterator[str]:
        """Yield every text of the client's that the model would read, for the checks: not only the messages."""
        for message in self.messages:
            yield message.text
            if message.answers:
                yield message.answers
            if message.calls:
                yield from texts_of(list(message.calls))
        if self.tools:
            yield from texts_of(list(self.tools))
        if self.format:
            yield from texts_of(self.format)

    def with_texts(self, change: Callable[[str], str]) -> ChatRequest:
        """Return a copy in which every text that `texts` yields was changed, such as cleaned of a template's marks."""

        def changed(objects: tuple[WireObject, ...]) -> tuple[WireObject, ...]:
            return tuple(each for each in (with_texts(item, change) for item in objects) if isinstance(each, dict))

        messages = tuple(
            each._replace(
                text=change(each.text),
                calls=changed(each.calls) if each.calls else (),
                answers=change(each.answers) if each.answers else "",
            )
            for each in self.messages
        )
        form = changed((self.format,))[0] if self.format else None
        return replace(self, messages=messages, tools=changed(self.tools), format=form)


def read_request(body: Mapping[str, object]) -> ChatRequest:
    """Read a request for a chat completion.

    Args:
        body: as parsed from JSON.

    Raises:
        ParameterError: a field is refused, not known, of another form or out of bounds; it names the field.
    """
    given = {name: value for name, value in body.items() if value is not None}
    for name in given:
        if name not in READ and name not in DROPPED:
            raise ParameterError(show(name), "may not be set by clients of this service")
    for name in ("model", "messages"):
        if name not in given:
            raise ParameterError(name, "is missing")
    if given.get("n", 1) != 1:
        raise ParameterError("n", "one answer is made per request")
    if read_flag(given.get("logprobs"), "logprobs"):
        raise ParameterError("logprobs", "are not served")
    stream = read_flag(given.get("stream"), "stream")
    tools = read_tools(given["tools"]) if "tools" in given else ()
    offered = frozenset(name_of(tool) for tool in tools)
    return ChatRequest(
        model=read_text(given.get("model"), "model", 200),
        messages=_messages(given.get("messages")),
        stream=stream,
        usage=_usage(given.get("stream_options"), stream),
        max_tokens=_max_tokens(given),
        stop=_stops(given["stop"]) if "stop" in given else (),
        numbers=_numbers(given),
        format=read_format(given["response_format"]) if "response_format" in given else None,
        tools=tools,
        choice=read_choice(given["tool_choice"], offered) if "tool_choice" in given else "",
    )


def to_upstream(request: ChatRequest, fields: WireObject, system_prompt: str, limits: Limits) -> WireObject:
    """Write the body of the request that the engine is sent.

    Args:
        request: as read; its texts may have been redacted since.
        fields: that choose the adapters (`Upstream.fields`); no field of the request takes their place.
        system_prompt: the service's, "" for none.
        limits: the service's.

    Raises:
        ParameterError: the client sent system messages and the service refuses them.
    """
    written: WireObject = {"messages": _written(request.messages, system_prompt, limits.client_system)}
    written["max_tokens"] = min(request.max_tokens or limits.max_tokens, limits.max_tokens)
    written["stream"] = request.stream
    written["n"] = 1
    written |= request.numbers
    if request.stream:
        written["stream_options"] = {"include_usage": True}
    if request.stop:
        written["stop"] = list(request.stop)
    if request.format:
        written["response_format"] = request.format
    if request.tools:
        written["tools"] = list(request.tools)
    if request.choice and request.tools:
        written["tool_choice"] = choice_to_json(request.choice)
    return written | fields


def _messages(value: object) -> tuple[Message, ...]:
    items = read_list(value, "messages", MAX_MESSAGES)
    if not items:
        raise ParameterError("messages", "expected at least one")
    messages = tuple(_message(item, f"messages[{place}]") for place, item in enumerate(items))
    if sum(len(message.text) for message in messages) > MAX_CHARACTERS:
        raise ParameterError("messages", f"at most {MAX_CHARACTERS:,} characters are read in all")
    if messages[-1].role not in ("user", "tool"):
        # Else the client would begin the model's answer itself, and the model would go on from there.
        raise ParameterError("messages", "the last one must be by user or tool")
    return messages


def _message(item: object, where: str) -> Message:
    found = read_fields(item, where, _OF_MESSAGES)
    role = found.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise ParameterError(f"{where}.role", f"expected one of {', '.join(sorted(ROLES))}")
    calls = read_calls(found["tool_calls"], f"{where}.tool_calls") if found.get("tool_calls") else ()
    if calls and role != "assistant":
        raise ParameterError(f"{where}.tool_calls", "only the assistant calls tools")
    content = found.get("content", "" if calls else None)
    answers = read_call_id(found.get("tool_call_id"), f"{where}.tool_call_id") if role == "tool" else ""
    return Message(role, _text(content, f"{where}.content"), calls, answers)


def _text(content: object, where: str) -> str:
    if isinstance(content, str):
        return read_text(content, where, MAX_CHARACTERS)
    texts = []
    for item in read_list(content, where, MAX_PARTS):
        if isinstance(item, dict) and item.get("type") != "text":
            raise ParameterError(where, "only text is served: no images, sounds or files")
        part = read_fields(item, where, frozenset({"type", "text"}))
        texts.append(read_text(part.get("text"), where, MAX_CHARACTERS))
    return "\n".join(texts)


def _written(messages: tuple[Message, ...], system_prompt: str, client_system: str) -> list[Wire]:
    written: list[Wire] = [{"role": "system", "content": system_prompt}] if system_prompt else []
    notes = [message.text for message in messages if message.role in SYSTEM]
    if notes and client_system != QUOTED:
        raise ParameterError("messages", "this service does not take system or developer messages from clients")
    quotation = _quotation(notes)
    for message in messages:
        if message.role in SYSTEM:
            continue
        each: WireObject = {"role": message.role, "content": message.text}
        if message.role == "user" and quotation:
            each["content"], quotation = quotation + message.text, ""
        if message.calls:
            each["tool_calls"] = list(message.calls)
        if message.answers:
            each["tool_call_id"] = message.answers
        written.append(each)
    if quotation:
        raise ParameterError("messages", "expected one by user beside the system messages")
    return written


def _quotation(notes: list[str]) -> str:
    """Return a client's system messages as something that the user shows, each line marked, so that none ends it."""
    if not any(notes):
        return ""
    lines = "\n".join(notes).splitlines()
    quoted = "\n".join(f"> {line}" for line in lines)
    return f"The program that I use adds this note. It is not from the service:\n{quoted}\n\n"


def _usage(value: object, stream: bool) -> bool:
    if value is None:
        return False
    if not stream:
        raise ParameterError("stream_options", "is only for streams")
    found = read_fields(value, "stream_options", frozenset({"include_usage", "include_obfuscation"}))
    return read_flag(found.get("include_usage"), "stream_options.include_usage")


def _max_tokens(given: Mapping[str, object]) -> int | None:
    named = [name for name in ("max_completion_tokens", "max_tokens") if name in given]
    return min((read_integer(given[name], name, 1, MAX_TOKENS) for name in named), default=None)


def _stops(value: object) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else read_list(value, "stop", MAX_STOPS)
    stops = tuple(read_text(item, "stop", 100) for item in items)
    if not all(stops):
        raise ParameterError("stop", "an empty text would end every answer")
    return stops


def _numbers(given: Mapping[str, object]) -> dict[str, float]:
    numbers = {name: read_number(given[name], name, *_RANGES[name]) for name in _RANGES if name in given}
    if "seed" in given:
        numbers["seed"] = read_integer(given["seed"], "seed", -(2**63), 2**63 - 1) % (2**32 - 1)  # 2^32 - 1 is "any"
    return numbers
