"""Edge: `auzolan run serve`: everything is opened in order, kept while it serves, and closed in reverse."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from orjson import dumps, loads

from auzolan.cli.commons import Commons, PublishedCopy, open_key, promises
from auzolan.cli.output import hint
from auzolan.cli.run.checklist import Choices
from auzolan.cli.run.declared import Declared, anchors_of, log_view_of, read_declared, revoked_in
from auzolan.cli.run.entrance import check_port, open_state, read_token
from auzolan.cli.run.model_files import Opened, open_files
from auzolan.core.kinds.answer import TIME_STEP_S, Answer
from auzolan.core.kinds.run import Service
from auzolan.core.record.errors import VerificationError
from auzolan.core.record.keys import SigningKey
from auzolan.run.admission.lease import still_same
from auzolan.run.admission.revoked import SERVICE, Standing, standings_of
from auzolan.run.answers.contents import Contents
from auzolan.run.answers.log import AnswerLog
from auzolan.run.answers.seal import Sealer
from auzolan.run.checks.language import language_of
from auzolan.run.checks.scan import Scanner
from auzolan.run.engine.engine_files import EngineFile, digest_of_program, find_program
from auzolan.run.engine.parameters import Limits
from auzolan.run.engine.sandbox import Bwrap, find_bwrap
from auzolan.run.engine.supervise import EngineChild, EngineSettings
from auzolan.run.engine.turns import Turns
from auzolan.run.engine.upstream import NotReadyError, Upstream
from auzolan.run.gateway.door import make_door
from auzolan.run.gateway.house import House, JudgeCall, Variant, lowered
from auzolan.run.gateway.keeper import Chore, keep
from auzolan.run.gateway.server import Gateway, serve
from auzolan.run.gateway.talk import LOG
from auzolan.run.rules.refusal import openings
from auzolan.run.rules.ruleset import Limits as Spending

_JSON = {"Content-Type": "application/json"}
MAX_JUDGED_BYTES = 1024 * 1024
FLUSH_S, LOOK_S, LOG_S, EXPIRY_S = 1.0, 5.0, 60.0, 600.0
logger = logging.getLogger("auzolan.run")
BASE_SUFFIX = "-base"
"""Added to the service's name for the model without its adapters."""


@dataclass(frozen=True)
class Job:
    """What the operator asked for.

    Attributes:
        choices: as the checklist looks at them.
        token_file: with the clients' token; made if it is not there.
        hosts, origins: that are let in besides this machine's own.
        slots, context, threads: of the engine.
        backend_key, backend_model, backend_kind: of a server elsewhere.
        backend_files: the model's files, to compare with what such a server says it loaded; "" for none.
        plain_http: whether that may be reached without encryption.
        judge_key, judge_model: of the judge.
    """

    choices: Choices
    token_file: Path | None = None
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    slots: int = 4
    context: int = 2048
    threads: int = 0
    backend_key: str = ""
    backend_model: str = ""
    backend_kind: str = ""
    backend_files: str = ""
    plain_http: bool = False
    judge_key: str = ""
    judge_model: str = ""


def run_service(
    place: Commons | PublishedCopy, name: str | None, job: Callable[[Declared], Job], ready: Callable[[str], None]
) -> None:
    """Serve until a signal comes.

    Args:
        place: the community's ledger on this machine.
        name: of the service, its id, or None for the newest.
        job: what was asked for, once the service is known.
        ready: told the address when connections are taken.

    Raises:
        UsageError: the port is taken, others can write the folder or read the token, another process keeps the log.
        VerificationError: something that the service rests on was revoked, or is not what was signed.
    """
    import uvloop

    declared = read_declared(place, name)
    asked = job(declared)
    _refuse_revoked(declared.standings)
    check_port(asked.choices.port)  # here, so that nobody waits for an engine in vain
    key = open_key(declared.service.runtime_key)
    state = open_state(asked.choices.state)
    token = read_token(asked.token_file or state / "token")
    # Opened before the engine: what cannot be logged is not computed either.
    log = AnswerLog.open(state / "answers", key, declared.service.origin, promises())
    try:
        uvloop.run(_run(place, declared, asked, key, log, token, ready))
    finally:
        log.batch()
        log.close()


async def _run(
    place: Commons | PublishedCopy,
    declared: Declared,
    job: Job,
    key: SigningKey,
    log: AnswerLog,
    token: str,
    ready: Callable[[str], None],
) -> None:
    async with AsyncExitStack() as opened:
        if job.choices.backend:
            answering = await opened.enter_async_context(_elsewhere(declared, job))
        else:
            answering = await opened.enter_async_context(_here(declared, job))
        house = await _furnish(opened, declared, job, key, log, token, answering)
        chores = [
            Chore(LOG, FLUSH_S, log.flush),
            # At the ends of the steps in which times are told: another batch within one would split it in two.
            Chore("the log's batches", job.choices.batch_s, log.batch, on_the_step=True),
            Chore("the files", LOOK_S, answering.look),
            Chore("the community's log", LOG_S, lambda: _look_at_log(place, declared, house)),
        ]
        if house.contents:
            chores.append(Chore("kept contents", EXPIRY_S, lambda: _expire(house)))
            _expire(house)
        address = f"http://127.0.0.1:{job.choices.port}/v1"
        at_once = 2 * (
            declared.rulebook.rules.limits.requests_at_once + declared.rulebook.rules.limits.requests_waiting
        )
        check_port(job.choices.port)
        await serve(
            Gateway(house), job.choices.port, lambda: keep(house, chores), lambda: ready(address), at_once=at_once
        )


