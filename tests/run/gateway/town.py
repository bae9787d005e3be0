"""A synthetic town's gateway: real rules, checks, log and HTTP; only the model is a stand-in."""

from __future__ import annotations

import asyncio
import json
import socket
import tomllib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from auzolan.core.kinds.answer import Engine
from auzolan.core.kinds.dataset import Base
from auzolan.core.kinds.run import Loaded, Service
from auzolan.core.record.keys import SigningKey
from auzolan.core.record.keystore import PROMISED, Memory
from auzolan.run.answers.contents import Contents
from auzolan.run.answers.log import AnswerLog
from auzolan.run.answers.receipt import FIELD, Receipt, read_receipt
from auzolan.run.answers.seal import Sealer
from auzolan.run.checks.language import language_of
from auzolan.run.checks.scan import Scanner
from auzolan.run.engine.parameters import Limits
from auzolan.run.engine.turns import Turns
from auzolan.run.engine.upstream import Slot, Upstream
from auzolan.run.gateway.door import make_door
from auzolan.run.gateway.house import House, JudgeCall, LogView, Variant, lowered
from auzolan.run.gateway.keeper import Chore, keep
from auzolan.run.gateway.server import Gateway, serve
from auzolan.run.gateway.talk import LOG
from auzolan.run.loaded import loaded_as_signed
from auzolan.run.rules.decide import Rulebook
from auzolan.run.rules.refusal import openings
from auzolan.run.rules.table import read_rules
from tests.run.gateway.stand_in import StandIn

TOKEN = "synthetic-token-0123456789abcdefghij"
KEY = SigningKey("demo/town-runtime", bytes(range(32)))
SERVICE_ID, CONSTITUTION, RULES, ADAPTER = ("1" * 64, "2" * 64, "3" * 64, "4" * 64)
BASE = Base("Stand-in (synthetic)", "llama", "a" * 64, "b" * 64, "c" * 64, "d" * 64)
NOW = 1_800_000_123
RULES_TOML = """
format = "runtime-policy/v1"
title = "Rules of the example town (synthetic)"

[[topics]]
id = "verdicts"
words = ["decide about benefits"]
patterns = ['\\bexpel (?:him|her|them)\\b']
in = ["request"]

[[topics]]
id = "secrets"
words = ["the vault code"]
in = ["answer"]

[[topics]]
id = "gossip"
words = ["the mayor's cousin"]
in = ["answer"]

[[topics]]
id = "adverts"
words = ["buy it at"]
in = ["answer"]

[[rules]]
id = "answer-people"
effect = "allow"
article = "operator"
why = "People are answered (synthetic)."

[[rules]]
id = "no-verdicts"
effect = "deny"
article = "3.1"
why = "A person decides, not a program (synthetic)."
when = { topics = ["verdicts"], named_human = false }

[[rules]]
id = "no-secrets"
effect = "deny"
article = "4.1"
why = "The vault stays shut (synthetic)."
when = { side = "answer", topics = ["secrets"] }
release = "hold"

[[rules]]
id = "no-gossip"
effect = "deny"
article = "4.2"
why = "No gossip (synthetic)."
when = { side = "answer", topics = ["gossip"] }
release = "cut"

[[rules]]
id = "note-adverts"
effect = "warn"
article = "6.1"
why = "Nobody can pay to be recommended (synthetic)."
when = { side = "answer", topics = ["adverts"] }

[[rules]]
id = "blot-out"
effect = "redact"
article = "operator"
why = "Numbers that harm (synthetic)."
when = { side = "answer", personal = ["iban", "card", "dni"] }

[[rules]]
id = "note-markers"
effect = "warn"
article = "operator"
why = "Role markers (synthetic)."
when = { labels = ["role-markers"] }

[limits]
requests_at_once = 4
requests_waiting = 8
"""


def service_of(**changes: Any) -> Service:
    """Return the synthetic service, with some fields changed."""
    fields: dict[str, Any] = {
        "constitution": CONSTITUTION,
        "rules": RULES,
        "adapters": (Loaded(ADAPTER),),
        "name": "town",
        "title": "Example town (synthetic)",
        "purpose": "Answers residents (synthetic).",
        "languages": ("en",),
        "base": BASE,
        "system_prompt": "You answer for the town (synthetic).",
        "tools": ("opening_hours",),
        "operator": "The town (synthetic)",
        "contact": "the town desk (synthetic)",
        "review_at": "2030-01-01",
        "runtime_key": KEY.public,
        "origin": "town.example/run/town",
        "with_base": True,
    }
    return Service(**{**fields, **changes})


@dataclass
class Town:
    """A gateway that is up.

    Attributes:
        house: its inside.
        port: of the gateway.
        session: a client that bears the token.
        stand_in: what answers.
    """

    house: House
    port: int
    session: aiohttp.ClientSession
    stand_in: StandIn
    tasks: list[Any] = field(default_factory=list)

    async def ask(self, text: str = "When does the library open?", **more: Any) -> Said:
        """Ask one question; `more` are further fields of the request, or `headers`."""
        headers = more.pop("headers", {})
        body = {"model": "town", "messages": [{"role": "user", "content": text}], **more}
        async with self.session.post("/v1/chat/completions", json=body, headers=headers) as reply:
            data = await reply.read()
            return Said(reply.status, dict(reply.headers), data, body)


