"""Who may come in: the Host, the Origin and the token of an HTTP request, before anything else of it is read.

A page in a browser can send requests to a server on the same machine, under a
name of its own that it lets point there (DNS rebinding), so the Host must be
one that this gateway was told of, however the address is bound. Other origins
are refused, and none is named in an answer, so that no page reads one.

Checks: method and path, Host, Origin, token, content type, in this order.
Does not check: the body, and TLS, which a proxy in front would have to bring.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hmac import compare_digest
from typing import NamedTuple, Protocol

from auzolan.core.record.errors import UsageError

MIN_TOKEN_CHARACTERS = 32
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_SCHEMES = ("http://", "https://")


class Refusal(NamedTuple):
    """Why a request is not served: HTTP status, a word for programs, a sentence for people."""

    status: int
    code: str
    message: str


class Headers(Protocol):
    """What is needed of a request's headers; names in lower case."""

    def get(self, key: str, default: str | None = None) -> str | None:
        """Return the value of the first of that name that can be read."""
        ...

    def get_all(self, key: str) -> list[str]:
        """Return the values of all of that name that can be read."""
        ...

    def __contains__(self, key: str) -> bool:
        """Say whether there is one, even one that cannot be read."""
        ...


@dataclass(frozen=True)
class Door:
    """What is let in.

    Attributes:
        hosts: allowed values of the Host header, in lower case, with the port.
        origins: allowed values of the Origin header; a request without one comes from no page.
        token: that every request but those for health must bear; hidden from `repr`.
    """

    hosts: frozenset[str]
    origins: frozenset[str]
    token: str = field(repr=False)

    def refusal(self, headers: Headers, authority: str | None, *, needs_token: bool) -> Refusal | None:
        """Say why a request may not come in; None if it may."""
        # All of them: which of two somebody before or behind this goes by cannot be known here.
        hosts = headers.get_all("host")
        if authority is not None:
            hosts = [*hosts, authority]
        if not hosts or any(host.lower() not in self.hosts for host in hosts):
            return Refusal(421, "wrong_host", "this gateway does not answer under that host name")
        if "origin" in headers:
            origins = headers.get_all("origin")
            if len(origins) != 1 or origins[0].lower() not in self.origins:
                return Refusal(403, "wrong_origin", "pages of that origin may not use this gateway")
        if needs_token and not self.bears_token(headers):
            return Refusal(401, "wrong_token", "a bearer token is needed: Authorization: Bearer TOKEN")
        return None

    def bears_token(self, headers: Headers) -> bool:
        """Say whether the token is there, in its header; the comparison takes as long for all that are not."""
        scheme, _, token = (headers.get("authorization") or "").partition(" ")
        return compare_digest(token.strip().encode(), self.token.encode()) and scheme.lower() == "bearer"


def make_door(port: int, token: str, hosts: tuple[str, ...] = (), origins: tuple[str, ...] = ()) -> Door:
    """Return the door of a gateway on loopback.

    Args:
        port: that it listens on.
        token: at least `MIN_TOKEN_CHARACTERS` long.
        hosts: further Host values, such as "assistant.example.org" behind a proxy.
        origins: such as "http://localhost:3000" for a chat page on this machine.

    Raises:
        UsageError: a token that can be guessed, or an origin that is none.
    """
    if len(token) < MIN_TOKEN_CHARACTERS or len(set(token)) < 10 or not token.isascii() or not token.isprintable():
        raise UsageError(f"the token is too weak: expected at least {MIN_TOKEN_CHARACTERS} random characters")
    for origin in origins:
        rest = next((origin[len(scheme) :] for scheme in _SCHEMES if origin.lower().startswith(scheme)), "")
        if not rest or "/" in rest or "*" in rest:
            raise UsageError(f"origin {origin[:80]!r}: expected one such as http://localhost:3000")
    own = frozenset(f"{host}:{port}" for host in LOOPBACK)
    return Door(own | {host.lower() for host in hosts}, frozenset(origin.lower() for origin in origins), token)


def json_wanted(headers: Headers) -> Refusal | None:
    """Refuse a body that is not said to be JSON: a page may send other types without asking (CORS)."""
    kind = (headers.get("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return Refusal(415, "wrong_content_type", "expected Content-Type: application/json")
    return None


def cors_headers(door: Door, headers: Headers) -> list[tuple[str, str]]:
    """Return what lets a page of an allowed origin read the answer; nothing for all others."""
    if "origin" not in headers:
        return []
    origins = headers.get_all("origin")
    if len(origins) != 1 or origins[0].lower() not in door.origins:
        return []
    origin = origins[0]
    return [("access-control-allow-origin", origin), ("vary", "Origin")]
