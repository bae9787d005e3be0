"""What was sent to a Decidim, noted before and after, so that nobody is notified twice.

Before an answer is sent it is noted that this is intended; when it is known to
have been taken, that it was given. What is intended and not given may have been sent, or not: whoever finds that
must look, or ask somebody. A note that cannot be read counts as that, too.

Does not check: that one run at a time uses the notes; the caller locks them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from auzolan.core.record.canonical import as_object, canonical_bytes, read_json
from auzolan.core.record.errors import MalformedError, MissingError
from auzolan.core.record.files import Files

_FOLDER = "answers"
_UNREADABLE = ""


class Note:
    """What is noted of one answer; it holds a digest of it, no text.

    Args:
        store: where notes are; a private place that outlives an interruption.
        address: of the API.
        component, proposal: numbers.
        state, texts: what is to stand there; another answer for the same proposal is told apart.
    """

    def __init__(
        self, store: Files, address: str, component: int, proposal: int, state: str, texts: Mapping[str, str]
    ) -> None:
        where = sha256(address.encode()).hexdigest()[:16]
        said = canonical_bytes({"state": state, "texts": dict(texts)})
        self._store, self._digest = store, sha256(said).hexdigest()
        self._given = f"{_FOLDER}/{where}/{component}-{proposal}.json"
        self._intended = f"{_FOLDER}/{where}/{component}-{proposal}-intended.json"

    @property
    def is_given(self) -> bool:
        """Whether this answer was given, or stood."""
        return self._noted(self._given) == self._digest

    @property
    def may_be_sent(self) -> bool:
        """Whether this or another answer was about to be sent, and nobody knows what became of it."""
        given, intended = self._noted(self._given), self._noted(self._intended)
        return given == _UNREADABLE or intended not in (None, given)

    def intend(self) -> None:
        """Note that this answer is sent now.

        Raises:
            StorageError: it cannot be noted, so that nothing may be sent.
        """
        self._write(self._intended)

    def give(self) -> None:
        """Note that this answer was given, or stands.

        Raises:
            StorageError: it cannot be noted.
        """
        if not self.is_given:
            self._write(self._given)
        self.withdraw()

    def withdraw(self) -> None:
        """Note that nothing is in between: the answer was given, or is known not to have been taken."""
        if self._store.exists(self._intended):
            self._store.remove_all([self._intended])

    def _write(self, path: str) -> None:
        self._store.write_all({path: json.dumps({"answer": self._digest}).encode()})

    def _noted(self, path: str) -> str | None:
        """Return the digest that is noted, None where nothing is."""
        try:
            noted = as_object(read_json(self._store.read(path), path), path).get("answer")
        except MissingError:
            return None
        except MalformedError:
            return _UNREADABLE
        return noted if isinstance(noted, str) else _UNREADABLE
