"""The community's rules as values: topics, rules, judges and limits, as `table` reads them.

Nothing here reads or decides. A judge becomes two rules: what it finds against
its article is denied (or warned of), and so is that it gave no verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from auzolan.core.record.errors import MalformedError
from auzolan.run.rules.facts import ALLOW, ANSWER, DENY, FULL, HOLD, REDACT, REQUEST, WARN, Topic

SIDES = (REQUEST, ANSWER)
EFFECTS = (ALLOW, DENY, REDACT, WARN)
INTEGRITY = ("verified", "claimed", "unverified")
LOG_VIEWS = ("fresh", "stale", "unwitnessed")
PERSONAL = ("card", "dni", "email", "iban", "ip", "nie", "phone")
"""Kinds of personal data that rules may name."""
ROLE_MARKERS = "role-markers"
VIOLATES = "violates:"
NO_VERDICT = "no-verdict:"
MISSING = ":no-verdict"
"""How the name of a rule ends that says what no verdict of a judge means."""


@dataclass(frozen=True)
class Condition:
    """What must hold: every part that is set; of the names in one part, one is enough.

    Attributes:
        topics, personal, labels, tools, adapters: that the facts must have one of, or empty.
        languages: of the text; "es" means "es-MX" too.
        integrity: levels.
        log_view: states of the copy of the log.
        named_human: whether a person who is responsible must be named, or must not be; None for either.
        more_characters: than so many must be in the text, or None.
        more_tokens: than so many must be allowed to the answer, or None.
    """

    topics: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    integrity: frozenset[str] = frozenset()
    tools: frozenset[str] = frozenset()
    adapters: frozenset[str] = frozenset()
    log_view: frozenset[str] = frozenset()
    named_human: bool | None = None
    more_characters: int | None = None
    more_tokens: int | None = None

    @property
    def growing(self) -> bool:
        """Whether it rests on what can turn up in an answer bit by bit, and then stays."""
        marked = any(not _of_judge(label) for label in self.labels)
        return bool(self.topics or self.personal) or marked or self.more_characters is not None

    @property
    def whole(self) -> bool:
        """Whether it rests on what is known of an answer only when all of it is there."""
        return bool(self.languages) or any(_of_judge(label) for label in self.labels)

    def implies(self, other: Condition) -> bool:
        """Return whether the other one holds whenever this holds, as far as each part shows by itself."""
        for name in ("topics", "personal", "labels", "languages", "integrity", "tools", "adapters", "log_view"):
            mine, others = getattr(self, name), getattr(other, name)
            if others and not (mine and mine <= others):
                return False
        for name in ("more_characters", "more_tokens"):
            mine, others = getattr(self, name), getattr(other, name)
            if others is not None and (mine is None or mine < others):
                return False
        return other.named_human is None or self.named_human is other.named_human


def _of_judge(label: str) -> bool:
    return label.startswith((VIOLATES, NO_VERDICT))


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        id: unique among rules and judges.
        effect: "allow", "deny", "redact" or "warn".
        article: that it is of, a principle's number or an id of the rights floor; "" for a rule of the operator, on
            which nobody has voted.
        why: in plain words.
        when: must hold.
        unless: takes the rule away where all of it holds, so it may not be empty; None for never.
        side: "request", "answer", or "" for both.
        release: of answers, where this may deny them: "hold", "cut" or "full".
    """

    id: str
    effect: str
    article: str
    why: str
    when: Condition
    unless: Condition | None = None
    side: str = ""
    release: str = HOLD

    def __post_init__(self) -> None:
        if self.unless == Condition():
            raise MalformedError(f"rule '{self.id}': unless: expected what must hold, or no unless at all")

    @property
    def sides(self) -> frozenset[str]:
        """The sides that it is for."""
        return frozenset({self.side} if self.side else SIDES)

    @property
    def redacts(self) -> frozenset[str]:
        """Kinds of personal data that it blots out."""
        return self.when.personal if self.effect == REDACT else frozenset()


