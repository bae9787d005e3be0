"""What can go wrong between a client and a Decidim, as data that the server acts out."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """How one request is answered instead.

    Attributes:
        status: of the answer.
        body: of the answer; None for what the API would have answered.
        headers: beside those that belong to every answer.
        cut: only so many bytes are sent, though all are announced, and then the connection ends; -1 for all.
        truncate: only so many bytes are sent, and announced; -1 for all.
        drip_s: between bytes.
        acts: whether the request takes effect.
        is_silent: the connection ends without a byte, as one that a server no longer keeps.
    """

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = -1
    truncate: int = -1
    drip_s: float = 0
    acts: bool = True
    is_silent: bool = False


def status(number: int, **headers: str) -> Fault:
    """Return an answer with a status and a page of HTML, as a proxy gives it; the request does nothing."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(number, b"<html><h1>Sorry</h1></html>", {"Content-Type": "text/html", **named}, acts=False)


def cut(at: int = 40) -> Fault:
    """Return an answer that breaks off; the request has taken effect."""
    return Fault(cut=at)


def drip(pause_s: float) -> Fault:
    """Return an answer that comes byte by byte."""
    return Fault(drip_s=pause_s)


def page(body: bytes, kind: str = "text/html") -> Fault:
    """Return an answer of status 200 with something else in it."""
    return Fault(200, body, {"Content-Type": kind}, acts=False)
