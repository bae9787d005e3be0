"""A small synthetic service, its rules, an answer that nobody gave and its anchor, for golden vectors."""

from __future__ import annotations

from hashlib import sha256

from auzolan.core.kinds.answer import Answer, Engine, Fired
from auzolan.core.kinds.run import Anchor, Loaded, RuntimePolicy, Service
from auzolan.core.kinds.teach import Adapter
from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.checkpoint import TreeHead, checkpoint_text
from auzolan.core.record.envelope import Envelope
from auzolan.core.record.merkle import leaf_hash
from auzolan.core.record.note import Note, sign_note
from auzolan.core.record.record import Record
from auzolan.run.rules.table import read_rules
from tests.town import NOW, key, sign

_DATE = "2026-11-20"
_ORIGIN = "auzolan/golden-answers-00000001"
RUNTIME = key("town-runtime")


def _digest(of: str) -> str:
    return sha256(f"{of} (synthetic)".encode()).hexdigest()


def _answer(service: str, constitution: str, rules: str, adapter: Record) -> Answer:
    base, blobs = Adapter.from_record(adapter).base, adapter.blobs
    return Answer(
        service=service,
        constitution=constitution,
        rules=rules,
        adapters=(adapter.id,),
        answered_at=NOW - NOW % 600,
        request=_digest("request, sealed"),
        response=_digest("response, sealed"),
        outcome="cut",
        fired=(Fired("golden-topic", "deny", "1.1"), Fired("golden-notice", "warn", "")),
        integrity="verified",
        loaded={
            "weights": base.weights,
            "tokenizer": base.tokenizer,
            "chat_template": base.chat_template,
            "config": base.config,
            "adapter.1": blobs[Adapter.WEIGHTS],
        },
        engine=Engine("golden engine (synthetic)", "1.0", _digest("engine"), "bubblewrap"),
        log_size=6,
        log_age_s=1_200,
        overrides=("golden-override",),
    )


def running(constitution: Record, adapter: Record) -> dict[str, Envelope]:
    """Return signed records by name."""
    allowed: JsonObject = {"id": "all", "effect": "allow", "article": "operator", "why": "People are answered."}
    denied: JsonObject = {
        "id": "golden-topic",
        "effect": "deny",
        "article": "1.1",
        "why": "Golden words are not for this service (synthetic).",
        "when": {"topics": ["golden"]},
    }
    table: JsonObject = {
        "format": RuntimePolicy.KIND,
        "title": "Golden rules (synthetic)",
        "topics": [{"id": "golden", "words": ["golden words", "\u00f1 and \u20ac"], "in": ["request", "answer"]}],
        "rules": [allowed, denied],
    }
    read_rules(table)
    rules = RuntimePolicy(constitution.id, "Golden rules (synthetic)", table, _DATE).to_record()
    service = Service(
        constitution=constitution.id,
        rules=rules.id,
        adapters=(Loaded(adapter.id, 750),),
        name="golden-service",
        title="Golden service (synthetic)",
        purpose="Shows what a service record looks like (synthetic).",
        languages=("en", "eu"),
        base=Adapter.from_record(adapter).base,
        system_prompt="You answer about opening hours (synthetic).\nñ, € and \U0001f33e.",
        tools=("golden_lookup",),
        operator="Town library (synthetic)",
        contact="desk@library.example",
        review_at="2027-06-30",
        runtime_key=RUNTIME.public,
        origin=_ORIGIN,
        receipts=Service.ASKED,
        retention_days=30,
        with_base=True,
        declared_at=_DATE,
    ).to_record()
    answer = sign(_answer(service.id, constitution.id, rules.id, adapter).to_record(), RUNTIME)
    text = checkpoint_text(_ORIGIN, TreeHead(1, leaf_hash(answer.entry)))
    anchor = Anchor(service.id, Note(text, (sign_note(text, RUNTIME),)).to_bytes().decode(), _DATE).to_record()
    return {
        "runtime-policy-v1": sign(rules),
        "service-v1": sign(service),
        "answer-v1": answer,
        "anchor-v1": sign(anchor),
    }
