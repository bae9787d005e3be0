"""Edge: reading a published ledger over HTTP from any static web server.

Only GET, only http and https, no credentials, bounded sizes, and a bounded wait
for each part (a server that drips is not cut off). Nothing that comes back is
trusted; `verify` checks it all.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from hashlib import sha256

from auzolan.core.record.errors import MalformedError, MissingError, StorageError, UsageError
from auzolan.core.record.files import MAX_READ_BYTES

_TIMEOUT_S = 20
_MAX_BLOB_BYTES = 2**34
_CHUNK = 1024 * 1024


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
    """Files below a URL prefix."""

    def __init__(self, url: str) -> None:
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

    def read(self, path: str, limit: int = MAX_READ_BYTES) -> bytes:
        """Return the bytes at `path`; see `files.ReadFiles`."""
        return b"".join(self._chunks(path, limit))

    def digest(self, path: str) -> str:
        """Return the SHA-256 of the bytes at `path`; see `files.ReadFiles`."""
        state = sha256()
        for chunk in self._chunks(path, _MAX_BLOB_BYTES):
            state.update(chunk)
        return state.hexdigest()

    def _chunks(self, path: str, limit: int) -> Iterator[bytes]:
        address = self._prefix + path
        request = urllib.request.Request(address, headers={"User-Agent": "auzolan", "Accept-Encoding": "identity"})  # noqa: S310
        size = 0
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as response:
                if response.status != 200:
                    raise StorageError(f"{address}: the server answered {response.status}")
                while chunk := response.read(_CHUNK):
                    size += len(chunk)
                    if size > limit:
                        raise MalformedError(f"{path}: larger than {limit:,} bytes")
                    yield chunk
                # The library says nothing when a connection breaks before `Content-Length`; then nothing was checked.
                if response.length:
                    raise StorageError(f"{address}: the connection broke {response.length:,} bytes before the end")
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (404, 410):
                raise MissingError(f"{path}: not found at {self._prefix}") from None
            raise StorageError(f"{address}: the server answered {error.code}") from None
        except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise StorageError(f"{address}: cannot be read ({reason})") from None