@dataclass
class Said:
    """What came back."""

    status: int
    headers: dict[str, str]
    data: bytes
    body: dict[str, Any]

    @property
    def json(self) -> Any:
        """The body of an answer that is not streamed."""
        return json.loads(self.data)

    @property
    def chunks(self) -> list[Any]:
        """The chunks of a stream, without the end mark."""
        events = [event.removeprefix(b"data: ") for event in self.data.split(b"\n\n") if event]
        assert events[-1] == b"[DONE]", events[-1]
        return [json.loads(event) for event in events[:-1]]

    @property
    def text(self) -> str:
        """The answer, streamed or not."""
        if not self.body.get("stream"):
            return str(self.json["choices"][0]["message"]["content"])
        deltas = [chunk["choices"][0]["delta"] for chunk in self.chunks if chunk.get("choices")]
        return "".join(delta.get("content") or "" for delta in deltas)

    @property
    def reason(self) -> str:
        """Why it ended."""
        if not self.body.get("stream"):
            return str(self.json["choices"][0]["finish_reason"])
        return str(next(c["choices"][0]["finish_reason"] for c in reversed(self.chunks) if c.get("choices")))

    @property
    def receipt(self) -> Receipt:
        """The receipt."""
        fields = self.json if not self.body.get("stream") else next(c for c in self.chunks if FIELD in c)
        return read_receipt(json.dumps(fields[FIELD]).encode())

    @property
    def error(self) -> Any:
        """The error of an answer that was not given."""
        return self.json["error"]


@dataclass(frozen=True)
class Setting:
    """How a town is set up; the defaults are an ordinary day."""

    service: Service = field(default_factory=service_of)
    rules: str = RULES_TOML
    stand_in: StandIn = field(default_factory=StandIn)
    log_view: LogView = field(default_factory=lambda: LogView(7, NOW - 3_600, 86_400))
    judge: JudgeCall | None = None
    origins: tuple[str, ...] = ()
    specials: tuple[str, ...] = ("<|turn|>",)
    keep_days: int = 0
    chores: Callable[[House], list[Chore]] = lambda house: [Chore(LOG, 0.02, house.log.batch)]


def free_port() -> int:
    """Return a port on loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def town(folder: Path, setting: Setting | None = None) -> AsyncIterator[Town]:
    """Run a gateway on loopback meanwhile."""
    setting = setting or Setting()
    engine_socket, port = folder / "engine.sock", free_port()
    log = AnswerLog.open(folder / "answers", KEY, setting.service.origin, Memory(folder / "home", PROMISED))
    connector = aiohttp.UnixConnector(str(engine_socket))
    async with setting.stand_in.running(engine_socket), aiohttp.ClientSession(connector=connector) as engine:
        house = house_of(folder, setting, port, log, engine)
        up = asyncio.Event()
        serving = asyncio.create_task(
            serve(Gateway(house), port, lambda: keep(house, setting.chores(house)), up.set, grace_s=5.0)
        )
        headers = {"Authorization": f"Bearer {TOKEN}"}
        try:
            await up.wait()
            await _listening(port)
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session:
                yield Town(house, port, session, setting.stand_in)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            log.close()


async def _listening(port: int) -> None:
    for _ in range(500):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        await writer.wait_closed()
        return
    raise AssertionError("the gateway does not listen")


def house_of(folder: Path, setting: Setting, port: int, log: AnswerLog, engine: aiohttp.ClientSession) -> House:
    service, rules = setting.service, read_rules(tomllib.loads(setting.rules))
    upstream = Upstream(
        "http://engine", str(folder / "engine.sock"), "llama.cpp", Engine("stand-in", "1", "e" * 64, "none"),
        "verified", slots={ADAPTER: Slot(0)},
    )  # fmt: skip

    def sealer(integrity: str) -> Sealer:
        return Sealer(
            service=SERVICE_ID, constitution=CONSTITUTION, rules=RULES, engine=upstream.engine,
            loaded=loaded_as_signed(BASE, {}, ()), adapters={ADAPTER: "f" * 64}, integrity=integrity, overrides=(),
            key=KEY,
        )  # fmt: skip

    return House(
        service=service,
        service_id=SERVICE_ID,
        door=make_door(port, TOKEN, origins=setting.origins),
        rulebook=Rulebook(rules),
        scanner=Scanner(rules.topics, rules.personal_kinds),
        specials=setting.specials,
        variants={"town": Variant("town", (ADAPTER,)), "town-base": Variant("town-base", ())},
        sealers={each: sealer(each) for each in ("verified", lowered("verified"))},
        loaded_as="verified",
        tools=frozenset(service.tools),
        refusals=openings(),
        language_of=language_of,
        rules_ask_language=rules.ask_language,
        upstream=lambda: upstream,
        ask=lambda body: engine.post("http://engine/v1/chat/completions", json=body, allow_redirects=False),
        log=log,
        contents=_contents(folder, setting),
        turns=Turns(rules.limits.requests_at_once, rules.limits.requests_waiting),
        limits=Limits(max_tokens=rules.limits.answer_tokens),
        judge=setting.judge,
        clock=lambda: NOW,
        log_view=setting.log_view,
    )


def _contents(folder: Path, setting: Setting) -> Contents | None:
    days = setting.keep_days
    return Contents(folder / "contents", setting.service.retention_days, days) if days else None


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine as the gateway is run."""
    uvloop.run(asyncio.wait_for(main, 60))