@dataclass(frozen=True)
class Answering:
    """What answers.

    Attributes:
        upstream: where requests go now; raises while it is not there.
        engine_upstream: as it was at the start.
        loaded: name -> digest, of the base alone.
        adapters: id -> digest, "" where it is not known.
        specials: of the chat template.
        look: checks that what was loaded is still what was hashed.
        integrity: of what it loaded.
    """

    upstream: Callable[[], Upstream]
    engine_upstream: Upstream
    loaded: Mapping[str, str]
    adapters: Mapping[str, str]
    specials: tuple[str, ...]
    look: Callable[[], object]
    integrity: str


@asynccontextmanager
async def _here(declared: Declared, job: Job) -> AsyncIterator[Answering]:
    """Run the engine on this machine."""
    with open_files(declared, job.choices.model, job.choices.state) as files:
        for warned in files.admitted.warnings:
            hint(f"to know: {warned.text}")
        program = find_program()
        bwrap = find_bwrap() if job.choices.sandbox else Bwrap("", "turned off")
        if not bwrap.path:
            hint(f"no sandbox ({bwrap.why_not}): answers say so, and are called claimed instead of verified")
        child = EngineChild(
            _engine_file("model", files, declared),
            [_engine_file(each.adapter, files, declared) for each in declared.service.adapters],
            EngineSettings(job.slots, job.context, threads=job.threads),
            program,
            digest_of_program(program),
            bwrap,
        )
        first = await child.start()
        try:

            def upstream() -> Upstream:
                if not child.ready:
                    raise NotReadyError(f"the engine cannot answer now: {child.state}")
                return first

            def look() -> None:
                still_same(files.pins)
                child.check_files()

            base, adapters = _loaded_of(declared, files)
            specials = files.admitted.base.special_tokens
            yield Answering(upstream, first, base, adapters, specials, look, first.integrity)
        finally:
            await child.stop()


def _loaded_of(declared: Declared, files: Opened | None) -> tuple[dict[str, str], dict[str, str]]:
    """Return the digests of what was loaded, of the base and of each adapter; without files nothing is known."""
    names = [each.adapter for each in declared.service.adapters]
    if files is None:
        return {}, dict.fromkeys(names, "")
    loaded = files.admitted.loaded
    base = {name: digest for name, digest in loaded.items() if not name.startswith(Answer.ADAPTER)}
    return base, {each: loaded[f"{Answer.ADAPTER}{at}"] for at, each in enumerate(names, 1)}


def _engine_file(name: str, files: Opened, declared: Declared) -> EngineFile:
    pinned = files.adapters.get(name, files.model)
    scale = next((each.scale_milli for each in declared.service.adapters if each.adapter == name), 1000)
    return EngineFile(name, str(pinned.path), pinned.hashed.digest, scale, pinned.descriptor)


@asynccontextmanager
async def _elsewhere(declared: Declared, job: Job) -> AsyncIterator[Answering]:
    """Use a server that somebody else runs."""
    from auzolan.run.engine.backend import Promised, probe
    from auzolan.run.engine.upstream import Slot

    service = declared.service
    everything = tuple(each.adapter for each in service.adapters)
    model = job.backend_model or service.name
    models = {everything: model} | ({(): f"{model}{BASE_SUFFIX}"} if service.with_base and everything else {})
    slots = {each.adapter: Slot(place, each.scale_milli) for place, each in enumerate(service.adapters)}
    with ExitStack() as held:
        files = None
        if job.backend_files:  # what an Ollama server says that it loaded is compared with these
            files = held.enter_context(open_files(declared, job.backend_files, job.choices.state))
        digests = {each: pin.hashed.digest for each, pin in files.adapters.items()} if files else {}
        digests |= {"": files.model.hashed.digest} if files else {}
        found = await probe(
            Promised(
                job.choices.backend, job.backend_key, job.backend_kind, models, slots, digests=digests,
                plain_http=job.plain_http,
            )
        )  # fmt: skip
        base, adapters = _loaded_of(declared, files if found.integrity == "claimed" else None)
        specials = files.admitted.base.special_tokens if files else ()
        yield Answering(lambda: found, found, base, adapters, specials, lambda: None, found.integrity)


