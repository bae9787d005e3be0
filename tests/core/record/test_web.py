"""Reading over HTTP, against a small server on loopback that answers as badly as servers can.

What a server sends is not trusted, so the question is only: bytes, "not found"
(MissingError), "could not be read" (StorageError), and never anything else.
"""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

import pytest

from auzolan.core.record.errors import MalformedError, MissingError, NotCheckedError, StorageError, UsageError
from auzolan.core.record.findings import Expectation
from auzolan.core.record.verify import verify_ledger
from auzolan.core.record.web import WebFiles
from tests.memory_files import MemoryFiles
from tests.town import NOW, Town, document, sign

Send = Callable[[bytes], object]
MIB = 2**20


def plain(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "Connection: close", "", ""]).encode() + body


def sized(body: bytes) -> bytes:
    return plain(body, f"Content-Length: {len(body)}")


def redirect(target: str) -> bytes:
    return plain(b"", f"Location: {target}", "Content-Length: 0", status="302 Found")


class Server(http.server.ThreadingHTTPServer):
    """Answers each path with raw bytes, and keeps what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.methods: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def files(self) -> WebFiles:
        return WebFiles(self.url)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up on an endless answer is what the tests want."""


class Handler(http.server.BaseHTTPRequestHandler):
    """Sends the bytes of `Server.answers`; an answer of the kind `endless:` never ends by itself."""

    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.methods.add(self.command)
        answer = self.server.answers.get(self.path, plain(b"", "Content-Length: 0", status="404 Not Found"))
        self.close_connection = True
        if answer == b"endless":
            self.wfile.write(plain(b""))
            while True:
                self.wfile.write(bytes(MIB))
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@contextmanager
def listening() -> Iterator[tuple[int, list[bytes]]]:
    """Listen on a port and keep the first bytes that anyone sends there."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                heard.append(b"connected")
                connection.sendall(b"220 ready\r\n")
                heard.append(connection.recv(100))

        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1], heard
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_file_is_read_and_hashed(server: Server) -> None:
    body = bytes(range(256)) * 5000
    server.answers["/tile/0/000"] = sized(body)

    assert body == server.files().read("tile/0/000")
    assert sha256(body).hexdigest() == server.files().digest("tile/0/000")
    assert server.methods == {"GET"}


def test_a_file_below_a_prefix_is_asked_for_below_it(server: Server) -> None:
    server.answers["/a/b/checkpoint"] = sized(b"x")
    for address in (f"{server.url}/a/b", f"{server.url}/a/b/", f"{server.url}/a/b//"):
        assert WebFiles(address).read("checkpoint") == b"x"

    assert server.asked == ["/a/b/checkpoint"] * 3


@pytest.mark.parametrize(
    "answer",
    [
        sized(b"whole"),
        plain(b"whole"),
        plain(b"5\r\nwhole\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
        plain(b"2\r\nwh\r\n3\r\nole\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
        b"HTTP/1.0 200 OK\r\n\r\nwhole",
    ],
)
def test_every_way_to_send_a_whole_file_is_read(server: Server, answer: bytes) -> None:
    server.answers["/file"] = answer

    assert server.files().read("file") == b"whole"


def test_an_empty_file_is_read(server: Server) -> None:
    server.answers["/file"] = sized(b"")

    assert server.files().read("file") == b""
    assert sha256(b"").hexdigest() == server.files().digest("file")


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
def test_what_is_not_there_is_missing(server: Server, status: str) -> None:
    server.answers["/file"] = plain(b"no such file", "Content-Length: 12", status=status)

    with pytest.raises(MissingError, match="file: not found at"):
        server.files().read("file")
    with pytest.raises(MissingError, match="file: not found at"):
        server.files().digest("file")


REFUSING = [
    *("201 Created", "204 No Content", "206 Partial Content", "304 Not Modified"),
    *("400 Bad Request", "401 Unauthorized", "429 Too Many Requests"),
    *("500 Internal Server Error", "503 Service Unavailable", "999 Unheard Of"),
]


@pytest.mark.parametrize("status", REFUSING)
def test_a_server_that_refuses_is_no_verdict(server: Server, status: str) -> None:
    server.answers["/file"] = plain(b"", "Content-Length: 0", status=status)

    with pytest.raises(StorageError, match=f"the server answered {status[:3]}"):
        server.files().read("file")


TRUNCATED = [
    plain(b"half", "Content-Length: 8"),
    plain(b"", "Content-Length: 8"),
    plain(bytes(MIB + 5), f"Content-Length: {MIB + 6}"),
    plain(b"8\r\nhalf", "Transfer-Encoding: chunked"),
    plain(b"4\r\nhalf\r\n", "Transfer-Encoding: chunked"),
    plain(b"4\r\nhalf\r\n4\r\n", "Transfer-Encoding: chunked"),
]


@pytest.mark.parametrize("answer", TRUNCATED, ids=["length", "nothing", "second read", "chunk", "no end", "next chunk"])
def test_an_answer_cut_short_could_not_be_read(server: Server, answer: bytes) -> None:
    """A broken connection is neither a file with another content nor a failed check."""
    server.answers["/file"] = answer

    with pytest.raises(StorageError):
        server.files().read("file")
    with pytest.raises(StorageError):
        server.files().digest("file")


@pytest.mark.parametrize(
    "answer",
    [
        plain(b"zz\r\nhalf\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
        plain(b"-4\r\nhalf\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
        plain(b"", *(f"X-Header-{number}: x" for number in range(200))),
        plain(b"", "X-Long: " + "x" * 100_000),
        b"\xff\xfe\xfd\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99999999999999999999 OK\r\n\r\n",
        b"",
        b"\r\n",
        b"not http at all",
    ],
)
def test_an_answer_that_is_not_http_could_not_be_read(server: Server, answer: bytes) -> None:
    server.answers["/file"] = answer

    with pytest.raises(StorageError):
        server.files().read("file")


def test_an_answer_larger_than_the_limit_is_refused(server: Server) -> None:
    server.answers["/file"] = sized(b"x" * 100)

    assert server.files().read("file", 100) == b"x" * 100
    with pytest.raises(MalformedError, match="file: larger than 99 bytes"):
        server.files().read("file", 99)


def test_an_answer_without_end_is_refused(server: Server) -> None:
    server.answers["/file"] = b"endless"

    with pytest.raises(MalformedError, match="file: larger than 3,145,728 bytes"):
        server.files().read("file", 3 * MIB)


def test_an_answer_that_claims_an_absurd_length_is_not_believed(server: Server) -> None:
    server.answers["/file"] = plain(b"x", f"Content-Length: {10**18}")

    with pytest.raises((StorageError, MalformedError)):
        server.files().read("file", 10)


def test_a_redirect_within_http_is_followed(server: Server) -> None:
    server.answers["/old/file"] = redirect(f"{server.url}/new/file")
    server.answers["/relative"] = redirect("/new/file")
    server.answers["/new/file"] = sized(b"moved")

    assert server.files().read("old/file") == server.files().read("relative") == b"moved"


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/hostname",
        "FILE:///etc/hostname",
        "data:text/plain,content",
        "jar:http://127.0.0.1/",
        "gopher://127.0.0.1/",
        "javascript:1",
        "http://127.0.0.1:x/",
        "http://",
        "",
        "http://127.0.0.1:1/\x7f",
    ],
)
def test_a_redirect_to_anything_else_could_not_be_read(server: Server, target: str) -> None:
    server.answers["/file"] = redirect(target)

    with pytest.raises(NotCheckedError):
        server.files().read("file")


def test_a_redirect_to_ftp_is_not_followed(server: Server) -> None:
    with listening() as (port, heard):
        server.answers["/file"] = redirect(f"ftp://127.0.0.1:{port}/file")

        with pytest.raises(StorageError):
            server.files().read("file")
    assert heard == []


def test_redirects_in_a_circle_end(server: Server) -> None:
    server.answers["/file"] = redirect("/file")

    with pytest.raises(StorageError):
        server.files().read("file")
    assert len(server.asked) < 20


def test_a_server_that_is_not_there_could_not_be_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(StorageError, match="cannot be read"):
        WebFiles(f"http://127.0.0.1:{port}").read("checkpoint")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "checkpoint",
        "/etc/passwd",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "data:text/plain,x",
        "http:",
        "http:///path",
        "http://?",
        "http://host/?query",
        "http://host/?",
        "http://host/#fragment",
        "http://host/#",
        "http://user@host/",
        "http://user:password@host/",
        "http://:password@host/",
        "http://[",
        "http://[::1",
        "http://]/",
        "https://[not-an-address]/",
    ],
)
def test_an_address_that_is_not_plain_http_is_refused_at_once(url: str) -> None:
    with pytest.raises(UsageError):
        WebFiles(url)


def test_the_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        WebFiles("http://user:secret@host/")

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/ä", "http://127.0.0.1:1/a b", "http://127.0.0.1:x/", "http://a\nb/"]
)
def test_an_address_that_http_cannot_carry_is_no_verdict(url: str) -> None:
    with pytest.raises((UsageError, StorageError)):
        WebFiles(url).read("checkpoint")


def test_a_published_ledger_verifies_over_http(server: Server) -> None:
    town = Town()
    town.commit(sign(document()))
    server.answers = {f"/ledger/{path}": sized(data) for path, data in town.public.content.items()}
    files = WebFiles(f"{server.url}/ledger")
    verified = verify_ledger(files, Expectation(NOW, root=town.root.id))

    assert verified.entries == verify_ledger(town.public, Expectation(NOW)).entries
    assert all(path.startswith("/ledger/") for path in server.asked)


def test_a_ledger_whose_transfer_breaks_was_not_checked(server: Server) -> None:
    """Any file that arrives by halves must end in "could not be checked", not in "failed"."""
    town = Town()
    town.commit(sign(document()))
    whole: MemoryFiles = town.public
    read = [path for path in whole.content if not path.endswith(".p/1")]
    for broken in read:
        server.answers = {f"/{path}": sized(data) for path, data in whole.content.items()}
        data = whole.content[broken]
        server.answers[f"/{broken}"] = plain(data[: len(data) // 2], f"Content-Length: {len(data)}")

        with pytest.raises(NotCheckedError):
            verify_ledger(server.files(), Expectation(NOW))
    assert len(read) == 5
