"""Tables of rules for tests, valid until a test spoils them."""

from __future__ import annotations

from auzolan.core.record.canonical import JsonObject, JsonValue
from auzolan.run.rules.ruleset import Condition, Rule, Rules


def table(*rules: JsonObject, **more: JsonValue) -> JsonObject:
    """Return a table that allows everything, with these rules besides."""
    return {"format": Rules.FORMAT, "title": "Rules of a test", "rules": [ALLOW, *rules], **more}


def rule(name: str, effect: str = "deny", **more: JsonValue) -> JsonObject:
    """Return a rule."""
    return {"id": name, "effect": effect, "article": "2.1", "why": f"Because of {name}.", **more}


def topic(name: str, **more: JsonValue) -> JsonObject:
    """Return a topic."""
    return {"id": name, **(more or {"words": [name]})}


def judge(name: str, **more: JsonValue) -> JsonObject:
    """Return a judge."""
    wanted: JsonObject = {"id": name, "article": "2.1", "why": "The article says so.", "instructions": "Judge."}
    return wanted | {"violates": ["bad"]} | more


ALLOW: JsonObject = rule("allow-use", "allow")
ALLOW_RULE = Rule("allow-use", "allow", "2.1", "Because.", Condition())
