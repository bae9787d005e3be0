"""A service, its rules, an answer and an anchor for tests (synthetic; nothing was served)."""

from __future__ import annotations

from typing import Any

from auzolan.core.kinds.answer import Answer, Engine, Fired
from auzolan.core.kinds.run import Anchor, Loaded, RuntimePolicy, Service
from auzolan.core.record.checkpoint import TreeHead, checkpoint_text
from auzolan.core.record.note import Note, sign_note
from tests.core.kinds.taught import BASE, BLOB, FOURTH, ID, OTHER, THIRD
from tests.town import key

RUNTIME = key("town-runtime")
ORIGIN = "auzolan/answers-00000001"
DATE = "2026-11-20"


def checkpoint(origin: str = ORIGIN, size: int = 1_234) -> str:
    """Return a checkpoint of the log of answers, signed by the runtime."""
    text = checkpoint_text(origin, TreeHead(size, bytes(32)))
    return Note(text, (sign_note(text, RUNTIME),)).to_bytes().decode()


def service(**other: Any) -> Service:
    """Return a service, with other fields than these."""
    fields: dict[str, Any] = {
        "constitution": ID, "rules": OTHER, "adapters": (Loaded(THIRD), Loaded(FOURTH, 500)), "name": "town-assistant",
        "title": "The town's assistant", "purpose": "Answers about opening hours.", "languages": ("en", "eu"),
        "base": BASE, "system_prompt": "You speak for the town.", "tools": ("lookup",), "operator": "The library",
        "contact": "desk@library.example", "review_at": "2027-06-30", "runtime_key": RUNTIME.public, "origin": ORIGIN,
    }  # fmt: skip
    return Service(**(fields | other))


def policy(**other: Any) -> RuntimePolicy:
    """Return rules, with other fields than these."""
    fields: dict[str, Any] = {
        "constitution": ID, "title": "Our rules", "table": {"rule": {"dues": {"action": "deny", "article": "2.1"}}},
    }  # fmt: skip
    return RuntimePolicy(**(fields | other))


def anchor(**other: Any) -> Anchor:
    """Return an anchor, with other fields than these."""
    return Anchor(**({"service": ID, "checkpoint": checkpoint(), "anchored_at": DATE} | other))


def answer(**other: Any) -> Answer:
    """Return an answer, with other fields than these."""
    fields: dict[str, Any] = {
        "service": ID, "constitution": OTHER, "rules": THIRD, "adapters": (FOURTH, ID), "answered_at": 1_789_999_800,
        "request": BLOB, "response": OTHER, "outcome": "answered",
        "fired": (Fired("dues", "warn", "2.1"), Fired("greeting", "allow", "")), "integrity": "verified",
        "loaded": {"weights": BLOB, "adapter.1": THIRD}, "engine": Engine("xllamacpp", "1.0", FOURTH, "bubblewrap"),
        "log_size": 17, "log_age_s": 1_200, "overrides": ("no-sandbox",),
    }  # fmt: skip
    return Answer(**(fields | other))
