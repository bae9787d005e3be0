"""The same over TLS: certificates are checked before anything is sent, deadlines and giving up work as well."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from auzolan.core.lm.apikey import ApiKey
from auzolan.core.lm.generate import in_order
from auzolan.core.lm.remote import Endpoint, Remote
from auzolan.core.lm.retry import Backoff
from auzolan.core.record.errors import StorageError
from tests.core.lm.loopback import (
    MODEL,
    Behave,
    Line,
    Loopback,
    Seen,
    Time,
    all_at_once,
    asks,
    at_first,
    cut_short,
    drips,
    hangs_up,
    resets,
    serving,
    texts,
    well,
)

DAY = datetime.timedelta(days=1)
LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


def certificate(folder: Path, address: str = "127.0.0.1", last_day: int = 365 * 200) -> Path:
    """Write a self-signed certificate for `address` with its key, and return where it is."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(LONG_AGO)
        .not_valid_after(LONG_AGO + last_day * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


def context(path: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(path)
    return made


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    path = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return context(path)


def remote(server: Loopback, notices: list[str], tick_s: float = 0.0, timeout_s: float = 60.0) -> Remote:
    time = Time(tick_s)
    endpoint = Endpoint(server.url, MODEL, ApiKey("x"), timeout_s=timeout_s, backoff=Backoff(tries=3))
    return Remote(
        endpoint,
        lambda: 0.5,
        report=lambda p: notices.append(p.notice) if p.notice else None,
        clock=time.clock,
        pause=time.pause,
    )


def test_answers_come_over_tls(tls: ssl.SSLContext) -> None:
    notices: list[str] = []
    with serving(tls=tls) as server:
        found = in_order(remote(server, notices), asks(20))

    assert texts(asks(20)) == [c.text for c in found]
    assert [] == notices


@pytest.mark.parametrize("bad", [resets, hangs_up, cut_short], ids=["reset", "hang up", "cut short"])
def test_what_breaks_is_asked_again(tls: ssl.SSLContext, bad: Behave) -> None:
    notices: list[str] = []
    with serving(all_at_once(2, at_first(bad)), tls) as server:
        found = in_order(remote(server, notices), asks(2))

    assert texts(asks(2)) == [c.text for c in found]
    assert 2 == len(notices)


def test_a_connection_that_the_server_let_go_is_no_failure(tls: ssl.SSLContext) -> None:
    def once(seen: Seen, line: Line) -> None:
        well(seen, line)
        line.close()

    notices: list[str] = []
    with serving(lambda seen: once, tls) as server:
        found = in_order(remote(server, notices), asks(12))

    assert texts(asks(12)) == [c.text for c in found]
    assert [] == notices


def test_a_dripping_server_is_left_when_its_time_is_over(tls: ssl.SSLContext) -> None:
    notices: list[str] = []
    with serving(at_first(drips), tls) as server:
        found = in_order(remote(server, notices, tick_s=1.0, timeout_s=20.0), asks(1))

    assert texts(asks(1)) == [c.text for c in found]
    assert ["no whole answer within 20 s"] == [notice.split(": ")[-1] for notice in notices]


def test_a_run_that_is_given_up_leaves_no_thread(tls: ssl.SSLContext) -> None:
    released = threading.Event()

    def held(seen: Seen, line: Line) -> None:
        released.wait(timeout=20)

    with serving(lambda seen: well if seen.number == 1 else held, tls) as server:
        arriving = remote(server, [])(asks(20))
        next(arriving)
        arriving.close()
        ours = [thread for thread in threading.enumerate() if "_work" in thread.name]
        released.set()

    assert [] == ours


@pytest.mark.parametrize(
    ("address", "last_day", "known", "expected"),
    [
        ("127.0.0.1", 365 * 200, False, "self-signed certificate"),
        ("127.0.0.1", 1, True, "certificate has expired"),
        ("127.0.0.2", 365 * 200, True, "IP address mismatch"),
    ],
    ids=["unknown", "expired", "of another"],
)
def test_a_server_that_cannot_prove_who_it_is_is_sent_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, last_day: int, known: bool, expected: str
) -> None:
    path = certificate(tmp_path, address, last_day)
    if known:
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
    notices: list[str] = []
    with serving(tls=context(path)) as server:
        with pytest.raises(StorageError, match=expected):
            in_order(remote(server, notices), asks(3))

        assert [] == server.seen
    assert [] == notices
