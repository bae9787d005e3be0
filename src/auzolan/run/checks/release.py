"""How much of an answer may be sent while it is still coming, and where it stops.

Text goes in by pieces and comes out as far as no rule can still forbid it. What
comes out in all, where it stops and what was found are the same however it was
cut into pieces, whole answers included, because everything hangs on places in
the text, never on where a piece ended:

    a match     is known once the character after it is (`nets`); its key is that character's place
    a hit       (personal data) is known once nothing that comes can make it another (`personal.undecided_from`)
    events      first matches and hits are taken in the order of their keys, those of one key together, and only up
                to where all are known

The rules are asked when what was found has grown. If they deny:

    hold   nothing of the match is sent; all before its first character is
    cut    everything up to its last character is sent
    full   nothing at all is sent (and nothing before the end, whatever the rules say later)

A denial ends the answer at the last character of what is denied, at the latest.
What begins before that place and may not be sent is waited for, even where it
goes on behind it: the rules are asked about it too, and if they hold anything,
the answer ends where the first of all that is watched begins.

With `hold`, as many characters are held back as the longest match of a watched
topic has, in characters as they are compared, so hidden ones do not count. A
topic whose matches have no bound, or one beyond `MAX_HELD`, is looked for
every 256 characters in the last 1,256; a rule on it stops the answer where it
was looked for. Where all of the answer is held back, it is looked for in all of it.

What stands before a match is sent though it may end in the middle of a word
where a pattern asks for no end of one; the part is then not looked at as a word.

Not here: which rules there are, what is said instead of what was not sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple, Protocol

from auzolan.core.record.errors import UsageError
from auzolan.run.checks.nets import Net
from auzolan.run.checks.personal import find_in, undecided_from
from auzolan.run.checks.plain_text import Lane, Reader
from auzolan.run.checks.scan import NOTHING, Found, Scanner
from auzolan.run.rules.facts import ANSWER, CUT, FULL, HOLD, Decision
from auzolan.run.rules.release import MAX_HELD

STEP = 16
"""So many new characters are waited for; looking at fewer costs as much."""
_LOOK_EVERY, _LOOK_BACK = 256, 256 + MAX_HELD
_LET_GO_AT = 96
_CONTEXT = 66
"""Characters before a hit that decide where it begins."""


class Watched(Protocol):
    """What the rules can still stop: `auzolan.run.rules.decide.Watch`."""

    @property
    def release(self) -> str:
        """The strictest way among the rules that may still stop the answer."""
        ...

    @property
    def topics(self) -> frozenset[str]:
        """Those of which nothing may be sent."""
        ...

    @property
    def personal(self) -> frozenset[str]:
        """Kinds of personal data of which nothing may be sent."""
        ...


class _Event(NamedTuple):
    """Something found: a topic for the first time, or personal data.

    Attributes:
        key: where in the text the character after it is.
        start, end: where in the text it stands; of a watched topic, `start` is where any of its matches first begins.
        name: id or kind.
        is_hit: whether it is personal data.
    """

    key: int
    start: int
    end: int
    name: str
    is_hit: bool


class Release:
    """Lets one answer through.

    Attributes:
        stopped: the decision that ended it, None while none has.
        found: what was found so far, up to the denial, and what is watched and began before its end.
        sent: what was let through, in pieces.
    """

    def __init__(self, scanner: Scanner, side: str, decide: Callable[[Found], Decision], watch: Watched) -> None:
        """Begin.

        Args:
            scanner: what is looked for.
            side: "answer"; requests are scanned as a whole.
            decide: asks the rules; called at the start and when what was found has grown.
            watch: what those rules can stop.

        Raises:
            UsageError: another side.
        """
        if side != ANSWER:
            raise UsageError(f"only answers are released piece by piece, not {side!r}")
        self.stopped: Decision | None = None
        self.found = NOTHING
        self.sent: list[str] = []
        self._scanner, self._decide, self._watch = scanner, decide, watch
        self._full = watch.release == FULL
        self._waiting: list[str] = []
        self._n_waiting = 0
        self._begun = self._ended = False
        self._asked: tuple[Found, Decision] | None = None

    def _begin(self) -> None:
        """Make ready to look at the text piece by piece."""
        self._begun = True
        scanner, watch = self._scanner, self._watch
        self._held = scanner.longest(watch.topics) if watch.release == HOLD else 0
        self._longest = scanner.longest(scanner.topics)
        self._reader = Reader()
        self._seen: set[str] = set()  # topics of which an event was made
        self._widening: set[str] = set()  # topics of which a match may still come that begins before the first
        self._events: list[_Event] = []  # not taken yet, because earlier ones may still come
        self._blotted: list[tuple[int, int, str]] = []  # what is to be sent as a mark
        self._decided = 1  # place in the skeleton up to which all personal data is known
        self._n_looks = [0, 0]  # for each lane, how often was looked for topics without bounds
        reader = self._reader
        nets = scanner.bounded
        self._nets = [
            (net, lane) for net, lane in ((nets.skeleton, reader.skeleton), (nets.plain, reader.plain)) if net
        ]
        nets = scanner.boundless
        self._wide = [
            (net, lane) for net, lane in ((nets.skeleton, reader.skeleton), (nets.plain, reader.plain)) if net
        ]

    def feed(self, text: str) -> str:
        """Take in a piece; return what may be sent now.

        Raises:
            NotCheckedError: it could not be searched; nothing more may be sent.
        """
        if self.stopped is not None:
            return ""
        self._waiting.append(text)
        self._n_waiting += len(text)
        if self._full or self._n_waiting < STEP:
            return ""
        return self._advance()

    def finish(self, last: str = "") -> str:
        """Take in the last piece; return the rest of what may be sent: the text has ended.

        Raises:
            NotCheckedError: as `feed`.
        """
        if self.stopped is not None or self._ended:
            return ""
        is_whole = not self._begun and not self._waiting
        if is_whole and last.isascii() and self._scanner.scan(last, ANSWER) == NOTHING:
            return self._pass_whole(last)
        self._waiting.append(last)
        self._ended = True
        return self._advance()

    def _pass_whole(self, text: str) -> str:
        """Let a whole plain text through, in which nothing was found: most answers, at a third of the cost."""
        self._ended = True
        if self._is_denied_at_once() or not text:
            return ""
        self.sent.append(text)
        return text

    def _is_denied_at_once(self) -> bool:
        decision = self._ask(NOTHING)
        if decision.denied:
            self.stopped = decision
        return decision.denied

    def _advance(self) -> str:
        """Look at what came, ask the rules, and return what is sent now."""
        if not self._begun:
            self._begin()
            if self._is_denied_at_once():
                return ""
        reader = self._reader
        reader.read("".join(self._waiting))
        self._waiting.clear()
        self._n_waiting = 0
        if self._ended:
            reader.finish()
        self._look()
        horizon = self._look_for_personal() if self._scanner.personal else reader.raw_end + 1
        if self._events:
            end = self._take(horizon)
            if end is not None:
                return self._emit(end)
        if self._ended:
            return self._emit(reader.raw_end)
        sent = self._emit(min(horizon, self._limit()))
        self._let_go()
        return sent

    def _look(self) -> None:
        """Make events of topics that are there for the first time."""
        found: dict[str, _Event] = {}
        for net, lane in self._nets:
            if lane is self._reader.plain and lane.text == self._reader.skeleton.text:
                continue  # the skeleton was searched for the same
            for topic in net.topics_in(lane.text) or ():
                if topic not in self._seen:
                    place = net.first(topic, lane.text)
                    start, end = place.start + lane.start, place.end + lane.start
                    event = _Event(lane.raw_of(end), lane.raw_of(start), lane.raw_after(end), topic, False)
                    found[topic] = min(found.get(topic, event), event)
        if self._wide:
            self._look_wide(found)
        if found:
            self._seen.update(found)
            self._events += found.values()
            self._widening |= found.keys() & self._watch.topics
        if self._widening:
            self._widen()

    def _widen(self) -> None:
        """Let events of watched topics start where a match first does; it need not be the one that ends first."""
        still = set()
        for place, event in enumerate(self._events):
            if event.is_hit or event.name not in self._widening:
                continue
            start, longest = event.start, self._scanner.longest((event.name,))
            for net, lane in self._nets:
                first = net.first_start(event.name, lane.text)
                start = start if first is None else min(start, lane.raw_of(first + lane.start))
            self._events[place] = event._replace(start=start)
            if any(lane.raw_of(lane.end - longest) < start for _, lane in self._nets):
                still.add(event.name)
        self._widening = still

    def _look_wide(self, found: dict[str, _Event]) -> None:
        """Look for topics without bounds, at places that do not depend on how the text came."""
        for place, (net, lane) in enumerate(self._wide):
            if not self._full:
                n_due = (lane.end - 1) // _LOOK_EVERY
                for look in range(self._n_looks[place] + 1, n_due + 1):
                    self._look_once(net, lane, look * _LOOK_EVERY + 1, found)
                self._n_looks[place] = n_due
            if self._ended:
                self._look_once(net, lane, lane.end, found)

    def _look_once(self, net: Net, lane: Lane, end: int, found: dict[str, _Event]) -> None:
        back = lane.end if self._full else _LOOK_BACK + 2
        window = lane.text[max(0, end - back - lane.start) : end - lane.start]
        for topic in net.topics_in(window) or ():
            if topic not in self._seen:
                at = lane.raw_of(end - 1)
                event = _Event(at, at, at, topic, False)
                found[topic] = min(found.get(topic, event), event)

    def _look_for_personal(self) -> int:
        """Make events of personal data that is known by now; return up to where in the text all of it is."""
        lane, kinds = self._reader.skeleton, self._scanner.personal
        begin = self._decided - lane.start
        until = len(lane.text) if self._ended else undecided_from(lane.text, begin)
        for hit in find_in(lane.text, kinds, begin):
            if hit.start >= until:
                break
            start, end = hit.start + lane.start, hit.end + lane.start
            self._events.append(_Event(lane.raw_of(end), lane.raw_of(start), lane.raw_after(end), hit.kind, True))
            until = max(until, hit.end)
        self._decided = until + lane.start
        return self._reader.raw_end + 1 if self._ended else lane.raw_of(self._decided)

    def _take(self, horizon: int) -> int | None:
        """Take events up to a place; return where the text ends if the rules end it."""
        self._events.sort()
        n_due, end = 0, None
        for key, group in groupby(self._events, key=lambda event: event.key):
            if key > horizon:
                break
            events = list(group)
            found = _grown(self.found, events)
            decision = self._ask(found)
            if decision.denied:
                end = self._end(found, decision, events, self._events[n_due:], horizon)
                break
            self.found = found
            n_due += len(events)
            self._blot(events, decision.redacts)
        del self._events[:n_due]
        return end

    def _ask(self, found: Found) -> Decision:
        """Return what the rules say; they are not asked twice about the same."""
        if self._asked is None or self._asked[0] != found:
            self._asked = found, self._decide(found)
        return self._asked[1]

    def _blot(self, events: Iterable[_Event], kinds: frozenset[str]) -> None:
        self._blotted += [(each.start, each.end, each.name) for each in events if each.is_hit and each.name in kinds]

    def _end(
        self, found: Found, decision: Decision, denied: Sequence[_Event], waiting: Sequence[_Event], horizon: int
    ) -> int | None:
        """Stop, and return where; return None while something may come that begins before that and is watched.

        Args:
            found: what was found up to here.
            decision: the denial of it.
            denied: the events that it was made for.
            waiting: all that were not taken yet, those among them.
            horizon: up to where all personal data is known.
        """
        end = min(event.end for event in denied)
        if not self._ended and min(horizon, self._held_from()) < end:
            return None
        # Of what is not watched and ends behind the end, nobody knows whether it was seen yet.
        events = [
            each for each in waiting if each in denied or (each.start < end and (each.is_hit or self._is_watched(each)))
        ]
        wider = _grown(found, events)
        more = self._ask(wider)
        self.found, self.stopped = (wider, more) if more.denied else (found, decision)
        self._blot(events, decision.redacts | more.redacts)
        if self._full:
            return 0
        if decision.release != CUT or (more.denied and more.release != CUT):
            end = min([end, *(event.start for event in events if self._is_watched(event))])
        return end

    def _is_watched(self, event: _Event) -> bool:
        return event.name in (self._watch.personal if event.is_hit else self._watch.topics)

    def _limit(self) -> int:
        """Return up to where nothing can stand that must not be sent."""
        if self._full:
            return 0
        # What was found but not asked about yet.
        return min([self._held_from(), *(event.start for event in self._events)])

    def _held_from(self) -> int:
        """Return from where on a match may begin that is watched and not known yet."""
        limit = self._reader.raw_end
        if self._held:
            limit = min([limit, *(lane.raw_of(lane.end - self._held) for _, lane in self._nets)])
        return limit

    def _emit(self, until: int) -> str:
        """Send the text up to a place, with marks for what is blotted out."""
        reader = self._reader
        at, pieces = reader.raw_start, []
        while self._blotted and self._blotted[0][0] < until:
            start, end, kind = self._blotted[0]
            start = max(start, at)  # two of them may share a character that stands for several
            if end > until:
                until = start
                break
            pieces += [reader.between(at, start), f"[{kind}]"]
            at = max(at, end)
            del self._blotted[0]
        if until > at:
            pieces.append(reader.between(at, until))
        reader.drop(max(until, at))
        sent = "".join(pieces)
        if sent:
            self.sent.append(sent)
        return sent

    def _let_go(self) -> None:
        """Forget what no match to come can begin in."""
        if self._events:
            return  # where the first match of their topics begins is still looked for
        reader = self._reader
        for lane in (reader.skeleton, reader.plain):
            keep = lane.end - self._longest - 2
            if self._wide:
                keep = min(keep, lane.end - _LOOK_BACK - _LOOK_EVERY - 4)
            if lane is reader.skeleton and self._scanner.personal:
                keep = min(keep, self._decided - _CONTEXT)
            if keep - lane.start > _LET_GO_AT:
                lane.drop(keep)


def _grown(found: Found, events: Iterable[_Event]) -> Found:
    topics = {event.name for event in events if not event.is_hit} - found.topics
    personal = {event.name for event in events if event.is_hit} - found.personal
    return Found(found.topics | topics, found.personal | personal) if topics or personal else found
