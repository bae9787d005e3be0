"""That a discussion ends, whatever an API claims: in depth, in number, and where comments answer themselves.

Does not check: whether comments are missing.
"""

from __future__ import annotations

from collections.abc import Iterable

from auzolan.core.record.errors import MalformedError

MAX_DEPTH = 8  # Decidim allows 3
_TIMES, _MORE = 3, 100  # others may comment while it is read, and counts may be old


class Ending:
    """What came of one discussion, and what was asked about it."""

    def __init__(self, what: str, n_comments: int) -> None:
        """Begin.

        Args:
            what: is discussed, for errors.
            n_comments: as the API counts them.
        """
        self._what, self._n_comments = what, n_comments
        self._seen: set[int] = set()
        self._asked: set[int] = set()

    @property
    def n_seen(self) -> int:
        """How many comments came."""
        return len(self._seen)

    def is_new(self, number: int) -> bool:
        """Take a comment, and say whether it did not come before.

        Raises:
            MalformedError: far more came than there are.
        """
        if number in self._seen:
            return False
        self._seen.add(number)
        most = _TIMES * self._n_comments + _MORE
        if len(self._seen) > most:
            raise MalformedError(
                f"{self._what}: more than {most:,} comments came, and the API counts {self._n_comments:,}"
            )
        return True

    def deeper(self, answered: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return those comments, with the depth of what answers them, that are still to be asked about.

        None is asked about twice: a thread that answers itself would never end.

        Raises:
            MalformedError: they are deeper than Decidim lets anybody answer.
        """
        found = []
        for number, depth in answered:
            if number in self._asked:
                continue
            if depth > MAX_DEPTH:
                raise MalformedError(
                    f"{self._what}: comments are answered more than {MAX_DEPTH} deep, which Decidim does not allow"
                )
            self._asked.add(number)
            found.append((number, depth))
        return found
