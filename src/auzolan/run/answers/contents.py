"""Edge: contents of conversations, kept only where the operator turned that on, and never longer than said.

    contents/HOUR/ID.json   messages and answer, readable by the owner alone

HOUR is when it was kept, in POSIX seconds, rounded down to the hour. So a
retention time that was shortened counts for what was kept before, too, and
everything goes up to an hour early rather than late. Nothing links a file to
a person; its name is the answer's id, which the person's receipt has.

Removing a file does not wipe the disk; whoever needs that encrypts the disk.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from pathlib import Path

from auzolan.core.record.canonical import JsonObject, JsonValue, canonical_bytes
from auzolan.core.record.errors import MalformedError, StorageError, UsageError
from auzolan.core.record.record import is_digest

HOUR_S = 3_600
DAY_S = 24 * HOUR_S
_HOUR = re.compile(r"[0-9]{12}")


class Contents:
    """The contents that are kept, of one service.

    Args:
        folder: where; made when the first is kept.
        allowed_days: `Service.retention_days`.
        days: for how long the operator keeps them; 0 for not at all.

    Raises:
        UsageError: that is longer than the service's record allows.
    """

    def __init__(self, folder: Path, allowed_days: int, days: int) -> None:
        if not 0 <= days <= allowed_days:
            raise UsageError(
                f"contents are to be kept for {days} days; the service's record allows at most {allowed_days}"
            )
        self._folder = folder
        self._days = days

    @property
    def kept(self) -> bool:
        """Whether contents are kept at all."""
        return self._days > 0

    def keep(self, identity: str, messages: JsonValue, answer: str, now: int) -> None:
        """Keep what was said, where that is turned on.

        Raises:
            StorageError: the disk did not take it; no part of it stays.
        """
        if not self.kept:
            return
        if not is_digest(identity):
            raise MalformedError("contents: expected the 64 hexadecimal digits of the answer's id")
        said: JsonObject = {"messages": messages, "answer": answer}
        data = canonical_bytes(said)
        folder = self._folder / f"{now - now % HOUR_S:012d}"
        place = folder / f"{identity}.json"
        try:
            self._folder.mkdir(0o700, parents=True, exist_ok=True)
            folder.mkdir(0o700, exist_ok=True)
            _write(place, data)
        except OSError as error:
            raise StorageError(f"cannot keep contents in {self._folder}: {error.strerror}") from None

    def find(self, identity: str, now: int) -> bytes | None:
        """Return what was kept with this answer, as JSON, or None."""
        if not is_digest(identity):
            raise MalformedError("contents: expected the 64 hexadecimal digits of the answer's id")
        try:
            for folder in self._hours():
                place = folder / f"{identity}.json"
                if not self._is_over(folder, now) and place.is_file():
                    return place.read_bytes()
        except OSError as error:
            raise StorageError(f"cannot read contents in {self._folder}: {error.strerror}") from None
        return None

    def expire(self, now: int) -> int:
        """Remove what is past its time, and everything where nothing may be kept; return how many answers' it was.

        To be called at the start and then every hour, also where nothing is kept.

        Raises:
            StorageError: something could not be removed.
        """
        n_removed = 0
        try:
            for folder in self._hours():
                if self._is_over(folder, now):
                    n_removed += sum(1 for _ in folder.iterdir())
                    shutil.rmtree(folder)
        except OSError as error:
            raise StorageError(f"cannot remove contents in {self._folder}: {error.strerror}") from None
        return n_removed

    def _hours(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        if stat.S_ISLNK(os.lstat(self._folder).st_mode):
            raise StorageError(f"{self._folder} is a symbolic link; contents stay in their own folder")
        found = (place for place in self._folder.iterdir() if _HOUR.fullmatch(place.name))
        return sorted(place for place in found if place.is_dir() and not place.is_symlink())

    def _is_over(self, folder: Path, now: int) -> bool:
        return not self.kept or int(folder.name) + self._days * DAY_S <= now


def _write(place: Path, data: bytes) -> None:
    """Write a new file whole; not flushed: nothing depends on it, and it may be lost."""
    file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
    except BaseException:  # half a conversation is no use to anybody
        place.unlink(missing_ok=True)
        raise
    finally:
        os.close(file)
