"""Edge: a server that somebody else runs, by its address: its kind, what it serves, and how far that is known.

Checks:
1 The address: `http` leads only to this machine, unless it is allowed aloud; no key stands in it.
2 The kind, by what the server answers; redirects are not followed, proxies of the environment not used.
3 That every set of adapters that was promised is there: by name, or for llama.cpp by place and path.
4 vLLM: that a model with an adapter says what its parent is, and the bare one that it has none.
5 Ollama: the SHA-256 of the files that the model is made of, where the caller knows them, and that
  it brings no system prompt of its own.

Does not check: that the server tells the truth, and what it does later. So the best
integrity here is "claimed", and only Ollama reaches it: it alone names digests of files
(`FROM` and `ADAPTER` in `/api/show`). These are of GGUF files; the digest in its
`/api/tags` is of its own manifest, which no record of ours names. A template and
parameters that it adds are not compared. Everything else is "unverified".
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

from auzolan.core.kinds.answer import Engine
from auzolan.core.record.errors import NotCheckedError, UsageError, VerificationError
from auzolan.run.engine.upstream import KINDS, LORA, Slot, Upstream

MAX_ANSWER = 4 * 1024 * 1024
ASK_S = 10.0
_BLOB = re.compile(r"^(FROM|ADAPTER) .*sha256[-:]([0-9a-f]{64})\s*$", re.MULTILINE)
_MADE_OF = re.compile(r"^(FROM|ADAPTER)\s", re.MULTILINE)


@dataclass(frozen=True)
class Promised:
    """What whoever runs the service says about a server.

    Adapters are named as the service names them (the ids of their records), in its order.

    Attributes:
        url: its address; "/v1" at the end may be there or not. "unix:///path" for llama.cpp on a Unix socket.
        key: "" for none; never shown.
        kind: one of `KINDS`, "" to find out.
        models: of all kinds but llama.cpp: for each set of adapters, the model's name on the server.
        slots: of llama.cpp: for each adapter its place in the server's list and its scale.
        paths: of llama.cpp: for each adapter its path as the server lists it; those left out are not compared.
        digests: SHA-256 of GGUF files as admission knows them: "" for the model's, an adapter's name for its.
        plain_http: whether `http` may lead to another machine, where others can read and change everything.
    """

    url: str
    key: str = field(default="", repr=False)
    kind: str = ""
    models: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    slots: Mapping[str, Slot] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    plain_http: bool = False


def read_address(url: str, *, plain_http: bool = False) -> tuple[str, str]:
    """Return the base of a server's address, and the path of its Unix socket or "".

    Raises:
        UsageError: it is no address, holds a key, or leads to another machine without TLS.
    """
    if url.startswith("unix://"):
        path = url.removeprefix("unix://")
        if not path.startswith("/") or "\0" in path:
            raise UsageError("backend: expected unix:// and the whole path of a socket")
        return "http://engine", path
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError("backend: the address is not well formed") from None
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError("backend: expected an address such as http://127.0.0.1:8080")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise UsageError("backend: the address must hold no user, key, query or fragment")
    if parts.scheme == "http" and not plain_http and not _is_loopback(host):
        raise UsageError(f"backend: {host[:60]} is another machine and http is not encrypted; use https, or allow it")
    shown = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/").removesuffix("/v1")
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{path}", ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def probe(promised: Promised) -> Upstream:
    """Find out what a server is and whether it serves what was promised.

    Raises:
        UsageError: the address, the key or the kind is none, or what was promised is not served.
        VerificationError: the server says of itself something else than was promised.
        NotCheckedError: it does not answer, or not as such a server.
    """
    base_url, socket = read_address(promised.url, plain_http=promised.plain_http)
    if promised.kind and promised.kind not in KINDS:
        raise UsageError(f"backend: expected a kind of {', '.join(KINDS)}")
    if promised.key and (not promised.key.isascii() or not promised.key.isprintable() or " " in promised.key):
        raise UsageError("backend: the key holds something else than visible ASCII characters")
    headers = {"Authorization": f"Bearer {promised.key}"} if promised.key else {}
    connector = aiohttp.UnixConnector(socket) if socket else aiohttp.TCPConnector(force_close=True)
    timeout = aiohttp.ClientTimeout(total=ASK_S)
    async with aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout, trust_env=False) as session:
        server = _Server(session, base_url)
        kind = await _kind_of(server, promised.kind)
        version = await _version(server, kind)
        slots = await _slots(server, promised) if KINDS[kind].chosen_by == LORA else {}
        if KINDS[kind].chosen_by != LORA:
            await _check_models(server, promised, kind)
        loaded = await _claims(server, promised) if KINDS[kind].names_digests else {}
    return Upstream(
        base_url=base_url,
        socket=socket,
        kind=kind,
        engine=Engine(kind, version, "", "elsewhere"),
        integrity="claimed" if loaded else "unverified",
        headers=headers,
        slots=slots,
        models=dict(promised.models),
        loaded=loaded,
    )


class _Server:
    """Asks one server for JSON; its errors name paths, and neither its key nor what it said."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        self._session, self._base_url = session, base_url

    async def ask(self, path: str, body: object = None) -> object:
        """GET, or POST a body; None where the server has nothing there or no JSON."""
        method = "GET" if body is None else "POST"
        try:
            async with self._session.request(method, self._base_url + path, json=body, allow_redirects=False) as answer:
                if answer.status in (401, 403):
                    raise NotCheckedError(f"backend: {path}: the server refuses the key (status {answer.status})")
                if 300 <= answer.status < 400:
                    raise NotCheckedError(f"backend: {path}: the server sends elsewhere, which is not followed")
                data = b""
                async for piece in answer.content.iter_chunked(65_536):
                    data += piece
                    if len(data) > MAX_ANSWER:
                        raise NotCheckedError(f"backend: {path}: more than {MAX_ANSWER:,} bytes")
                found: object = json.loads(data) if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotCheckedError(f"backend: {path}: no answer ({type(error).__name__})") from None
        except (ValueError, RecursionError):
            return None
        return found


