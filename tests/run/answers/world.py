"""A synthetic town's service, its adapters and short ways to seal answers; the same in every run."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from auzolan.core.kinds.answer import Answer, Engine, Fired
from auzolan.core.kinds.dataset import Base
from auzolan.core.kinds.run import Anchor, Loaded, Service
from auzolan.core.kinds.teach import Adapter
from auzolan.core.record.canonical import JsonValue
from auzolan.core.record.checkpoint import Checkpoint
from auzolan.run.answers.journal import Journal
from auzolan.run.answers.log import AnswerLog
from auzolan.run.answers.places import Places
from auzolan.run.answers.seal import Sealed, Sealer, asked_bytes
from auzolan.run.loaded import adapter_digest
from tests.memory_files import MemoryFiles
from tests.town import MemoryGuard, key

RUNTIME, STRANGER = key("town-runtime"), key("stranger")
ORIGIN = "auzolan/answers-00000001"
NOW = 1_790_000_123
MESSAGES: list[JsonValue] = [{"role": "user", "content": "¿Cuándo abre la biblioteca?"}]
ANSWER = "A las nueve."


def digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()


BASE = Base("Tiny", "llama", digest("weights"), digest("tokenizer"), digest("template"), digest("config"))
LOADED = {"weights": BASE.weights, "tokenizer": BASE.tokenizer, "config": BASE.config}
LOADED["chat_template"] = BASE.chat_template
ENGINE = Engine("xllamacpp", "2026.10", digest("engine"), "bubblewrap")
FIRED = (Fired("no-eligibility", "warn", "2.1"),)
ADAPTER_IDS = (digest("adapter one"), digest("adapter two"))


def adapter(name: str) -> Adapter:
    return Adapter(
        dataset=digest("dataset"), constitution=digest("constitution"), weights=digest(f"weights of {name}"),
        config=digest("config"), answers=digest("answers"), title=name, trained_at="2026-11-20", base=BASE, rank=4,
        alpha=8, n_parameters=10, n_steps=1, n_tokens=1, first_loss_micro=2, last_loss_micro=1, settings=(),
        measured=(), not_measured=(), software={},
    )  # fmt: skip


ADAPTERS = dict(zip(ADAPTER_IDS, (adapter("one"), adapter("two")), strict=True))


def service(**changes: Any) -> Service:
    fields: dict[str, Any] = {
        "constitution": digest("constitution"),
        "rules": digest("rules"),
        "adapters": tuple(Loaded(each) for each in ADAPTER_IDS),
        "name": "town",
        "title": "Town desk (synthetic)",
        "purpose": "Questions about the town's services.",
        "languages": ("es", "eu"),
        "base": BASE,
        "system_prompt": "",
        "tools": (),
        "operator": "Town library (synthetic)",
        "contact": "desk@town.example",
        "review_at": "2027-06-30",
        "runtime_key": RUNTIME.public,
        "origin": ORIGIN,
    }
    return Service(**{**fields, **changes})


SERVICE = service()
SERVICE_ID = SERVICE.to_record().id


def sealer(**changes: Any) -> Sealer:
    fields: dict[str, Any] = {
        "service": SERVICE_ID,
        "constitution": SERVICE.constitution,
        "rules": SERVICE.rules,
        "engine": ENGINE,
        "loaded": LOADED,
        "adapters": {each: adapter_digest(ADAPTERS[each].weights, ADAPTERS[each].config) for each in ADAPTER_IDS},
        "integrity": "verified",
        "overrides": (),
        "key": RUNTIME,
    }
    return Sealer(**{**fields, **changes})


SEALER = sealer()


def nonce(number: int) -> bytes:
    return sha256(f"nonce {number}".encode()).digest()


def seal(number: int = 0, by: Sealer = SEALER, messages: JsonValue = MESSAGES, **changes: Any) -> Sealed:
    """Return a sealed answer; each number another one."""
    fields: dict[str, Any] = {
        "text": ANSWER,
        "outcome": "answered",
        "fired": FIRED,
        "adapters": ADAPTER_IDS,
        "log_size": 12,
        "cosigned_at": NOW - 3_000,
        "now": NOW,
        **changes,
    }
    return by.seal(nonce(number), asked_bytes(messages), fields.pop("text"), **fields)


def forged(**changes: Any) -> Answer:
    """Return the answer of `seal`, with changes."""
    from auzolan.core.record.envelope import read_envelope

    answer = Answer.from_record(read_envelope(seal().envelope).claimed)
    return Answer(**{**vars(answer), **changes})


def keep_order(_items: Sequence[object]) -> None:
    """Shuffle nothing, so that a test knows where what stands."""


def answer_log(folder: Path, files: MemoryFiles | None = None, guard: MemoryGuard | None = None) -> AnswerLog:
    """Open a log whose files are in memory and whose journal is in `folder`; the caller closes it."""
    return AnswerLog(
        MemoryFiles() if files is None else files, Journal(folder / "journal"), Places(None), RUNTIME, ORIGIN,
        guard or MemoryGuard(), keep_order,
    )  # fmt: skip


def anchor(checkpoint: Checkpoint, **changes: Any) -> Anchor:
    fields = {"service": SERVICE_ID, "checkpoint": checkpoint.note.to_bytes().decode(), "anchored_at": "2026-11-20"}
    return Anchor(**{**fields, **changes})