@dataclass(frozen=True)
class Judge:
    """A question to a model that judges texts by one article.

    Attributes:
        id: unique among rules and judges.
        article: that it judges by.
        effect: of a violation, "deny" or "warn".
        why: in plain words, shown to whoever asked.
        instructions: what the judge is to do.
        definitions: of the words that the article uses, or "".
        violates: what breaks the article, one case each.
        safe: what may look like it and does not, one case each.
        sides: which texts it judges.
        on_missing: what no verdict means, "deny" or "warn".
    """

    id: str
    article: str
    effect: str
    why: str
    instructions: str
    definitions: str
    violates: tuple[str, ...]
    safe: tuple[str, ...]
    sides: frozenset[str]
    on_missing: str

    @property
    def violation(self) -> str:
        """The label of a text that breaks the article."""
        return VIOLATES + self.article

    @property
    def no_verdict(self) -> str:
        """The label of a text of which this judge said nothing that can be read."""
        return NO_VERDICT + self.id

    @property
    def rules(self) -> tuple[Rule, Rule]:
        """The rules that apply its verdicts. Its denials need all of an answer."""
        side = "" if len(self.sides) == len(SIDES) else next(iter(self.sides))
        missing = "A judge should have looked at the text and gave no verdict."
        return (
            Rule(
                self.id, self.effect, self.article, self.why, Condition(labels=frozenset({self.violation})),
                side=side, release=FULL,
            ),
            Rule(
                self.id + MISSING, self.on_missing, self.article, missing,
                Condition(labels=frozenset({self.no_verdict})), side=side, release=FULL,
            ),
        )  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What one runtime spends at most; the operator may set less.

    Attributes:
        answer_tokens: of one answer.
        answer_seconds: that one answer may take.
        request_characters: of one request, all messages together.
        requests_at_once: that are being answered.
        requests_waiting: behind them; further ones are turned away.
    """

    RANGES: ClassVar[dict[str, tuple[int, int]]] = {
        "answer_tokens": (1, 1_000_000),
        "answer_seconds": (1, 86_400),
        "request_characters": (1, 10_000_000),
        "requests_at_once": (1, 10_000),
        "requests_waiting": (0, 100_000),
    }

    answer_tokens: int = 1_024
    answer_seconds: int = 300
    request_characters: int = 32_000
    requests_at_once: int = 4
    requests_waiting: int = 32


@dataclass(frozen=True)
class Rules:
    """All rules of a `runtime-policy/v1`.

    Attributes:
        title: one line.
        topics: by the order of the file, as everything here.
        rules: as written; `all_rules` has those of the judges too.
        judges: asked about texts.
        limits: budgets.
    """

    FORMAT: ClassVar[str] = "runtime-policy/v1"

    title: str
    topics: tuple[Topic, ...]
    rules: tuple[Rule, ...]
    judges: tuple[Judge, ...] = ()
    limits: Limits = Limits()

    @cached_property
    def all_rules(self) -> tuple[Rule, ...]:
        """The rules as written, then those of the judges."""
        return self.rules + tuple(rule for judge in self.judges for rule in judge.rules)

    @cached_property
    def sides_of(self) -> dict[str, frozenset[str]]:
        """Id of a topic -> in which texts it is looked for."""
        return {topic.id: topic.sides for topic in self.topics}

    @cached_property
    def ask_language(self) -> bool:
        """Whether any rule asks about the language of a text."""
        asked = [each for rule in self.all_rules for each in (rule.when, rule.unless) if each]
        return any(each.languages for each in asked)

    @cached_property
    def personal_kinds(self) -> frozenset[str]:
        """The kinds of personal data that any rule asks about."""
        asked = [each for rule in self.all_rules for each in (rule.when, rule.unless) if each]
        return frozenset[str]().union(*(each.personal for each in asked))

    def topics_of(self, rule: Rule, side: str) -> frozenset[str]:
        """Return the topics of a rule's `when` that are looked for on a side."""
        return frozenset(topic for topic in rule.when.topics if side in self.sides_of[topic])

    def can_match(self, rule: Rule, side: str) -> bool:
        """Return whether a rule can ever match a text of a side."""
        return side in rule.sides and (not rule.when.topics or bool(self.topics_of(rule, side)))