async def _kind_of(server: _Server, told: str) -> str:
    for name, kind in KINDS.items():
        if told and name != told:
            continue
        found = await server.ask(kind.asked_at or "/v1/models")
        if isinstance(found, dict) and all(each in found for each in kind.told_by or ("data",)):
            return name
    raise NotCheckedError(f"backend: the server does not answer as {told or 'any kind that is known'} does")


async def _version(server: _Server, kind: str) -> str:
    path, name = KINDS[kind].version_at
    found = await server.ask(path) if path else None
    version = found.get(name) if isinstance(found, dict) else None
    return "".join(each for each in version[:60] if "!" <= each <= "~") if isinstance(version, str) else ""


async def _slots(server: _Server, promised: Promised) -> dict[str, Slot]:
    """Check the places of adapters; return them and the server's others, so that requests turn those off."""
    found = await server.ask("/lora-adapters")
    if not isinstance(found, list) or not all(isinstance(each, dict) and type(each.get("id")) is int for each in found):
        raise NotCheckedError("backend: /lora-adapters: the server does not list its adapters")
    paths = {each["id"]: each.get("path") for each in found}
    wanted = [slot.place for slot in promised.slots.values()]
    if len(set(wanted)) != len(wanted):
        raise UsageError("backend: two adapters are promised at the same place")
    for name, slot in promised.slots.items():
        if slot.place not in paths:
            raise UsageError(f"backend: adapter {name[:12]}: the server has none at place {slot.place}")
        if paths[slot.place] != promised.paths.get(name, paths[slot.place]):
            raise VerificationError(f"backend: adapter {name[:12]}: the server has another file at its place")
    return dict(promised.slots) | {f"place:{place}": Slot(place) for place in paths if place not in wanted}


async def _check_models(server: _Server, promised: Promised, kind: str) -> None:
    if not promised.models:
        raise UsageError(f"backend: name the model that this {kind} server is to answer with")
    found = await server.ask("/v1/models")
    entries = found.get("data") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise NotCheckedError("backend: /v1/models: the server does not list its models")
    served = {str(each["id"]): each for each in entries if isinstance(each, dict) and "id" in each}
    for adapters, name in promised.models.items():
        if name not in served:
            raise UsageError(f"backend: the server has no model {name[:60]!r}")
        if kind == "vllm" and bool(served[name].get("parent")) != bool(adapters):
            meant = "an adapter" if adapters else "the bare model"
            raise VerificationError(f"backend: {name[:60]!r} is to be {meant}, and the server says that it is not")


async def _claims(server: _Server, promised: Promised) -> dict[str, str]:
    """Return what Ollama says it loaded, where all of it is what was expected; empty where nothing was expected."""
    loaded: dict[str, str] = {}
    for adapters, name in promised.models.items():
        found = await server.ask("/api/show", {"model": name})
        said = found.get("modelfile") if isinstance(found, dict) else None
        if not isinstance(found, dict) or not isinstance(said, str):
            raise NotCheckedError(f"backend: /api/show: the server does not say what {name[:60]!r} is made of")
        if found.get("system") or found.get("messages"):
            raise VerificationError(f"backend: {name[:60]!r} brings a system prompt or messages of its own")
        if any(each not in promised.digests for each in ("", *adapters)):
            continue
        wanted = [("FROM", promised.digests[""])] + [("ADAPTER", promised.digests[each]) for each in adapters]
        if _BLOB.findall(said) != wanted or len(_MADE_OF.findall(said)) != len(wanted):
            raise VerificationError(f"backend: {name[:60]!r} is made of other files than the service's")
        loaded["gguf"] = promised.digests[""]
        loaded |= {f"gguf.adapter.{place}": promised.digests[each] for place, each in enumerate(adapters, 1)}
    known = all(each in promised.digests for adapters in promised.models for each in ("", *adapters))
    return loaded if known else {}
