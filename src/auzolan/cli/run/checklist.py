"""Edge: the start checklist: what is on, what is off, and what stands against serving."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from auzolan.cli.commons import Commons, PublishedCopy, key_store
from auzolan.cli.run.declared import Declared, read_declared, revoked_in
from auzolan.cli.run.model_files import look
from auzolan.core.kinds.answer import TIME_STEP_S
from auzolan.core.record.errors import AuzolanError
from auzolan.run.admission.digests import Digests

OK, WARNING, AGAINST = "ok", "warning", "against"
GATEWAY = ("aiohttp", "granian", "orjson", "re2", "uvloop")
ENGINE = ("gguf", "xllamacpp")


class Line(NamedTuple):
    """One line of the checklist: what was looked at, how it stands, and a sentence."""

    name: str
    state: str
    said: str


@dataclass(frozen=True)
class Choices:
    """What the operator chose, as far as the checklist looks at it.

    Attributes:
        model: "pocket", a folder or a GGUF file; "" where a backend answers.
        backend: its address, "" for the engine on this machine.
        judge: address of a judge model, "" for none.
        sandbox: whether the engine is to be locked in.
        keep_days: so long contents are to be kept; 0 for not at all.
        batch_s: seconds between batches of the log; more often than `TIME_STEP_S` shows more of the order of answers.
        state: the runtime's own folder.
        port: to listen on.
    """

    model: str
    backend: str
    judge: str
    sandbox: bool
    keep_days: int
    batch_s: int
    state: Path
    port: int

    @property
    def overrides(self) -> tuple[str, ...]:
        """Safeguards that are turned off, as receipts name them."""
        off = [] if self.sandbox or self.backend else ["no-sandbox"]
        off += [f"batches-every-{self.batch_s}-s"] if self.batch_s < TIME_STEP_S else []
        return tuple(off + ([f"contents-kept-{self.keep_days}-days"] if self.keep_days else []))


def check_all(
    place: Commons | PublishedCopy, name: str | None, choices: Callable[[Declared], Choices]
) -> Iterator[Line]:
    """Yield all lines, in the order in which `serve` does the same; a record that is missing ends them."""
    yield _installed(GATEWAY, "gateway")
    try:
        declared = read_declared(place, name)
    except AuzolanError as error:
        yield Line("service", AGAINST, str(error))
        return
    chosen = choices(declared)
    yield _service(declared)
    yield from _standing(declared)
    yield from _log(declared)
    yield _tried("runtime key", lambda: _key(declared))
    yield from _files(declared, chosen)
    yield from _engine(chosen)
    yield from _rules(declared, chosen)
    yield from _privacy(declared, chosen)
    yield Line(
        "address", OK, f"127.0.0.1:{chosen.port} only, with a token, a list of hosts, and no page of another origin"
    )
    yield _state(chosen.state)


def _installed(names: tuple[str, ...], what: str) -> Line:
    lacking = [name for name in names if find_spec(name) is None]
    extra = "run" if names is GATEWAY else "run,engine"
    if lacking:
        return Line(what, AGAINST, f"{', '.join(lacking)} not installed: pip install 'auzolan[{extra}]'")
    return Line(what, OK, f"{', '.join(names)} installed")


def _tried(name: str, look_at: Callable[[], str]) -> Line:
    try:
        return Line(name, OK, look_at())
    except AuzolanError as error:
        return Line(name, AGAINST, str(error))


def _service(declared: Declared) -> Line:
    service = declared.service
    if date.fromisoformat(service.review_at) < datetime.now(UTC).date():
        return Line("service", WARNING, f"{service.name}: was to be looked at again by {service.review_at}")
    return Line("service", OK, f"{service.name}: {service.title}")


def _standing(declared: Declared) -> Iterator[Line]:
    revoked = revoked_in(declared.standings)
    n_records = len(declared.standings)
    beside = [name for name, each in declared.standings.items() if each.is_revoked and name not in revoked]
    if beside:
        yield Line("revoked", WARNING, f"{', '.join(beside)}: revoked; what was made with it is served all the same")
    if revoked:
        yield Line("revoked", AGAINST, f"{', '.join(revoked)}: revoked; what is known to be revoked is not loaded")
    elif not beside:
        yield Line("revoked", OK, f"none of the {n_records} records that it rests on is known to be revoked")


def _log(declared: Declared) -> Iterator[Line]:
    import time

    view, now = declared.log_view, time.time()
    standing = view.standing(now)
    if standing == "fresh":
        yield Line(
            "log", OK, f"{_counted(view.size, 'entry', 'entries')}, cosigned {_days(now - (view.cosigned_at or 0))} ago"
        )
    elif standing == "stale":
        age = _days(now - (view.cosigned_at or 0))
        yield Line("log", WARNING, f"stale: the newest cosignature is {age} old; answers say so, one level lower")
    else:
        yield Line("log", WARNING, "no witness has cosigned this copy; answers say so")


def _days(seconds: float) -> str:
    if seconds >= 2 * 86_400:
        return _counted(round(seconds / 86_400), "day", "days")
    return _counted(round(max(0.0, seconds) / 3600), "hour", "hours")


def _counted(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _key(declared: Declared) -> str:
    public = declared.service.runtime_key
    here = next((each for each in key_store().public_keys() if each.raw == public.raw), None)
    if here is None:
        return key_store().find(public.name).name  # raises, with the names of the keys that are here
    return f"{public.name} is on this machine"


def _files(declared: Declared, chosen: Choices) -> Iterator[Line]:
    if chosen.backend:
        yield Line("files", WARNING, "the model is elsewhere: nothing here can say what runs there, and answers say so")
        return
    try:
        admitted = look(declared, chosen.model, Digests(chosen.state / "digests"))
    except AuzolanError as error:
        yield Line("files", AGAINST, str(error))
        return
    n_adapters = len(admitted.adapters)
    adapters = _counted(n_adapters, "adapter", "adapters")
    yield Line("files", OK, f"{declared.service.base.name} and {adapters} are, byte for byte, what was signed")
    for warned in admitted.warnings:
        yield Line("files", WARNING, warned.text)


def _engine(chosen: Choices) -> Iterator[Line]:
    if chosen.backend:
        return
    yield _installed(ENGINE, "engine")
    if not chosen.sandbox:
        yield Line("sandbox", WARNING, "turned off: the engine can reach the network; answers say so, one level lower")
        return
    from auzolan.run.engine.sandbox import find_bwrap

    found = find_bwrap()
    if found.path:
        yield Line("sandbox", OK, "bubblewrap: the engine sees no network, no other file and no other process")
    else:
        yield Line("sandbox", WARNING, f"none: {found.why_not}; answers say so, one level lower")


def _rules(declared: Declared, chosen: Choices) -> Iterator[Line]:
    rules = declared.rulebook.rules
    n_searched = sum(len(topic.words) + len(topic.patterns) for topic in rules.topics)
    n_rules = _counted(len(rules.rules), "rule", "rules")
    yield Line("rules", OK, f"{n_rules}, {n_searched:,} words and patterns; what none allows is refused")
    if rules.judges and not chosen.judge:
        without = [each.id for each in rules.judges]
        state = AGAINST if all(each.on_missing == "deny" for each in rules.judges) else WARNING
        said = f"the rules ask {', '.join(without)}, and no judge is there (--judge URL)"
        yield Line("judge", state, said + ("; all would be refused" if state == AGAINST else ""))


def _privacy(declared: Declared, chosen: Choices) -> Iterator[Line]:
    service = declared.service
    if chosen.keep_days > service.retention_days:
        said = (
            f"to be kept for {_counted(chosen.keep_days, 'day', 'days')}; the service allows {service.retention_days}"
        )
        yield Line("contents", AGAINST, said)
    elif chosen.keep_days:
        days = _counted(chosen.keep_days, "day", "days")
        yield Line("contents", WARNING, f"texts are kept on this machine for {days}; answers say so")
    else:
        yield Line("contents", OK, "no text is kept; no name, address or session is written anywhere")
    yield Line("network", OK, "nothing is sent out" if not chosen.backend else f"texts go to {chosen.backend}")


def _state(folder: Path) -> Line:
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
        mode = stat.S_IMODE(os.stat(folder).st_mode)
    except OSError as error:
        return Line("folder", AGAINST, f"{folder}: {error.strerror}")
    if mode & 0o022:
        return Line("folder", AGAINST, f"{folder}: others can write it; chmod 700 it")
    with contextlib.suppress(OSError):
        left = os.statvfs(folder)
        if left.f_bavail * left.f_frsize < 64 * 2**20:
            return Line("folder", WARNING, f"{folder}: less than 64 MB are left; a full disk ends all answers")
    return Line("folder", OK, f"{folder}, for this user alone")
