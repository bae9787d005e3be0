"""Edge: a journal of answers on disk, so that none is asked for twice.

One JSON object a line, only ever added to. The first line says what the answers
depend on (the model, the settings); a journal begun with others is refused.

    {"sum":"<SHA-256 of the bytes of `is`>","is":{"format":...,"about":{...}}}
    {"sum":"...","is":{"request":"<id>","text":...,"finish":...,...}}

A process that is killed at any moment loses no line that it wrote whole. Lines
are flushed to the disk in batches, so a power cut may take the last `BATCH` of
them, whose requests are then asked again. What a kill or a power cut tore is
cut off when the journal is opened; damage further up is refused and named.

Checks: that each line is as it was written, that the model's name stays the
same, that one process at a time writes.
Does not check: that nobody made the journal up; sums are no signatures.
It holds what the model said, so it belongs into the commons' `private/`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from auzolan.core.lm.generate import Completion, Generate, Request, check_asked, read_completion, unanswered
from auzolan.core.record.canonical import (
    MAX_BYTES,
    JsonObject,
    JsonValue,
    as_object,
    canonical_bytes,
    read_canonical,
)
from auzolan.core.record.errors import MalformedError, StorageError, UsageError

FORMAT = "auzolan/answers/v1"
BATCH = 16
_BEFORE, _BETWEEN, _AFTER = b'{"sum":"', b'","is":', b"}\n"
_BODY_AT = len(_BEFORE) + 64 + len(_BETWEEN)
_MAX_LINE = _BODY_AT + MAX_BYTES + len(_AFTER)


class _Place(NamedTuple):
    """Where a line is."""

    offset: int
    length: int


def _line(value: JsonValue) -> bytes:
    body = canonical_bytes(value)
    return b"".join([_BEFORE, sha256(body).hexdigest().encode(), _BETWEEN, body, _AFTER])


def _body(line: bytes) -> bytes | None:
    """Return what a line says, None where it is not as it was written."""
    body = line[_BODY_AT : -len(_AFTER)]
    sum_ = sha256(body).hexdigest().encode()
    return body if line == b"".join([_BEFORE, sum_, _BETWEEN, body, _AFTER]) else None


class Journal:
    """Answers in a file that this process alone may write; close it, or use it in a `with`.

    Attributes:
        n_torn_bytes: what an interrupted run left behind and opening it cut off.
    """

    def __init__(self, path: Path, about: JsonObject) -> None:
        """Open the journal at `path`, or begin one.

        Args:
            path: of the file; its folder must be there.
            about: what the answers depend on, such as `remote.Endpoint.about`.

        Raises:
            UsageError: another process writes it, or it was begun with other settings.
            MalformedError: it is no journal, or it is damaged.
            StorageError: the disk did not do its part.
        """
        self._path = path
        self._places: dict[str, _Place] = {}
        self._end = 0
        self._n_unflushed = 0
        self._model: str | None = None
        self.n_torn_bytes = 0
        self._descriptor = self._open_locked()
        try:
            self._load(_line({"format": FORMAT, "about": about}))
        except BaseException:
            self.close()
            raise

    def _open_locked(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            descriptor = os.open(self._path, flags, 0o600)
        except OSError as error:
            reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
            raise StorageError(f"cannot open the journal {self._path}: {reason}") from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise StorageError(f"cannot open the journal {self._path}: it is no plain file")
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise UsageError(f"another process is writing the journal {self._path}") from None
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _load(self, first: bytes) -> None:
        try:
            size = os.fstat(self._descriptor).st_size
            with os.fdopen(os.dup(self._descriptor), "rb") as stream:
                lines = iter(lambda: stream.readline(_MAX_LINE), b"")
                self._check_first(next(lines, b""), first)
                self._end = min(size, len(first))
                self._read_answers(lines)
            if self._end < len(first):
                self._end = 0
                self._write(first)
            self._repair(size)
        except OSError as error:
            raise StorageError(f"cannot read the journal {self._path}: {error.strerror}") from None

    def _check_first(self, line: bytes, wanted: bytes) -> None:
        """Refuse a file that is no journal, or one of other settings."""
        if wanted.startswith(line):  # also an empty file, and one whose making was interrupted
            return
        body = _body(line)
        begun = as_object(read_canonical(body, f"{self._path}, line 1"), "the first line") if body else {}
        if begun.get("format") != FORMAT:
            raise MalformedError(f"{self._path}: expected a journal of answers ({FORMAT}) and found something else")
        now = as_object(read_canonical(wanted[_BODY_AT : -len(_AFTER)]), "about")
        raise UsageError(f"the journal {self._path} was begun with {_difference(begun, now)}; take another file")

    def _read_answers(self, lines: Iterator[bytes]) -> None:
        bad_at = n_bad = 0
        for number, line in enumerate(lines, start=2):
            body = _body(line)
            if n_bad or body is None:
                bad_at, n_bad = bad_at or number, n_bad + 1
            else:
                where = f"{self._path}, line {number}"
                self._remember(read_completion(read_canonical(body, where), where), _Place(self._end, len(line)))
                self._end += len(line)
            # What was never flushed is no longer than a batch, and only its lines can be torn.
            if n_bad > BATCH:
                raise MalformedError(f"{self._path}, line {bad_at}: it is not as it was written; the file is damaged")

    def _remember(self, completion: Completion, place: _Place) -> None:
        self._check_model(completion.model)
        self._model = completion.model
        self._places.setdefault(completion.request_id, place)

    def _check_model(self, model: str) -> None:
        if self._model is not None and model != self._model:
            names = f"{self._model[:80]!a}, now it is {model[:80]!a}"
            raise UsageError(f"the journal {self._path} holds answers of {names}; take another file")

    def _repair(self, size: int) -> None:
        """Cut off what was torn; make a new beginning durable before anything is asked."""
        self.n_torn_bytes = max(0, size - self._end)
        if self.n_torn_bytes:
            os.ftruncate(self._descriptor, self._end)
        # A killed process may have left lines that it did not flush; the next flush is for them too.
        self._n_unflushed = 1
        if size < self._end or not self._places:
            self.flush()
            self._flush_folder()

    def _flush_folder(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def __contains__(self, request: Request) -> bool:
        return request.id in self._places

    def __len__(self) -> int:
        return len(self._places)

    def unanswered(self, requests: Sequence[Request]) -> list[Request]:
        """Return the different requests that have no answer here, in their order."""
        return list({request.id: request for request in requests if request not in self}.values())

    def read(self, request: Request, *, cached: bool = True) -> Completion:
        """Return the answer to a request that is in the journal.

        Raises:
            MalformedError: the file was changed while it was open.
        """
        place = self._places[request.id]
        try:
            line = os.pread(self._descriptor, place.length, place.offset)
        except OSError as error:
            raise StorageError(f"cannot read the journal {self._path}: {error.strerror}") from None
        where = f"{self._path}, byte {place.offset:,}"
        body = _body(line)
        if body is None:
            raise MalformedError(f"{where}: it is not as it was written")
        found = read_completion(read_canonical(body, where), where)
        return replace(found, cached=cached)

    def add(self, completion: Completion) -> None:
        """Write an answer: on return, no end of this process can lose it.

        Raises:
            UsageError: it is of another model than those that are here.
            StorageError: the disk did not take it; the journal is closed.
        """
        self._check_model(completion.model)
        line = _line(completion.to_json())
        if len(line) > _MAX_LINE:
            raise MalformedError(f"an answer of {len(line):,} bytes is more than a journal takes")
        try:
            self._write(line)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._end)
            self.close()
            raise StorageError(f"cannot write the journal {self._path}: {error.strerror}") from None
        self._remember(completion, _Place(self._end - len(line), len(line)))
        self._n_unflushed += 1
        if self._n_unflushed >= BATCH:
            self.flush()

    def _write(self, line: bytes) -> None:
        view, at = memoryview(line), self._end
        while view:
            n_written = os.pwrite(self._descriptor, view, at)
            view, at = view[n_written:], at + n_written
        self._end = at

    def flush(self) -> None:
        """Make all answers durable, so that no power cut can lose them.

        Raises:
            StorageError: the disk did not do it; the journal is closed, for what it holds is not known.
        """
        if not self._n_unflushed:
            return
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self._n_unflushed = 0
            self.close()
            raise StorageError(f"cannot write the journal {self._path}: {error.strerror}") from None
        self._n_unflushed = 0

    def close(self) -> None:
        """Flush, and let others have the journal."""
        if self._descriptor < 0:
            return
        try:
            self.flush()
        finally:
            descriptor, self._descriptor = self._descriptor, -1
            if descriptor >= 0:
                os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


def _difference(begun: JsonObject, now: JsonObject) -> str:
    """Say in which setting two beginnings differ first."""
    before, after = as_object(begun.get("about"), "about"), as_object(now.get("about"), "about")
    for name in sorted(set(before) | set(after)):
        if before.get(name) != after.get(name):
            return f"{name[:40]} {_shown(before.get(name))}, now it is {_shown(after.get(name))}"
    return "other settings"


def _shown(value: JsonValue) -> str:
    return "nothing" if value is None else ascii(canonical_bytes(value).decode())[1:-1][:80]


class Resumed:
    """A `Generate` that asks another one only for what its journal does not hold."""

    def __init__(self, generate: Generate, journal: Journal) -> None:
        self._generate = generate
        self._journal = journal

    def __call__(self, requests: Sequence[Request]) -> Generator[Completion, None, None]:
        """Yield the completions in the order of the requests, each as it stands in the journal.

        Equal requests are answered once, and yielded once for each. An answer
        is in the journal before it is yielded; all are flushed when this ends.
        """
        journal = self._journal
        asked = {request.id: request for request in journal.unanswered(requests)}
        with closing(self._generate(list(asked.values()))) as arriving:
            try:
                for request in requests:
                    while request not in journal:
                        completion = next(arriving, None)
                        if completion is None:
                            raise unanswered(request.id)
                        journal.add(check_asked(completion, asked))
                    yield journal.read(request, cached=request.id not in asked)
            finally:
                journal.flush()
