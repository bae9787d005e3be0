"""What a reading of a live Decidim has got so far, kept so that an interrupted one goes on.

A reading is a row of questions, each of which follows from the answers before.
So the answers are kept in their order, each in a file of its own; the next reading goes through them without asking,
and asks from the first that is missing. What is kept was parsed: masked texts, pseudonyms, counts; no names.

Checks: that what is kept belongs to the same reading (source, settings,
pseudonyms), and each answer to the question that is now asked.
Does not check: that nobody changed what is kept; it belongs into the commons' private folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from auzolan.core.record.canonical import JsonObject, as_object, read_json
from auzolan.core.record.errors import MalformedError, MissingError
from auzolan.core.record.files import Files

_FOLDER = "reading"
_ABOUT = f"{_FOLDER}/about.json"


class Steps:
    """The answers of one reading.

    Attributes:
        n_kept: how many came from an earlier run.
    """

    def __init__(self, files: Files, about: JsonObject) -> None:
        """Go on with what is kept, or begin anew where there is nothing, or something else.

        Raises:
            StorageError: the files cannot be read or written.
        """
        self._files, self._about = files, about
        self._n = self.n_kept = 0
        self._is_live = _read(files, _ABOUT) != about
        if self._is_live:
            self.finish()
            files.write_all({_ABOUT: _bytes(about)})

    def next(self, asked: str, ask: Callable[[], JsonObject]) -> JsonObject:
        """Return the answer to the next question, kept or asked for now.

        Args:
            asked: what is asked, in few words.
            ask: asks; what it raises leaves nothing behind.

        Raises:
            StorageError: the answer cannot be written.
        """
        self._n += 1
        path = f"{_FOLDER}/{self._n:07}.json"
        if not self._is_live:
            kept = _read(self._files, path)
            if kept is not None and kept.get("asked") == asked:
                self.n_kept += 1
                return as_object(kept.get("answer"), path)
            self._is_live = True  # from here on nothing that is kept follows from what was asked
        answer = ask()
        self._files.write_all({path: _bytes({"asked": asked, "answer": answer})})
        return answer

    def finish(self) -> None:
        """Forget what was kept: the reading is complete, or another one begins."""
        paths = [path for path in self._files.paths(_FOLDER) if path != _ABOUT]
        # First what says that the rest belongs together, so that after a crash in between nothing goes on from it.
        self._files.remove_all([_ABOUT])
        self._files.remove_all(paths)


def _read(files: Files, path: str) -> JsonObject | None:
    try:
        return as_object(read_json(files.read(path), path), path)
    except (MissingError, MalformedError):
        return None


def _bytes(value: JsonObject) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
