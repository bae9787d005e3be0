"""Edge: `auzolan run serve`: everything is opened in order, kept while it serves, and closed in reverse."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

import aiohttp
from orjson import dumps

from auzolan.cli.commons import Commons, PublishedCopy, open_key, promises
from auzolan.cli.run.answering import (
    BASE_SUFFIX,
    JSON,
    Answering,
    Job,
    elsewhere,
    on_this_machine,
    open_judge,
    open_session,
)
from auzolan.cli.run.declared import Declared, anchors_of, log_view_of, read_declared, revoked_in
from auzolan.cli.run.entrance import check_port, open_state, read_token
from auzolan.core.kinds.answer import TIME_STEP_S
from auzolan.core.kinds.run import Service
from auzolan.core.record.errors import VerificationError
from auzolan.core.record.keys import SigningKey
from auzolan.run.admission.revoked import SERVICE, Standing, standings_of
from auzolan.run.answers.contents import Contents
from auzolan.run.answers.log import AnswerLog
from auzolan.run.answers.seal import Sealer
from auzolan.run.checks.language import language_of
from auzolan.run.checks.scan import Scanner
from auzolan.run.engine.parameters import Limits
from auzolan.run.engine.turns import Turns
from auzolan.run.gateway.door import make_door
from auzolan.run.gateway.house import House, Variant, lowered
from auzolan.run.gateway.keeper import Chore, keep
from auzolan.run.gateway.server import Gateway, serve
from auzolan.run.gateway.talk import LOG
from auzolan.run.rules.refusal import openings
from auzolan.run.rules.ruleset import Limits as Spending

FLUSH_S, LOOK_S, LOG_S, EXPIRY_S = 1.0, 5.0, 60.0, 600.0
logger = logging.getLogger("auzolan.run")


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
            answering = await opened.enter_async_context(elsewhere(declared, job))
        else:
            answering = await opened.enter_async_context(on_this_machine(declared, job))
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
        open_session(connector, answering.engine_upstream.headers, rules.limits.answer_seconds)
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
        ask=lambda body: session.post(url, data=dumps(body), headers=JSON, allow_redirects=False),
        log=log,
        contents=_contents(service, job),
        turns=Turns(_at_once(job, rules.limits), rules.limits.requests_waiting),
        limits=Limits(max_tokens=rules.limits.answer_tokens),
        judge=await open_judge(opened, job),
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