async def _furnish(
    opened: AsyncExitStack,
    declared: Declared,
    job: Job,
    key: SigningKey,
    log: AnswerLog,
    token: str,
    answering: Answering,
) -> House:
    service, rules, overrides = declared.service, declared.rulebook.rules, job.choices.overrides
    socket = answering.engine_upstream.socket
    connector: aiohttp.BaseConnector = (
        aiohttp.UnixConnector(socket, limit=0) if socket else aiohttp.TCPConnector(limit=0)
    )
    session = await opened.enter_async_context(
        _session(connector, answering.engine_upstream.headers, rules.limits.answer_seconds)
    )
    everything = tuple(each.adapter for each in service.adapters)
    variants = {service.name: Variant(service.name, everything)}
    if service.with_base and everything:
        variants[service.name + BASE_SUFFIX] = Variant(service.name + BASE_SUFFIX, ())

    def sealer(integrity: str) -> Sealer:
        return Sealer(
            service=declared.id, constitution=service.constitution, rules=service.rules,
            engine=answering.engine_upstream.engine, loaded=answering.loaded, adapters=answering.adapters,
            integrity=integrity, overrides=overrides, key=key,
        )  # fmt: skip

    url = f"{answering.engine_upstream.base_url}/v1/chat/completions"
    return House(
        service=service,
        service_id=declared.id,
        door=make_door(job.choices.port, token, job.hosts, job.origins),
        rulebook=declared.rulebook,
        scanner=Scanner(rules.topics, rules.personal_kinds),
        specials=answering.specials,
        variants=variants,
        sealers={level: sealer(level) for level in {answering.integrity, lowered(answering.integrity)}},
        loaded_as=answering.integrity,
        tools=frozenset(service.tools),
        refusals=openings(),
        language_of=language_of,
        rules_ask_language=rules.ask_language,
        upstream=answering.upstream,
        ask=lambda _, body: session.post(url, data=dumps(body), headers=_JSON, allow_redirects=False),
        log=log,
        contents=_contents(service, job),
        turns=Turns(_at_once(job, rules.limits), rules.limits.requests_waiting),
        limits=Limits(max_tokens=rules.limits.answer_tokens),
        judge=await _judge(opened, job),
        clock=time.time,
        log_view=declared.log_view,
        overrides=overrides,
    )


def _at_once(job: Job, limits: Spending) -> int:
    """Return how many requests are computed at once: no more than the rules allow, nor than the engine has slots."""
    return limits.requests_at_once if job.choices.backend else min(job.slots, limits.requests_at_once)


def _contents(service: Service, job: Job) -> Contents | None:
    days, folder = job.choices.keep_days, job.choices.state / "contents"
    if not days and not folder.exists():
        return None
    return Contents(folder, service.retention_days, days)


def _expire(house: House) -> None:
    if house.contents:
        house.contents.expire(int(house.clock()))


@asynccontextmanager
async def _session(
    connector: aiohttp.BaseConnector, headers: Mapping[str, str], answer_s: float
) -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=answer_s, connect=10)
    async with aiohttp.ClientSession(
        connector=connector, headers=dict(headers), timeout=timeout, trust_env=False, auto_decompress=False,
    ) as session:  # fmt: skip
        yield session


async def _judge(opened: AsyncExitStack, job: Job) -> JudgeCall | None:
    if not job.choices.judge:
        return None
    from auzolan.run.engine.backend import read_address

    base, socket = read_address(job.choices.judge, plain_http=job.plain_http)
    connector: aiohttp.BaseConnector = aiohttp.UnixConnector(socket) if socket else aiohttp.TCPConnector()
    headers = {"Authorization": f"Bearer {job.judge_key}"} if job.judge_key else {}
    session = await opened.enter_async_context(_session(connector, headers, 60.0))

    async def ask(messages: list[dict[str, str]]) -> str | None:
        body = {"model": job.judge_model or "judge", "messages": messages, "temperature": 0, "max_tokens": 1024}
        try:
            async with session.post(
                f"{base}/v1/chat/completions", data=dumps(body), headers=_JSON, allow_redirects=False
            ) as reply:
                read = bytearray()
                async for piece in reply.content.iter_any():
                    read += piece
                    if len(read) > MAX_JUDGED_BYTES:
                        return None
            said: Any = loads(read)
            text = said["choices"][0]["message"]["content"]
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, IndexError, TypeError):
            return None
        return text if isinstance(text, str) else None

    return ask


def _look_at_log(place: Commons | PublishedCopy, declared: Declared, house: House) -> None:
    """Take in what the community's log says now: how current it is, and whether anything was revoked."""
    with place.reading() as ledger:
        view, house.anchors = log_view_of(ledger), tuple(anchors_of(ledger, declared.service))
        standings = standings_of(ledger, declared.id, declared.service, declared.adapters)
    _refuse_revoked(standings)
    newer = standings[SERVICE].superseded_by
    if newer and newer[-1] != house.superseded_by:
        house.superseded_by = newer[-1]
        logger.warning("this service was declared anew as %s…; start it again to serve that", newer[-1][:8])
    now = house.clock()
    if now % TIME_STEP_S < LOG_S:  # within a step, a change would split its answers into earlier and later ones
        house.log_view = view


def _refuse_revoked(standings: Mapping[str, Standing]) -> None:
    """Refuse what is known to be revoked, whoever runs the model."""
    for name in revoked_in(standings):
        by = ", ".join(standings[name].revoked_by)
        raise VerificationError(f"{name} was revoked by {by}; what is known to be revoked is not served")
