"""Edge: signs in to a Decidim with API credentials, and out again.

An administrator of the system makes the credentials (a key and a secret) in
Decidim's system panel, from 0.31. What comes back is a token in a header, which this module hands on and shows nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode

from auzolan.core.lm.wire import Address, BrokenExchangeError, Connection, Reply, UntrustedServerError, read_address
from auzolan.core.record.errors import MalformedError, StorageError, UsageError, VerificationError

_TIMEOUT_S = 30.0
_FORM = "application/x-www-form-urlencoded"
_MAX_TOKEN = 8192


@contextmanager
def signed_in(endpoint: str, key: str, secret: str, clock: Callable[[], float]) -> Iterator[Mapping[str, str]]:
    """Sign in, yield the headers for the API, and sign out whatever happens in between.

    Args:
        endpoint: such as "https://decidim.example.org/api".
        key, secret: of the API credentials.
        clock: counts seconds.

    Raises:
        UsageError: the address is none to sign in at, or the credentials are not accepted.
        StorageError: no answer came.
        VerificationError: the server could not prove who it is.
        MalformedError: no token came.
    """
    address = read_address(endpoint)
    if address.is_open:
        raise UsageError(f"{address}: expected https; a secret never leaves this machine unencrypted")
    address = address._replace(path=address.path or "/api")
    headers = _sign_in(address, urlencode({"api_user[key]": key, "api_user[secret]": secret}).encode(), clock)
    try:
        yield headers
    finally:
        _sign_out(address, headers, clock)


def _sign_in(address: Address, form: bytes, clock: Callable[[], float]) -> Mapping[str, str]:
    connection = Connection(address, _TIMEOUT_S, clock)
    reply = _exchange(connection, address, f"{address.path}/sign_in", {"Content-Type": _FORM}, form)
    if reply.status in (400, 401, 403, 422):
        raise UsageError(f"{address}: the API credentials are not accepted (status {reply.status})")
    if reply.status == 404:
        raise UsageError(f"{address}: this Decidim has no sign-in with API credentials; they came with 0.31")
    if not 200 <= reply.status <= 299:
        raise StorageError(f"{address}: signing in failed (status {reply.status})")
    token = reply.headers.get("authorization", "")
    if not token.startswith("Bearer ") or not token.isascii() or not token.isprintable() or len(token) > _MAX_TOKEN:
        raise MalformedError(f"{address}: signing in brought no token")
    return {"Authorization": token}


def _sign_out(address: Address, headers: Mapping[str, str], clock: Callable[[], float]) -> None:
    """Sign out; a token that could not be given back ends by itself, so that a failure is no error."""
    connection = Connection(address, _TIMEOUT_S, clock)
    try:
        connection.post(f"{address.path}/sign_out", headers, b"", method="DELETE")
    except (BrokenExchangeError, UntrustedServerError):
        return
    finally:
        connection.close()


def _exchange(connection: Connection, address: Address, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
    try:
        return connection.post(path, headers, body)
    except BrokenExchangeError as error:
        raise StorageError(f"{address}: signing in failed ({error})") from None
    except UntrustedServerError as error:
        raise VerificationError(f"{address}: {error}") from None
    finally:
        connection.close()
