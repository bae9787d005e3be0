"""Questions to a GraphQL API, one after the other, at a pace, and asked again where that may help.

Checks: TLS, or the same machine; that an answer is whole, is JSON and at most
`wire.MAX_ANSWER_BYTES` long; that no more requests a minute leave than were
agreed. No redirect is followed. Waits are bounded, also those that the server asks for.
Does not check: what the answer tells.

What a server says in its refusals may hold anything, so that little of it is
shown. Headers, in which tokens are, are shown nowhere.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeGuard

from auzolan.core.lm.retry import Backoff, is_retried, retry_after_s
from auzolan.core.lm.wire import (
    Address,
    BrokenExchangeError,
    Connection,
    LongAnswerError,
    Reply,
    UntrustedServerError,
    read_address,
)
from auzolan.core.record.canonical import JsonObject, JsonValue
from auzolan.core.record.errors import AuzolanError, MalformedError, StorageError, UsageError, VerificationError
from auzolan.deliberate.sources.cells import shown_name

PER_MINUTE = 90  # Decidim takes 100 (`DECIDIM_THROTTLING_MAX_REQUESTS`)
MAX_PER_MINUTE = 100
TIMEOUT_S = 60.0
BACKOFF = Backoff(tries=8, first_s=1.0, most_s=60.0, patience_s=600.0)
_TOO_MUCH = re.compile(r"complexity of|depth of|too complex", re.IGNORECASE)
_UNKNOWN = re.compile(r"Field '(\w{1,80})' doesn't exist on type '(\w{1,80})'")
_CODE = re.compile(r"[A-Za-z_]{1,60}")


class TooMuchError(Exception):
    """The answer would be, or was, larger than the server or this client allows; ask for less."""


class OutcomeUnknownError(Exception):
    """Whether a request that changes something took effect is not known."""


class Refusal(NamedTuple):
    """One of the errors in an answer.

    Attributes:
        message: what the server says.
        code: of the error, or "".
        unknown: name of the field that the schema does not have, or "".
    """

    message: str
    code: str
    unknown: str

    def __str__(self) -> str:
        return self.code if self.code.isupper() else shown_name(self.message)


class Said(NamedTuple):
    """What the API answered.

    Attributes:
        data: what was asked for, with null where it was not told; None where the question as such was refused.
        refusals: errors beside it.
    """

    data: JsonObject | None
    refusals: tuple[Refusal, ...]

    @property
    def why(self) -> str:
        """The first refusal, for a message."""
        return f" (it says: {self.refusals[0]})" if self.refusals else ""


class Api:
    """The API of one Decidim; close it when done.

    Attributes:
        address: of the API.
        n_requests: how many were sent.
    """

    def __init__(
        self,
        endpoint: str,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        draw: Callable[[], float],
        *,
        headers: Mapping[str, str] | None = None,
        per_minute: int = PER_MINUTE,
        timeout_s: float = TIMEOUT_S,
        backoff: Backoff = BACKOFF,
    ) -> None:
        """Open nothing yet.

        Args:
            endpoint: such as "https://decidim.example.org/api"; without a path, "/api" is added.
            clock: counts seconds.
            sleep: waits for seconds.
            draw: gives a number in [0, 1), so that clients do not all come back at once.
            headers: sent with each question, such as `Authorization`; never shown.
            per_minute: requests, at most.
            timeout_s: for one answer, however slowly it comes.
            backoff: how often is asked again.

        Raises:
            UsageError: no such address, or one that others on the network can listen to.
        """
        if not 1 <= per_minute <= MAX_PER_MINUTE:
            raise UsageError(f"requests a minute: expected 1 to {MAX_PER_MINUTE}, got {per_minute}")
        address = read_address(endpoint)
        if address.is_open:
            raise UsageError(f"{address}: expected https; http only works on the same machine")
        self.address: Address = address._replace(path=address.path or "/api")
        self.n_requests = 0
        self._clock, self._sleep, self._draw, self._backoff = clock, sleep, draw, backoff
        self._headers = _checked(headers or {})
        self._spacing_s, self._next_at = 60.0 / per_minute, -math.inf
        self._connection = Connection(self.address, timeout_s, clock)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def ask(self, query: str, variables: JsonObject) -> Said:
        """Return the answer to a question that changes nothing.

        Raises:
            StorageError: no answer came, however often it was asked, or only one that is too large.
            VerificationError, UsageError, MalformedError: as `ask_for_less`.
        """
        try:
            return self.ask_for_less(query, variables)
        except TooMuchError as error:
            raise StorageError(f"{self.address}: {error}") from None

    def ask_for_less(self, query: str, variables: JsonObject) -> Said:
        """Return the answer to a question that changes nothing and could be asked for less.

        Raises:
            TooMuchError: the answer is too large, or the question too complex for the server.
            StorageError: no answer came, however often it was asked.
            VerificationError: the server could not prove who it is.
            UsageError: there is no public API at the address.
            MalformedError: the answer is none of GraphQL.
        """
        failures, waited_s = 0, 0.0
        while True:
            reason, wait_s = "", None
            try:
                said = self._read(self._send(query, variables))
                if isinstance(said, Said):
                    return said
                reason, wait_s = said
            except LongAnswerError as error:
                raise TooMuchError(str(error)) from None
            except BrokenExchangeError as error:
                reason = str(error)
            failures += 1
            # After what the server asks for, too: else all whom it sent away would come back at once.
            wait_s = (wait_s or 0.0) + self._backoff.delay_s(failures, self._draw)
            waited_s += wait_s
            if failures >= self._backoff.tries or waited_s > self._backoff.patience_s:
                raise StorageError(f"{self.address}: no answer after {_times(failures)} ({reason})")
            self._sleep(wait_s)

    def change(self, query: str, variables: JsonObject) -> Said:
        """Return the answer to a question that changes something: it is sent once, or again where it was not taken.

        Raises:
            OutcomeUnknownError: it was sent, and no answer says whether it took effect.
            StorageError, VerificationError, UsageError, MalformedError: as for `ask`; nothing changed.
        """
        waited_s = 0.0
        while True:
            # On a kept connection, the transport sends again by itself when the server has closed it.
            self._connection.close()
            try:
                said = self._read(reply := self._send(query, variables))
            except BrokenExchangeError as error:
                raise OutcomeUnknownError(str(error)) from None
            except TooMuchError as error:
                raise StorageError(f"{self.address}: {error}") from None
            if isinstance(said, Said):
                return said
            reason, wait_s = said
            if reply.status != 429:  # any other may come from a proxy that had passed the question on
                raise OutcomeUnknownError(reason)
            wait_s = self._backoff.most_s if wait_s is None else wait_s
            waited_s += max(1.0, wait_s)
            if waited_s > self._backoff.patience_s:
                raise StorageError(f"{self.address}: it takes no more requests now ({reason})")
            self._sleep(wait_s)

    def _send(self, query: str, variables: JsonObject) -> Reply:
        self._keep_pace()
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {**self._headers, "Content-Type": "application/json", "Accept": "application/json"}
        try:
            return self._connection.post(self.address.path, headers, body)
        except UntrustedServerError as error:
            raise VerificationError(f"{self.address}: {error}") from None

    def _keep_pace(self) -> None:
        if (ahead_s := self._next_at - self._clock()) > 0:
            self._sleep(ahead_s)
        self._next_at = max(self._next_at, self._clock()) + self._spacing_s
        self.n_requests += 1

    def _read(self, reply: Reply) -> Said | tuple[str, float | None]:
        """Return the answer, or why there is none yet and how long the server asks to wait."""
        if is_retried(reply.status):
            return f"status {reply.status}", retry_after_s(reply.headers)
        if error := _unusable(self.address, reply.status):
            raise error
        answer = read_answer(reply.body)
        if answer is None:
            return f"status {reply.status} with something else than JSON", None
        said = _said(answer)
        if said is None:
            raise MalformedError(f"{self.address}: the answer (status {reply.status}) is none of a GraphQL API")
        if said.data is None and any(_TOO_MUCH.search(each.message) for each in said.refusals):
            raise TooMuchError(f"the question is too much for it{said.why}")
        return said


def _times(number: int) -> str:
    return "1 try" if number == 1 else f"{number} tries"


def _checked(headers: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in headers.items():
        if not (name.isascii() and value.isascii() and name.isprintable() and value.isprintable()):
            raise UsageError("a header for the API holds a line end or something else that no header may hold")
    return headers


def _unusable(address: Address, status: int) -> AuzolanError | None:
    """Return the error for a status after which asking again changes nothing."""
    if 300 <= status <= 399:
        return UsageError(
            f"{address}: it redirects to another address (status {status}), which is not followed; give that one"
        )
    if status in (401, 403):
        return UsageError(f"{address}: its API is not open to this request (status {status}); it may need a token")
    if status in (404, 405, 410):
        return UsageError(f"{address}{address.path}: there is no API of a Decidim (status {status})")
    return None


def read_answer(data: bytes) -> JsonValue:
    """Return JSON from outside, numbers rounded to whole ones; None where it is no JSON, or is null."""
    try:
        value: JsonValue = json.loads(data.decode("utf-8"), parse_float=_whole, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return value


def _whole(text: str) -> int:
    number = float(text)
    if not abs(number) < 2**53:
        raise ValueError("a number that is too large")
    return math.floor(number + 0.5)


def _no_number(text: str) -> int:
    raise ValueError(text)


def _said(answer: JsonValue) -> Said | None:
    if not isinstance(answer, dict) or not {"data", "errors"} & answer.keys():
        return None
    data, errors = answer.get("data"), answer.get("errors") or []
    if not isinstance(data, dict | None) or not isinstance(errors, list):
        return None
    if data is None and "data" in answer:
        data = {}
    return Said(data, tuple(_refusal(each) for each in errors))


def _refusal(error: JsonValue) -> Refusal:
    said = error if is_object(error) else {}
    more = said.get("extensions")
    message, code = said.get("message"), more.get("code") if is_object(more) else ""
    message = message if isinstance(message, str) else "an error without a message"
    found = _UNKNOWN.match(message)
    told = more.get("fieldName") if is_object(more) else None
    unknown = told if isinstance(told, str) and code == "undefinedField" else found[1] if found else ""
    return Refusal(message, code if isinstance(code, str) and _CODE.fullmatch(code) else "", unknown)


def is_object(value: JsonValue) -> TypeGuard[JsonObject]:
    """Say whether a value is an object."""
    return isinstance(value, dict)
