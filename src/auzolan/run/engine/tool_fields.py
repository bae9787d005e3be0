"""The fields of a request that are about tools and about the form of an answer: read, and written anew.

Whether a service offers a tool at all, its record says and the rules decide;
here is only their form. JSON schemas are bounded because engines turn them
into grammars, whose cost grows with the numbers in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from auzolan.run.engine.field_values import (
    ParameterError,
    Wire,
    WireObject,
    read_bounded,
    read_fields,
    read_flag,
    read_list,
    read_text,
)

MAX_TOOLS = 64
MAX_CALLS = 64
MAX_DESCRIPTION = 8192
MAX_ARGUMENTS = 262_144
MAX_REPEATS = 2000
NAMED = "name:"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CALL_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")  # templates show it to the model
_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})


def read_tools(value: object) -> tuple[WireObject, ...]:
    """Read the tools that a request offers.

    Raises:
        ParameterError: another form, one of another type than "function", or a name twice.
    """
    tools = tuple(_tool(item, f"tools[{place}]") for place, item in enumerate(read_list(value, "tools", MAX_TOOLS)))
    names = [name_of(tool) for tool in tools]
    if len(set(names)) != len(names):
        raise ParameterError("tools", "the same name stands there twice")
    return tools


def name_of(tool: WireObject) -> str:
    """Return the name of a tool that was read."""
    function = tool["function"]
    assert isinstance(function, dict), "read_tools makes them so"
    return str(function["name"])


def _tool(item: object, where: str) -> WireObject:
    found = read_fields(item, where, frozenset({"type", "function"}))
    if found.get("type") != "function":
        raise ParameterError(f"{where}.type", "only functions are served")
    said = read_fields(
        found.get("function"), f"{where}.function", frozenset({"name", "description", "parameters", "strict"})
    )
    function: WireObject = {"name": _name(said.get("name"), f"{where}.function.name")}
    if "description" in said:
        function["description"] = read_text(said["description"], f"{where}.function.description", MAX_DESCRIPTION)
    if "parameters" in said:
        function["parameters"] = _schema(said["parameters"], f"{where}.function.parameters")
    if "strict" in said:
        function["strict"] = read_flag(said["strict"], f"{where}.function.strict")
    return {"type": "function", "function": function}


def read_choice(value: object, offered: frozenset[str]) -> str:
    """Read which tool the model is to call: "none", "auto", "required", or "name:" and a name.

    Raises:
        ParameterError: another form, or a tool that is not offered.
    """
    if value in ("none", "auto"):
        return str(value)
    if value == "required":
        name = ""
    else:
        found = read_fields(value, "tool_choice", frozenset({"type", "function"}))
        if found.get("type") != "function":
            raise ParameterError("tool_choice", "expected none, auto, required or a function")
        function = read_fields(found.get("function"), "tool_choice.function", frozenset({"name"}))
        name = _name(function.get("name"), "tool_choice.function.name")
    if not offered or (name and name not in offered):
        raise ParameterError("tool_choice", "asks for a tool that the request does not offer")
    return NAMED + name if name else "required"


def choice_to_json(choice: str) -> Wire:
    """Write what `read_choice` read."""
    if choice.startswith(NAMED):
        return {"type": "function", "function": {"name": choice.removeprefix(NAMED)}}
    return choice


def read_calls(value: object, where: str) -> tuple[WireObject, ...]:
    """Read the calls of tools in a message of the assistant.

    Raises:
        ParameterError: another form.
    """
    return tuple(_call(item, f"{where}[{place}]") for place, item in enumerate(read_list(value, where, MAX_CALLS)))


def _call(item: object, where: str) -> WireObject:
    found = read_fields(item, where, frozenset({"id", "type", "function", "index"}))
    if found.get("type") != "function":
        raise ParameterError(f"{where}.type", "only functions are served")
    said = read_fields(found.get("function"), f"{where}.function", frozenset({"name", "arguments"}))
    function: WireObject = {
        "name": _name(said.get("name"), f"{where}.function.name"),
        "arguments": read_text(said.get("arguments", ""), f"{where}.function.arguments", MAX_ARGUMENTS),
    }
    return {"id": read_call_id(found.get("id"), f"{where}.id"), "type": "function", "function": function}


def read_call_id(value: object, where: str) -> str:
    """Read the id by which an answer of a tool names its call.

    Raises:
        ParameterError: another form.
    """
    text = read_text(value, where, 128)
    if not _CALL_ID.fullmatch(text):
        raise ParameterError(where, "expected up to 128 letters, digits and '_.:-'")
    return text


def read_format(value: object) -> WireObject | None:
    """Read `response_format`; None for plain text.

    Raises:
        ParameterError: another form.
    """
    found = read_fields(value, "response_format", frozenset({"type", "json_schema"}))
    kind = found.get("type")
    if kind == "text":
        return None
    if kind == "json_object" and "json_schema" not in found:
        return {"type": "json_object"}
    if kind != "json_schema":
        raise ParameterError("response_format", "expected text, json_object or json_schema")
    where = "response_format.json_schema"
    said = read_fields(found.get("json_schema"), where, frozenset({"name", "description", "schema", "strict"}))
    schema: WireObject = {"name": _name(said.get("name"), f"{where}.name")}
    schema["schema"] = _schema(said.get("schema"), f"{where}.schema")
    if "strict" in said:
        schema["strict"] = read_flag(said["strict"], f"{where}.strict")
    return {"type": "json_schema", "json_schema": schema}


def texts_of(value: Wire) -> Iterator[str]:
    """Yield all text in tools, calls or a format that a model may read, names of fields in schemas included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from texts_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)


def with_texts(value: Wire, change: Callable[[str], str]) -> Wire:
    """Return a copy in which every text that `texts_of` yields was changed.

    Raises:
        ParameterError: the name of a field would be.
    """
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        for name in value:
            # What was read strictly by this name would be another one now.
            if change(name) != name:
                raise ParameterError("tools, response_format", "a field's name holds marks of a chat template")
        return {name: with_texts(item, change) for name, item in value.items()}
    if isinstance(value, list):
        return [with_texts(item, change) for item in value]
    return value


def _schema(value: object, where: str) -> WireObject:
    """Read a JSON schema, of which llama.cpp makes a grammar: what would make a huge one is refused.

    Regular expressions are refused altogether: nested repeats of a few hundred bytes stop the engine (measured).
    """
    schema = read_bounded(value, where)
    left: list[tuple[Wire, float]] = [(schema, 1)]
    while left:
        item, times = left.pop()
        if isinstance(item, list):
            left.extend((each, times) for each in item)
        if not isinstance(item, dict):
            continue
        if isinstance(item.get("pattern"), str) or "patternProperties" in item:
            raise ParameterError(where, "regular expressions (pattern, patternProperties) are not served")
        counts = [count for name, count in item.items() if name in _COUNTS and isinstance(count, int | float)]
        times *= max([1, *counts])
        if times > MAX_REPEATS:
            raise ParameterError(where, f"at most {MAX_REPEATS:,} repeats are served, those within others multiplied")
        left.extend((each, times) for each in item.values())
    return schema


def _name(value: object, where: str) -> str:
    text = read_text(value, where, 64)
    if not _NAME.fullmatch(text):
        raise ParameterError(where, "expected up to 64 letters, digits, '_' and '-'")
    return text
