"""A text as it is searched, with the way back to where in the text that stands.

Texts come in pieces (`Reader.read`) and are searched in two forms (`forms`),
each a `Lane`. What a text looks like in its lanes does not depend on how it was
cut: a character is taken in only when the next one shows that no mark follows.

    hidden characters   are not in the lanes
    marks               belong to the character before them
    white space         of a run, the first three are in the lanes, then one in 64

More than 30 marks or hidden characters in a row are not compared, and a reader
that is not told to keep everything leaves them out of the text itself (the
limit of Unicode's Stream-Safe Text Format, UAX 15). Halves of surrogate pairs
become U+FFFD. So whoever holds back a number of characters of a lane holds back
a bounded number of characters of the text.

Both lanes begin with a line end that is not in the text, and finished ones end with one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

import re2

from auzolan.run.checks.forms import HIDDEN, MARK, SPACE, SPACES, VISIBLE, plain_of, skeleton_of, sort_of, space_of

MAX_FOLLOWERS = 30
SPACES_KEPT, SPACES_PER_KEPT = 3, 64

_ODD = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\t\n\r ]{4}"
_odd_short, _odd_long = re.compile(_ODD), re2.compile(_ODD)
_LONG = 200
_PIECE = 32
_MOST_SIGNS = 1 << 14


def _even_characters() -> dict[int, str]:
    """Return the skeleton of every Latin-1 character that is itself in plain form, and one character in the other."""
    found = {}
    for code in range(0xA1, 0x100):
        char = chr(code)
        if sort_of(char) == VISIBLE and plain_of(char) == char and len(skeleton_of(char)) == 1:
            found[code] = skeleton_of(char)
    return found


_EVEN = _even_characters()
_UNEVEN_LATIN = bytes(code for code in range(0x80, 0x100) if code not in _EVEN)
_LATIN_SKELETON = bytes(ord(_EVEN.get(code, chr(code))) for code in range(0x100))
# Signs that a model's typography is full of; taken one for one here as by `skeleton_of`.
_TYPOGRAPHIC = tuple((char, skeleton_of(char)) for char in "’“”‘—–€•")


class Even(NamedTuple):
    """The forms of a text that stands one for one in both."""

    plain: str
    skeleton: str


def even_forms(text: str) -> Even | None:
    """Return both forms of a text if every character stands for one in each, and no run of white space is long.

    True of nearly every text without hidden characters or marks of their own; `Reader` does the others.
    """
    if text.isascii():
        forms = Even(text, text)
    else:
        skeleton = _latin_skeleton(text)
        try:
            forms = Even(text, skeleton) if skeleton is not None else _SIGNS.forms(text)
        except _OddError:
            return None
    if (_odd_short if len(text) < _LONG else _odd_long).search(forms.skeleton) is not None:
        return None
    return forms


class _OddError(Exception):
    """A character does not stand for one in both forms."""


class _Signs(dict[str, tuple[str, str]]):
    """The forms of characters that stand for one in each; the cache of all threads, in which nothing ever differs."""

    def __missing__(self, char: str) -> tuple[str, str]:
        sort = sort_of(char)
        found = plain_of(char), skeleton_of(char)
        if sort == SPACE:
            found = space_of(char), space_of(char)
        elif sort != VISIBLE or len(found[0]) != 1 or len(found[1]) != 1:
            raise _OddError
        if len(self) >= _MOST_SIGNS:
            self.clear()
        self[char] = found
        return found

    def forms(self, text: str) -> Even:
        """Return both forms of a text."""
        found = [self[char] for char in text]
        return Even("".join([plain for plain, _ in found]), "".join([look for _, look in found]))


_SIGNS = _Signs()


def _latin_skeleton(text: str) -> str | None:
    try:
        latin = text.encode("latin-1")
    except UnicodeEncodeError:
        for char, look in _TYPOGRAPHIC:
            text = text.replace(char, look)
        try:
            latin = text.encode("latin-1")
        except UnicodeEncodeError:
            return None
    skeleton = latin.translate(_LATIN_SKELETON, _UNEVEN_LATIN)
    return skeleton.decode("latin-1") if len(skeleton) == len(latin) else None


class Lane:
    """One form of a text as far as it has come.

    Attributes:
        text: what is kept of it; up to date once `Reader` has read a piece.
        start: how many characters before `text` were let go.
        end: how many characters there are, those let go included.
    """

    __slots__ = ("_added", "_norms", "_raw_end", "_raws", "end", "start", "text")

    def __init__(self) -> None:
        self.text, self.start, self.end, self._raw_end = "\n", 0, 1, 0
        self._added: list[str] = []  # not in `text` yet: joined once for each piece, so that work stays linear
        # From character _norms[i] on, characters stand one for one from _raws[i] on; ascending.
        self._norms, self._raws = [0, 1], [0, 0]

    def add_even(self, piece: str, raw: int) -> None:
        """Add characters that stand one for one in the text, from `raw` on."""
        if self.end - self._norms[-1] + self._raws[-1] != raw:
            self._norms.append(self.end)
            self._raws.append(raw)
        self._added.append(piece)
        self.end += len(piece)
        self._raw_end = raw + len(piece)

    def add(self, piece: str, raw: int, raw_end: int) -> None:
        """Add what stands for one character with its marks."""
        for place in range(self.end, self.end + len(piece)):
            if place - self._norms[-1] + self._raws[-1] != raw:
                self._norms.append(place)
                self._raws.append(raw)
        self._added.append(piece)
        self.end += len(piece)
        self._raw_end = raw_end

    def join(self) -> None:
        """Bring `text` up to date."""
        self.text += "".join(self._added)
        self._added.clear()

    def raw_of(self, place: int) -> int:
        """Return where in the text the character at `place` begins; where the text ends for what is not there yet."""
        if place >= self.end:
            return self._raw_end
        at = bisect_right(self._norms, place) - 1
        return min(self._raws[at] + place - self._norms[at], self._raw_end)

    def raw_after(self, place: int) -> int:
        """Return where in the text that has ended which the character before `place` stands for."""
        first = self.raw_of(place - 1)
        while place < self.end and self.raw_of(place) <= first:
            place += 1
        return max(self.raw_of(place), first)

    def drop(self, place: int) -> None:
        """Let go of what stands before `place`."""
        if place <= self.start:
            return
        self.text, self.start = self.text[place - self.start :], place
        if len(self._norms) > 1 and self._norms[1] <= place:
            known = bisect_right(self._norms, place) - 1
            del self._norms[:known], self._raws[:known]


class Reader:
    """Takes a text in, piece by piece.

    Attributes:
        raw: the text, but what was let go, what was left out, and the last character, which may still get marks.
        raw_start: how many characters before `raw` were let go.
        raw_end: how many characters were taken in.
        plain, skeleton: its two lanes.
    """

    __slots__ = (
        "_added",
        "_cluster",
        "_followers",
        "_keeps_all",
        "_more",
        "_shown",
        "_spaces",
        "plain",
        "raw",
        "raw_end",
        "raw_start",
        "skeleton",
    )

    def __init__(self, keeps_all: bool = False) -> None:
        """Begin; with `keeps_all`, positions in `raw` are those in what is read."""
        self._keeps_all = keeps_all
        self.raw, self.raw_start, self.raw_end = "", 0, 0
        self._added: list[str] = []
        self.plain, self.skeleton = Lane(), Lane()
        # The last character, what follows and belongs to it, how many those are, and what is seen of them all.
        self._cluster, self._shown, self._followers = "", "", 0
        self._more: list[str] = []
        self._spaces = 0  # how many white-space characters the text ends with

    def read(self, text: str) -> None:
        """Take in the next piece."""
        if text and not self._read_even(text):
            # What is odd in one place should not make all of a long text slow.
            for place in range(0, len(text), _PIECE):
                piece = text[place : place + _PIECE]
                if not self._read_even(piece):
                    for char in piece:
                        self._read_one(char)
        self._join()

    def _join(self) -> None:
        self.raw += "".join(self._added)
        self._added.clear()
        self.plain.join()
        self.skeleton.join()

    def _read_even(self, text: str) -> bool:
        """Take in a piece that stands one for one in both lanes; say whether it is one."""
        if self._followers or (self._spaces and (text[0] in SPACES or sort_of(text[0]) == SPACE)):
            return False
        whole = self._cluster + text
        forms = even_forms(whole)
        if forms is None or (not self._shown and self._cluster):
            return False
        plain, skeleton = forms
        raw = self.raw_end
        self._added.append(whole[:-1])
        self.raw_end += len(whole) - 1
        self.plain.add_even(plain[:-1], raw)
        self.skeleton.add_even(skeleton[:-1], raw)
        self._cluster = last = whole[-1]
        self._shown = space_of(last) if sort_of(last) == SPACE else last
        self._spaces = len(skeleton) - len(skeleton.rstrip(SPACES)) if skeleton[-1] in SPACES else 0
        return True

    def _read_one(self, char: str) -> None:
        sort = sort_of(char)
        if sort in (MARK, HIDDEN):
            self._followers += 1
            if self._followers <= MAX_FOLLOWERS or self._keeps_all:
                self._more.append("\ufffd" if "\ud800" <= char <= "\udfff" else char)
            if self._followers <= MAX_FOLLOWERS and sort == MARK:
                self._shown += char
            return
        self._take()
        self._cluster = self._shown = char
        if sort == SPACE:
            kept = self._spaces < SPACES_KEPT or self._spaces % SPACES_PER_KEPT == 0
            self._shown = space_of(char) if kept else ""
            self._spaces += 1
        else:
            self._spaces = 0

    def _take(self) -> None:
        """Take the last character in: nothing more can belong to it."""
        cluster = self._cluster
        if self._more:
            cluster += "".join(self._more)
            self._more.clear()
        if not cluster:
            return
        raw, shown = self.raw_end, self._shown
        self._added.append(cluster)
        self.raw_end += len(cluster)
        self.plain.add(plain_of(shown), raw, raw + len(cluster))
        self.skeleton.add(skeleton_of(shown), raw, raw + len(cluster))
        self._cluster, self._shown, self._followers = "", "", 0

    def finish(self) -> None:
        """Take in what is left: the text ends here."""
        self._take()
        for lane in (self.plain, self.skeleton):
            lane.add("\n", self.raw_end, self.raw_end)
        self._join()

    def between(self, start: int, end: int) -> str:
        """Return the text between two places, nothing where the second is not behind the first.

        What was let go is not there any more, and never makes a slice count from the end of what is.
        """
        start = max(start, self.raw_start)
        return self.raw[start - self.raw_start : max(start, end) - self.raw_start]

    def drop(self, raw: int) -> None:
        """Let go of the text before `raw`."""
        assert raw >= self.raw_start, "text that was let go does not come back"
        self.raw, self.raw_start = self.raw[raw - self.raw_start :], raw


def read_whole(text: str) -> Reader:
    """Return a whole text, finished; positions in it are those in `text`."""
    reader = Reader(keeps_all=True)
    reader.read(text)
    reader.finish()
    return reader


def skeleton_text(text: str) -> str:
    """Return a whole text as it looks."""
    forms = even_forms(text)
    return forms.skeleton if forms else read_whole(text).skeleton.text[1:-1]
