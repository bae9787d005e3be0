"""Edge: what answers behind the gateway: an engine on this machine or a server elsewhere, and a judge."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from orjson import dumps, loads

from auzolan.cli.output import hint
from auzolan.cli.run.checklist import Choices
from auzolan.cli.run.declared import Declared
from auzolan.cli.run.model_files import Opened, open_files
from auzolan.core.kinds.answer import Answer
from auzolan.run.admission.lease import still_same
from auzolan.run.engine.engine_files import EngineFile, digest_of_program, find_program
from auzolan.run.engine.sandbox import Bwrap, find_bwrap
from auzolan.run.engine.supervise import EngineChild, EngineSettings
from auzolan.run.engine.upstream import NotReadyError, Upstream
from auzolan.run.gateway.house import JudgeCall

JSON = {"Content-Type": "application/json"}
MAX_JUDGED_BYTES = 1024 * 1024
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
async def on_this_machine(declared: Declared, job: Job) -> AsyncIterator[Answering]:
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
async def elsewhere(declared: Declared, job: Job) -> AsyncIterator[Answering]:
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


@asynccontextmanager
async def open_session(
    connector: aiohttp.BaseConnector, headers: Mapping[str, str], answer_s: float
) -> AsyncIterator[aiohttp.ClientSession]:
    """Open what asks a model, for so many seconds at most; without proxies of the environment and cookies."""
    timeout = aiohttp.ClientTimeout(total=answer_s, connect=10)
    async with aiohttp.ClientSession(
        connector=connector, headers=dict(headers), timeout=timeout, trust_env=False, auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:  # fmt: skip
        yield session


async def open_judge(opened: AsyncExitStack, job: Job) -> JudgeCall | None:
    """Return what asks the judge, open as long as the stack is; None where there is none."""
    if not job.choices.judge:
        return None
    from auzolan.run.engine.backend import read_address

    base, socket = read_address(job.choices.judge, plain_http=job.plain_http)
    connector: aiohttp.BaseConnector = aiohttp.UnixConnector(socket) if socket else aiohttp.TCPConnector()
    headers = {"Authorization": f"Bearer {job.judge_key}"} if job.judge_key else {}
    session = await opened.enter_async_context(open_session(connector, headers, 60.0))

    async def ask(messages: list[dict[str, str]]) -> str | None:
        body = {"model": job.judge_model or "judge", "messages": messages, "temperature": 0, "max_tokens": 1024}
        try:
            async with session.post(
                f"{base}/v1/chat/completions", data=dumps(body), headers=JSON, allow_redirects=False
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
