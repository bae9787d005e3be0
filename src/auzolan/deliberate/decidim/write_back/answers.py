"""What became of each proposal, as proposal answers: one CSV and one JSON per component, for Decidim's importer.

The importer takes a file whole or not at all, and a proposal of another component spoils it, hence one file each. It
asks for a column `state` or, in some versions, `status`, and reads `state`: both are written, with the same token.

Checks: only proposals of this Decidim; tokens that a state can have; no official answer of somebody else is replaced,
unless the caller says so; nothing is written again that has not changed, as every row notifies people.
Does not check: that each proposal comes once, is no amendment and is not withdrawn (those have no disposition).
Memory: one answer at a time.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.decidim.entities import Text
from auzolan.deliberate.decidim.texts import Cleaner, plain_text
from auzolan.deliberate.decidim.write_back.cells import row
from auzolan.deliberate.decidim.write_back.published import AnsweredProposal, Publication
from auzolan.deliberate.decidim.write_back.sentences import Speaker, outcome

Outcome = Literal["adopted", "deferred", "rejected"]
OUTCOMES: tuple[Outcome, ...] = ("adopted", "deferred", "rejected")
TOKENS: Mapping[Outcome, str] = {"adopted": "accepted", "deferred": "evaluating", "rejected": "rejected"}
OURS = "auzolan deliberate why"  # stands in every answer, in every language
_TOKEN = re.compile(r"[a-z0-9_]{1,60}")
_JSON_END = b"\n]\n"
_NO_ANSWER = ("", "not_answered")


class Chunk(NamedTuple):
    """Bytes to append to a file.

    Attributes:
        name: of the file.
        data: what comes next in it.
    """

    name: str
    data: bytes


class Given(NamedTuple):
    """An answer that is given.

    Attributes:
        component, proposal: numbers.
        state: token.
        outcome: what became of the proposal.
        texts: locale -> HTML.
    """

    component: int
    proposal: int
    state: str
    outcome: Outcome
    texts: Mapping[str, str]


@dataclass(frozen=True)
class AnswerOptions:
    """What is written.

    Attributes:
        tokens: outcome -> token of a state that every component has.
        outcomes: those that are written at all.
        replace: whether an official answer that did not come from here is replaced.
        repeat: whether an answer is written although the Decidim shows it already.
        per_file: how many answers a file holds; the rest of a component goes into further files. The import runs while
            a page waits for it, and a page that waits for thousands may give up.
    """

    tokens: Mapping[Outcome, str] = field(default_factory=lambda: dict(TOKENS))
    outcomes: Collection[Outcome] = OUTCOMES
    replace: bool = False
    repeat: bool = False
    per_file: int = 1_000


@dataclass(frozen=True)
class AboutAnswers:
    """What was written.

    Attributes:
        written: component -> outcome -> how many; component 0 where the source does not tell it.
        parts: component -> how many files of each form it has.
        left: "answered" (by somebody else), "unchanged" and "unchosen" -> how many were left out.
    """

    written: Mapping[int, Mapping[Outcome, int]]
    parts: Mapping[int, int]
    left: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many answers there are in all files of one form."""
        return sum(sum(counts.values()) for counts in self.written.values())


