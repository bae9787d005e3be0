"""Edge: a language model behind any OpenAI-compatible server (vLLM, llama.cpp, Ollama, or a service).

Requests go out on a few threads, each with a connection of its own, so that
never more than `concurrency` are waited for at once. What may go better later
is tried again (`retry`); what will not ends the run with one error, after the
answers that are under way came in. A server that asks to wait (`Retry-After`)
is left alone by all threads.

Checks: the server's certificate; sizes, times and shapes of what comes; that an
answer does not hold the API key.
Does not check: which model really answers, or whether its token counts are true.
A request that timed out may still keep the server busy.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from typing import TypeAlias

from auzolan.core.lm.apikey import ApiKey
from auzolan.core.lm.chat import OWN_KEYS, chat_body, read_answer, read_complaint
from auzolan.core.lm.generate import Completion, Request
from auzolan.core.lm.retry import Backoff, is_retried, retry_after_s
from auzolan.core.lm.spending import Prices, Progress, Report, Usage, keep_quiet
from auzolan.core.lm.wire import (
    Address,
    BrokenExchangeError,
    Connection,
    Reply,
    UntrustedServerError,
    read_address,
)
from auzolan.core.record.canonical import JsonObject, JsonValue, check_signable
from auzolan.core.record.errors import AuzolanError, MalformedError, StorageError, UsageError

_PATH = "/chat/completions"
_MOST_THREADS = 256
_LAST_WAIT_S = 5.0


@dataclass(frozen=True)
class Endpoint:
    """A server and how to treat it.

    Attributes:
        url: what the API is below, such as "http://127.0.0.1:8000/v1".
        model: as the server calls it.
        key: where the server asks for one.
        concurrency: requests that are waited for at once, at most.
        timeout_s: for one whole answer.
        backoff: when to ask again.
        extra: settings that only this server knows, such as {"top_k": 0}; sent with every request.
    """

    url: str
    model: str
    key: ApiKey | None = None
    concurrency: int = 8
    timeout_s: float = 600.0
    backoff: Backoff = field(default_factory=Backoff)
    extra: Mapping[str, JsonValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        read_address(self.url)
        if not self.model:
            raise UsageError("server: expected the name of a model, got none")
        if not 1 <= self.concurrency <= _MOST_THREADS:
            raise UsageError(f"concurrency: expected 1 to {_MOST_THREADS}, got {self.concurrency:,}")
        if not 0 < self.timeout_s < math.inf:
            raise UsageError("timeout: expected a time above 0")
        check_signable(dict(self.extra), "extra")
        if clash := sorted(OWN_KEYS & set(self.extra)):
            raise UsageError(f"extra: {clash[0]} is a setting of its own and cannot be given here")

    @property
    def about(self) -> JsonObject:
        """Return what the answers depend on, for a record or a journal; where the server stands is not part of it."""
        return {"api": "openai/chat", "model": self.model, "extra": dict(self.extra)}

    @property
    def address(self) -> Address:
        """Return where the server is."""
        return read_address(self.url)

    @property
    def shows_key(self) -> bool:
        """Say whether the key goes over the network in the clear; whoever calls should say so."""
        return self.key is not None and self.address.is_open


class Remote:
    """A `Generate` that asks a server."""

    def __init__(
        self,
        endpoint: Endpoint,
        draw: Callable[[], float],
        *,
        prices: Prices | None = None,
        report: Report = keep_quiet,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            endpoint: the server.
            draw: gives a number in [0, 1) for the back-off's jitter; any thread may call it.
            prices: to count the cost.
            report: called after each answer and each failure, in the thread that takes the answers.
            clock: counts seconds.
            pause: waits so many seconds; by default a wait that ends early when the run ends.
        """
        self._endpoint = endpoint
        self._draw = draw
        self._prices = prices
        self._report = report
        self._clock = clock
        self._pause = pause

    def __call__(self, requests: Sequence[Request]) -> Generator[Completion, None, None]:
        """Ask the server; see `generate.Generate`."""
        different = list({request.id: request for request in requests}.values())
        if not different:
            return
        run = _Run(self._endpoint, self._draw, self._clock, self._pause, len(different))
        usage, n_retries = Usage(), 0
        try:
            for event in run.events(different):
                if isinstance(event, _Notice):
                    n_retries += 1
                    self._report(self._progress(len(different), usage, n_retries, event.text))
                    continue
                usage = usage.plus(event)
                self._report(self._progress(len(different), usage, n_retries))
                yield event
        finally:
            run.end()

    def _progress(self, n_requests: int, usage: Usage, n_retries: int, notice: str = "") -> Progress:
        cost = None if self._prices is None else self._prices.cost_micros(usage)
        return Progress(n_requests, usage, n_retries, cost, notice)


