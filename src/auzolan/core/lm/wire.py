"""Edge: one connection to one HTTP server, on which bodies are posted one after the other.

The deadline holds for a whole exchange, headers included, however slowly the
server drips. No redirect is followed, no proxy is used, no content coding is
accepted, and no answer is read beyond a limit.

Not covered by the deadline: looking up a host's name, and a TLS handshake whose
server drips it.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import urllib.parse
from collections.abc import Callable, Mapping
from typing import NamedTuple, cast

from auzolan.core.record.errors import UsageError

MAX_ANSWER_BYTES = 16 * 1024 * 1024


class BrokenExchangeError(Exception):
    """The connection did not bring a whole answer; a later one may."""


class LongAnswerError(BrokenExchangeError):
    """The answer is longer than is read; it will be so again."""


class UntrustedServerError(Exception):
    """The server's certificate does not hold; trying again changes nothing."""


class Address(NamedTuple):
    """Where a server is."""

    scheme: str
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def is_open(self) -> bool:
        """Say whether others on the network can read what is sent there."""
        return self.scheme == "http" and self.host not in ("localhost", "127.0.0.1", "::1")


def read_address(url: str) -> Address:
    """Parse the address that a server's API is below, such as "http://127.0.0.1:8000/v1".

    Raises:
        UsageError: it is no such address; a key may be in it, so that it is not repeated.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        raise UsageError("server address: expected one such as http://127.0.0.1:8000/v1") from None
    if parts.username is not None or parts.password is not None:
        raise UsageError("server address: it must not hold a user name, password or key")
    plain = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or "?" in url or "#" in url:
        raise UsageError("server address: expected http or https, a host, and no '?' or '#'")
    return Address(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))


class Reply(NamedTuple):
    """What a server answered; the headers' names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """A connection that is opened when needed and kept as long as the server keeps it.

    One thread posts; `give_up` may be called by any other.
    """

    def __init__(self, address: Address, timeout_s: float, clock: Callable[[], float]) -> None:
        """Open nothing yet.

        Args:
            address: of the server.
            timeout_s: for a whole exchange.
            clock: counts seconds.
        """
        self._timeout_s = timeout_s
        self._clock = clock
        self._deadline = 0.0
        self._socket: socket.socket | None = None  # set by the posting thread, shut down by `give_up`
        self._given_up = False  # set by `give_up`, for a thread that has no socket yet
        if address.scheme == "https":
            context = ssl.create_default_context()
            self._http: http.client.HTTPConnection = http.client.HTTPSConnection(
                address.host, address.port, timeout=timeout_s, context=context
            )
        else:
            self._http = http.client.HTTPConnection(address.host, address.port, timeout=timeout_s)

    def post(self, path: str, headers: Mapping[str, str], body: bytes, method: str = "POST") -> Reply:
        """Post `body`, or send it by another method, and return the whole answer.

        A connection that the server closed since the last exchange is opened again, and the request sent again.

        Raises:
            BrokenExchangeError: there was none, or too long a one, in words that hold nothing of what was sent or came.
            UntrustedServerError: the server could not prove who it is.
        """
        self._deadline = self._clock() + self._timeout_s
        try:
            return self._read(self._send(method, path, headers, body))
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise UntrustedServerError(f"its certificate does not hold ({error.verify_message})") from None
        except TimeoutError:
            self.close()
            raise BrokenExchangeError(f"no whole answer within {self._timeout_s:g} s") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise BrokenExchangeError(_reason(error)) from None

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> http.client.HTTPResponse:
        """Send, and read the answer's headers."""
        kept = self._http.sock is not None
        try:
            return self._send_once(method, path, headers, body)
        except (ConnectionError, http.client.BadStatusLine, ssl.SSLEOFError):
            # Servers close connections that they kept, at any time and without a word; that is no failure.
            if not kept:
                raise
        self.close()
        return self._send_once(method, path, headers, body)

    def _send_once(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> http.client.HTTPResponse:
        if self._http.sock is None:
            self._connect()
        self._http.request(method, path, body, dict(headers))
        return self._http.getresponse()

    def _connect(self) -> None:
        self._http.timeout = self._left_s()
        self._http.connect()
        self._socket = self._http.sock
        self._http.sock = cast(socket.socket, _TimedSocket(self._http.sock, self._left_s))

    def _left_s(self) -> float:
        left = self._deadline - self._clock()
        if left <= 0 or self._given_up:
            raise TimeoutError
        return left

    def _read(self, response: http.client.HTTPResponse) -> Reply:
        """Read the answer's body."""
        with response:
            body = response.read(MAX_ANSWER_BYTES + 1)
            if len(body) > MAX_ANSWER_BYTES:
                raise LongAnswerError(self._closed(f"an answer of more than {MAX_ANSWER_BYTES:,} bytes"))
            # The library says nothing when a connection breaks before `Content-Length`.
            if response.length:
                raise BrokenExchangeError(self._closed(f"the answer broke off {response.length:,} bytes early"))
        headers = {name.lower(): value for name, value in response.getheaders()}
        if headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            raise BrokenExchangeError("the answer is in a coding that was not asked for")
        return Reply(response.status, headers, body)

    def _closed(self, reason: str) -> str:
        self.close()
        return reason

    def close(self) -> None:
        """Close the connection; the next post opens another."""
        self._socket = None
        self._http.close()

    def give_up(self) -> None:
        """Make the posting thread's exchange fail at once, and all that follow."""
        self._given_up = True
        if (open_socket := self._socket) is not None:
            with contextlib.suppress(OSError):
                # Not an SSL socket's own method, which pulls the rug from under the thread that reads.
                socket.socket.shutdown(open_socket, socket.SHUT_RDWR)


def _reason(error: Exception) -> str:
    """Say what went wrong without what was sent or came, which errors of the library may hold."""
    if isinstance(error, http.client.IncompleteRead):
        return "the answer broke off"
    if isinstance(error, http.client.RemoteDisconnected):
        return "the server closed the connection without an answer"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"the server does not speak HTTP as it should ({type(error).__name__})"


class _TimedSocket:
    """What `http.client` needs of a socket, with a limit that is looked up before each wait."""

    def __init__(self, inner: socket.socket, left_s: Callable[[], float]) -> None:
        self._inner = inner
        self._left_s = left_s

    def sendall(self, data: bytes) -> None:
        self._inner.settimeout(self._left_s())
        self._inner.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._inner, self._left_s))

    def close(self) -> None:
        self._inner.close()


class _TimedReader(io.RawIOBase):
    """Reads from a socket; it keeps the socket open, as the library expects of a file made from one."""

    def __init__(self, inner: socket.socket, left_s: Callable[[], float]) -> None:
        self._inner = inner
        self._stream = inner.makefile("rb", buffering=0)
        self._left_s = left_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]  # typeshed's Buffer is 3.12's
        self._inner.settimeout(self._left_s())
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()