class AnswerFiles:
    """The files of answers, as chunks in the order in which they are to be appended; iterated once.

    Args:
        published: what they speak of, checked.
        answers: in any order; components may alternate.
        options: what is written.

    Raises:
        UsageError: a token is missing, or is none that an answer can have.
    """

    def __init__(
        self, published: Publication, answers: Iterable[AnsweredProposal], options: AnswerOptions | None = None
    ) -> None:
        self._published = published
        self._answers = answers
        self._options = options or AnswerOptions()
        self._speakers = [Speaker(published, locale) for locale in published.locales]
        self._written: dict[int, Counter[Outcome]] = {}
        self._parts: dict[int, int] = {}
        self._left: Counter[str] = Counter()
        check_tokens(self._options.tokens)
        if self._options.per_file < 1:
            raise UsageError("a file of answers holds at least one")

    def __iter__(self) -> Iterator[Chunk]:
        """Yield what to append.

        Raises:
            MalformedError: a proposal of another Decidim, or a disposition that is none.
        """
        for given in self.given():
            yield from self._row(given)
        for component, parts in sorted(self._parts.items()):
            yield Chunk(file_name(component, "json", parts), _JSON_END)

    def about(self) -> AboutAnswers:
        """Return what was written; valid after the iteration has ended."""
        written = {component: dict(counts) for component, counts in sorted(self._written.items())}
        return AboutAnswers(written, dict(sorted(self._parts.items())), dict(self._left))

    def given(self) -> Iterator[Given]:
        """Yield the answers themselves, for whoever gives them otherwise than by files; instead of iterating.

        Raises:
            MalformedError: a proposal of another Decidim, or a disposition that is none.
        """
        for answered in self._answers:
            key = answered.disposition.proposal
            if key.host != self._published.host:
                raise MalformedError(f"proposal {key.id} is of another Decidim than what is published back")
            became = _outcome(answered)
            texts = {speaker.locale: speaker.answer(answered) for speaker in self._speakers}
            state = self._options.tokens[became]
            if reason := self._left_out(answered, became, state, texts[self._published.main]):
                self._left[reason] += 1
            else:
                yield Given(key.component, key.id, state, became, texts)

    def _row(self, given: Given) -> Iterator[Chunk]:
        component = given.component
        yield from self._begun(component)
        self._written[component][given.outcome] += 1
        texts = given.texts.values()
        yield Chunk(self._file(component, "csv"), row([str(given.proposal), given.state, given.state, *texts]))
        item = json.dumps(
            dict(zip(self._columns, [given.proposal, given.state, given.state, *texts], strict=True)),
            ensure_ascii=False,
        )
        is_first = sum(self._written[component].values()) % self._options.per_file == 1 % self._options.per_file
        yield Chunk(self._file(component, "json"), (b"" if is_first else b",\n") + item.encode())

    def _begun(self, component: int) -> Iterator[Chunk]:
        """Begin a file of each form where the component has none, or a full one."""
        if sum(self._written.setdefault(component, Counter()).values()) % self._options.per_file:
            return
        if component in self._parts:
            yield Chunk(self._file(component, "json"), _JSON_END)
        self._parts[component] = self._parts.get(component, 0) + 1
        yield Chunk(self._file(component, "csv"), row(self._columns))
        yield Chunk(self._file(component, "json"), b"[\n")

    def _file(self, component: int, form: Literal["csv", "json"]) -> str:
        return file_name(component, form, self._parts[component])

    @property
    def _columns(self) -> list[str]:
        return ["id", "state", "status", *(f"answer/{locale}" for locale in self._published.locales)]

    def _left_out(self, answered: AnsweredProposal, became: Outcome, state: str, text: str) -> str:
        """Return why it is left out, or ""."""
        if became not in self._options.outcomes:
            return "unchosen"
        if not self._options.replace and is_answered_by_others(answered.state, answered.answer):
            return "answered"
        shown = answered.answer.get(self._published.main, "")
        if self._options.repeat or answered.state != state or OURS not in shown:
            return ""
        return "unchanged" if _gist(shown) == _gist(_as_read(text)) else ""


def file_name(component: int, form: Literal["csv", "json"], part: int = 1) -> str:
    """Return the name of a component's file."""
    more = f"-part-{part}" if part > 1 else ""
    return f"proposal-answers-component-{component or 'unknown'}{more}.{form}"


def is_answered_by_others(state: str, answer: Text) -> bool:
    """Whether a proposal has an official answer, or a state, that did not come from here."""
    words = [each for each in answer.values() if each.strip()]
    if any(OURS in each for each in words):
        return False
    return bool(words) or state not in _NO_ANSWER


def check_tokens(tokens: Mapping[Outcome, str]) -> None:
    """Check that every outcome has a token that an answer can have.

    Raises:
        UsageError: it has none.
    """
    for name in OUTCOMES:
        token = tokens.get(name, "")
        if not _TOKEN.fullmatch(token) or token in ("not_answered", "withdrawn"):
            raise UsageError(f"state for {name}: expected a token such as {TOKENS[name]}, of an answer")


def _outcome(answered: AnsweredProposal) -> Outcome:
    name = outcome(answered).name
    assert name != "merged", "what became of a merged proposal is never that it was merged"
    return name


def _as_read(answer: str) -> str:
    """Return an answer of ours as a reader would tell it after the next import: plain text, masked."""
    return Cleaner().clean(plain_text(answer))


def _gist(plain: str) -> str:
    """Return what an answer says, before it says how to check it: a new record alone is no news to anybody."""
    return "".join(plain.partition(OURS)[0].split())