@dataclass(frozen=True)
class _Notice:
    """Something is tried again."""

    text: str


@dataclass(frozen=True)
class _Failed:
    """A request that ended without an answer; None: its thread was told to stop."""

    error: Exception | None


_Numbered: TypeAlias = "tuple[int, Request]"
_Event: TypeAlias = "Completion | _Notice | _Failed"


class _RetryError(Exception):
    """A later try may do better; `final` is what to raise if none did."""

    def __init__(self, final: AuzolanError, wait_s: float | None = None) -> None:
        super().__init__(str(final))
        self.final = final
        self.wait_s = wait_s


class _StoppedError(Exception):
    """The run ends; nothing more is asked."""


class _Run:
    """One call: its threads, and what they share."""

    def __init__(
        self,
        endpoint: Endpoint,
        draw: Callable[[], float],
        clock: Callable[[], float],
        pause: Callable[[float], object] | None,
        n_requests: int,
    ) -> None:
        self._endpoint = endpoint
        self._where = str(endpoint.address)
        self._path = endpoint.address.path + _PATH
        self._headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "auzolan"}
        if endpoint.key is not None:
            self._headers["Authorization"] = endpoint.key.header()
        self._draw, self._clock = draw, clock
        self._stop = threading.Event()
        self._pause = pause or self._stop.wait
        self._to_do: queue.SimpleQueue[_Numbered | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._gate = threading.Lock()  # guards the next line
        self._not_before = -math.inf
        self._n_requests = n_requests
        n_threads = min(endpoint.concurrency, n_requests)
        self._connections = [Connection(endpoint.address, endpoint.timeout_s, clock) for _ in range(n_threads)]
        # Daemons: a thread that waits for a name to be looked up must not keep the program from ending.
        self._threads = [
            threading.Thread(target=self._work, args=(connection,), daemon=True) for connection in self._connections
        ]

    def events(self, requests: Sequence[Request]) -> Generator[Completion | _Notice, None, None]:
        """Yield what happens until all is answered, or raise the first error after what was under way."""
        waiting = enumerate(requests, start=1)
        n_under_way = 0
        # Twice as many as are asked at once, so that no thread idles while the answers are used; not all of them,
        # so that answers do not pile up, unsaved, before a slow user.
        for numbered in islice(waiting, 2 * len(self._threads)):
            self._to_do.put(numbered)
            n_under_way += 1
        for thread in self._threads:
            thread.start()
        first_error: Exception | None = None
        while n_under_way:
            event = self._done.get()
            if isinstance(event, _Notice):
                yield event
                continue
            n_under_way -= 1
            if isinstance(event, Completion):
                if first_error is None and (following := next(waiting, None)):
                    self._to_do.put(following)
                    n_under_way += 1
                yield event
            elif first_error is None:
                first_error = event.error
        if first_error is not None:
            raise first_error

    def end(self) -> None:
        """Stop the threads; give up what is under way."""
        self._stop.set()
        for _ in self._threads:
            self._to_do.put(None)
        for connection in self._connections:
            connection.give_up()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(_LAST_WAIT_S / len(self._threads))

    def _work(self, connection: Connection) -> None:
        """Answer requests until there are no more; runs in a thread of its own."""
        try:
            while (numbered := self._to_do.get()) is not None:
                try:
                    self._done.put(self._answer(connection, *numbered))
                except _StoppedError:
                    self._done.put(_Failed(None))
                except Exception as error:  # whatever it is, the caller's thread must hear of it
                    self._stop.set()  # here, or this thread would ask once more before the caller's thread says so
                    self._done.put(_Failed(error))
        finally:
            connection.close()

    def _answer(self, connection: Connection, number: int, request: Request) -> Completion:
        """Ask until there is an answer or no hope."""
        body = chat_body(request, self._endpoint.model, self._endpoint.extra)
        backoff = self._endpoint.backoff
        about = f"{self._where}: request {number:,} of {self._n_requests:,} ({request.id[:16]})"
        for n_failures in count(1):
            self._wait_for_gate()
            try:
                return self._ask_once(connection, body, request, about)
            except _RetryError as failure:
                if self._stop.is_set():
                    raise _StoppedError from None
                if n_failures == backoff.tries:
                    kind, tried = type(failure.final), f"{backoff.tries} tries" if backoff.tries > 1 else "1 try"
                    raise kind(f"{failure.final} ({tried})") from None
                self._close_gate(failure, backoff)
                self._done.put(_Notice(str(failure)))
                self._pause(backoff.delay_s(n_failures, self._draw))
        raise AssertionError("counting ended")

    def _ask_once(self, connection: Connection, body: bytes, request: Request, about: str) -> Completion:
        try:
            reply = connection.post(self._path, self._headers, body)
        except BrokenExchangeError as error:
            raise _RetryError(StorageError(f"{about}: {error}")) from None
        except UntrustedServerError as error:
            raise StorageError(f"{about}: {error}") from None
        if reply.status != 200:
            raise self._refusal(reply, about)
        try:
            completion = read_answer(reply.body, request)
        except MalformedError as error:
            raise _RetryError(MalformedError(f"{about}: {error}")) from None
        key = self._endpoint.key
        words = f"{completion.text}\n{completion.model}".encode()
        if key is not None and (key.is_repeated_in(reply.body) or key.is_repeated_in(words)):
            raise StorageError(f"{about}: the server sent the API key back, so its answer is not kept")
        return completion

    def _refusal(self, reply: Reply, about: str) -> Exception:
        """Return the error for a status other than 200."""
        key, status = self._endpoint.key, reply.status
        complaint = read_complaint(reply.body)
        if key is not None and key.is_hinted_in(complaint):
            complaint = ""
        says = f"{about}: the server answered {status}" + (f" ({complaint})" if complaint else "")
        if is_retried(status):
            return _RetryError(StorageError(says), retry_after_s(reply.headers))
        if 300 <= status <= 399:
            return UsageError(f"{about}: the server sends us {_target(reply)} ({status}), which is not followed")
        if status in (401, 403):
            asks = "asks for an API key" if key is None else "refuses the API key"
            return UsageError(f"{self._where}: the server {asks} ({status})")
        if 400 <= status <= 499:
            return UsageError(says)
        return _RetryError(MalformedError(says))

    def _wait_for_gate(self) -> None:
        """Wait until the server wants to be asked again."""
        while not self._stop.is_set():
            with self._gate:
                left = self._not_before - self._clock()
            if left <= 0:
                return
            # A little more than asked, each another little, so that not all threads come back at once.
            self._pause(left + self._draw() * self._endpoint.backoff.first_s)
        raise _StoppedError

    def _close_gate(self, failure: _RetryError, backoff: Backoff) -> None:
        if failure.wait_s is None:
            return
        if failure.wait_s > backoff.patience_s:
            wait = f"it asks to wait {failure.wait_s:,.0f} s, and at most {backoff.patience_s:,.0f} s are waited"
            raise type(failure.final)(f"{failure.final}; {wait}") from None
        with self._gate:
            self._not_before = max(self._not_before, self._clock() + failure.wait_s)


def _target(reply: Reply) -> str:
    """Say where a redirect leads: a host and no more, for what follows it may be anything."""
    try:
        return f"to {read_address(reply.headers.get('location', '').partition('?')[0])!s:.100}"
    except UsageError:
        return "elsewhere"
