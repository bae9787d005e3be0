"""Edge: reading a published ledger over HTTP from any static web server.

Only GET, only http and https, no credentials, bounded sizes, a bounded wait for
each part and a bounded time for each file, counted from its first part on (a
server that drips headers is not cut off). Nothing that comes back is trusted;
`verify` checks it all.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from hashlib import sha256

from auzolan.core.record.errors import MalformedError, MissingError, StorageError, UsageError
from auzolan.core.record.files import MAX_READ_BYTES

_TIMEOUT_S = 20
_FILE_S = 60
_BLOB_S = 600
_MAX_BLOB_BYTES = 2**34
_CHUNK = 64 * 1024
_GZIP_WINDOW = 31  # zlib's number for a gzip header and the largest window


def _opener() -> urllib.request.OpenerDirector:
    """Return an opener for http and https alone: a redirect to ftp or a file leads nowhere."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


class WebFiles:
    """Files below a URL prefix; `clock` counts seconds."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        try:
            parts = urllib.parse.urlsplit(url)
        except ValueError as error:
            raise UsageError(f"{url!r}: not an address ({error})") from None
        if parts.scheme not in ("http", "https") or not parts.netloc or "?" in url or "#" in url:
            raise UsageError(f"{url!r}: expected an http or https address without '?' or '#'")
        if parts.username or parts.password:
            raise UsageError("a ledger's address must not hold a user name or password")
        self._prefix = url.rstrip("/") + "/"
        self._opener = _opener()
        self._clock = clock

    def read(self, path: str, limit: int = MAX_READ_BYTES) -> bytes:
        """Return the bytes at `path`; see `files.ReadFiles`."""
        return b"".join(self._chunks(path, limit, _FILE_S))

    def digest(self, path: str) -> str:
        """Return the SHA-256 of the bytes at `path`; see `files.ReadFiles`."""
        state = sha256()
        for chunk in self._chunks(path, _MAX_BLOB_BYTES, _BLOB_S):
            state.update(chunk)
        return state.hexdigest()

    def _chunks(self, path: str, limit: int, time_s: float) -> Iterator[bytes]:
        """Yield the content in parts, in at most `limit` bytes and `time_s` seconds."""
        deadline = self._clock() + time_s
        address = self._prefix + path
        request = urllib.request.Request(address, headers={"User-Agent": "auzolan", "Accept-Encoding": "identity"})  # noqa: S310
        size = 0
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as response:
                if response.status != 200:
                    raise StorageError(f"{address}: the server answered {response.status}")
                for chunk in _decoded(_parts(response, address), response, address):
                    size += len(chunk)
                    if size > limit:
                        raise MalformedError(f"{path}: larger than {limit:,} bytes")
                    if self._clock() > deadline:
                        raise StorageError(f"{address}: not read whole within {time_s:,} seconds")
                    yield chunk
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (404, 410):
                raise MissingError(f"{path}: not found at {self._prefix}") from None
            if error.code == 403:
                about = "the server answered 403, as object stores do where there is no such file"
                raise MissingError(f"{path}: not found at {self._prefix} ({about})") from None
            raise StorageError(f"{address}: the server answered {error.code}") from None
        except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError, zlib.error) as error:
            reason = getattr(error, "reason", None) or error
            raise StorageError(f"{address}: cannot be read ({reason})") from None


def _parts(response: http.client.HTTPResponse, address: str) -> Iterator[bytes]:
    """Yield what the server sends, as it comes."""
    left = response.length  # None where the server does not say
    while part := response.read1(_CHUNK if left is None else min(_CHUNK, left)):
        yield part
        if left is not None:
            left -= len(part)
    # The library says nothing when a connection breaks before `Content-Length`; then nothing was checked.
    if left:
        raise StorageError(f"{address}: the connection broke {left:,} bytes before the end")


def _decoded(parts: Iterator[bytes], response: http.client.HTTPResponse, address: str) -> Iterator[bytes]:
    """Yield the content; some servers send gzip, though nobody asked them to (c2sp.org/tlog-tiles)."""
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding in ("", "identity"):
        yield from parts
        return
    if coding not in ("gzip", "x-gzip"):
        raise StorageError(f"{address}: the server sent it in the coding {coding[:40]!r}, which was not asked for")
    unzip = zlib.decompressobj(_GZIP_WINDOW)
    for part in parts:
        yield unzip.decompress(part, _CHUNK)
        while unzip.unconsumed_tail:
            yield unzip.decompress(unzip.unconsumed_tail, _CHUNK)
        if unzip.unused_data:
            raise StorageError(f"{address}: something follows its gzip")
    if not unzip.eof:
        raise StorageError(f"{address}: its gzip was cut short")
