"""Rules as a community writes them: the TOML table of a `runtime-policy/v1`, read strictly.

A misspelt key, a topic that nothing uses, a rule that can never match: each is
refused with its place, for in rules what is passed over in silence is a hole.
Whether the articles exist, `check_articles` says; what the rules mean, `decide`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from auzolan.core.kinds.constitution import check_language
from auzolan.core.record.canonical import JsonObject, JsonValue, as_int, as_list, as_object, only_keys
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import check_digest
from auzolan.run.rules.facts import ALLOW, ANSWER, CUT, DENY, FULL, HOLD, REDACT, WARN, Matched
from auzolan.run.rules.forms import (
    OPERATOR,
    read_article,
    read_choice,
    read_id,
    read_line,
    read_prose,
    read_texts,
    read_yes_no,
)
from auzolan.run.rules.patterns import MAX_SEARCHED, check_topics, read_topic
from auzolan.run.rules.release import check_releases
from auzolan.run.rules.ruleset import (
    EFFECTS,
    INTEGRITY,
    LOG_VIEWS,
    PERSONAL,
    ROLE_MARKERS,
    SIDES,
    Condition,
    Judge,
    Limits,
    Rule,
    Rules,
)

MAX_RULES = 1_000
MAX_JUDGES = 50
MAX_NAMED = 1_000
MAX_JUDGED = 20_000
"""Characters of a judge's instructions, definitions and cases, each."""
_RELEASES = (HOLD, CUT, FULL)
_CONDITION_KEYS = frozenset(
    {
        "topics", "personal", "labels", "languages", "integrity", "tools", "adapters", "log_view", "named_human",
        "more_than",
    }
)  # fmt: skip
_RESERVED = frozenset({Matched.NOTHING_ALLOWS, Matched.UNDECLARED, Matched.ERROR})


def read_rules(table: JsonObject) -> Rules:
    """Read the rules of a loaded TOML file, or of the `table` of a `runtime-policy/v1`.

    Raises:
        MalformedError: with the place of the first thing that is wrong.
    """
    only_keys(as_object(table, "rules"), frozenset({"format", "title", "topics", "rules", "judges", "limits"}), "rules")
    if table.get("format") != Rules.FORMAT:
        raise MalformedError(f"rules: expected format = {Rules.FORMAT!r}")
    topics = tuple(read_topic(item, f"topics, number {place}") for place, item in _items(table, "topics", MAX_SEARCHED))
    check_topics(topics)
    judges = tuple(_read_judge(item, f"judges, number {place}") for place, item in _items(table, "judges", MAX_JUDGES))
    labels = {ROLE_MARKERS, *(each.violation for each in judges), *(each.no_verdict for each in judges)}
    rules = Rules(
        title=read_line(table.get("title"), "title"),
        topics=topics,
        rules=tuple(
            _read_rule(item, f"rules, number {place}", labels) for place, item in _items(table, "rules", MAX_RULES)
        ),
        judges=judges,
        limits=_read_limits(table.get("limits", {})),
    )
    _check_names(rules)
    _check_topics(rules)
    _check_labels(rules)
    _check_allowances(rules)
    check_releases(rules)
    return rules


def check_articles(rules: Rules, numbers: Collection[str]) -> None:
    """Check that every article exists that a rule or a judge is of.

    Args:
        rules: the operator's own, which are of none, pass.
        numbers: of the principles that the people ratified, and ids of the rights floor.

    Raises:
        MalformedError: one does not.
    """
    tied = [(f"rule '{each.id}'", each.article) for each in rules.rules]
    tied += [(f"judge '{each.id}'", each.article) for each in rules.judges]
    for where, article in tied:
        if article and article not in numbers:
            raise MalformedError(
                f"{where}: neither the constitution nor the rights floor has an article {article[:60]!r}; they have "
                f"{', '.join(sorted(numbers, key=_in_order)[:50]) or 'none'}"
            )


def _in_order(number: str) -> list[tuple[bool, int, str]]:
    """Sort 2.1 before 10.1, and ids of the rights floor after the numbers."""
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in number.split(".")]


def _items(table: JsonObject, key: str, at_most: int) -> Iterable[tuple[int, JsonValue]]:
    items = as_list(table.get(key, []), key)
    if len(items) > at_most:
        raise MalformedError(f"{key}: {len(items)} of them, at most {at_most} are allowed")
    return enumerate(items, 1)


def _read_rule(value: JsonValue, where: str, labels: Collection[str]) -> Rule:
    table = as_object(value, where)
    name = read_id(table.get("id"), f"{where}.id")
    where = f"rule '{name}'"
    only_keys(table, frozenset({"id", "effect", "article", "why", "when", "unless", "release"}), where)
    effect = read_choice(table.get("effect"), f"{where}: effect", EFFECTS)
    wanted = dict(as_object(table.get("when", {}), f"{where}: when"))
    side = read_choice(wanted.pop("side"), f"{where}: when.side", SIDES) if "side" in wanted else ""
    when = _read_condition(wanted, f"{where}: when", labels)
    unless = _read_condition(table["unless"], f"{where}: unless", labels) if "unless" in table else None
    if unless not in (None, Condition()) and when.implies(unless):
        raise MalformedError(f"{where}: it can never match: whenever `when` holds, `unless` holds too")
    if effect == REDACT and not when.personal:
        raise MalformedError(f"{where}: expected when.personal, the kinds of personal data to blot out")
    if "release" in table and (effect != DENY or side == "request"):
        raise MalformedError(f"{where}: release: only what denies answers has one")
    if side == ANSWER:
        _check_asked_of_answers(when, where)
        _check_asked_of_answers(unless or Condition(), where)
    release = read_choice(table["release"], f"{where}: release", _RELEASES) if "release" in table else HOLD
    return Rule(
        id=name,
        effect=effect,
        article=read_article(table.get("article"), f"{where}: article"),
        why=read_line(table.get("why"), f"{where}: why"),
        when=when,
        unless=unless,
        side=side,
        release=release,
    )


def _check_asked_of_answers(condition: Condition, where: str) -> None:
    """Refuse what is known of requests alone, in a rule for answers alone: it would be read as said of the answer."""
    if condition.languages or condition.more_characters is not None or ROLE_MARKERS in condition.labels:
        raise MalformedError(
            f"{where}: languages, more_than.characters and the label {ROLE_MARKERS!r} are of the request; "
            "leave out side = 'answer', or ask a judge about answers"
        )


def _read_condition(value: JsonValue, where: str, labels: Collection[str]) -> Condition:
    table = as_object(value, where)
    only_keys(table, _CONDITION_KEYS, where)

    def names(key: str, known: Collection[str] | None = None) -> frozenset[str]:
        if key not in table:
            return frozenset()
        found = read_texts(table[key], f"{where}.{key}", 200, MAX_NAMED, known)
        if not found:
            raise MalformedError(f"{where}.{key}: expected at least one name, got an empty list")
        return frozenset(found)

    more = as_object(table.get("more_than", {}), f"{where}.more_than")
    only_keys(more, frozenset({"characters", "tokens"}), f"{where}.more_than")
    if "more_than" in table and not more:
        raise MalformedError(f"{where}.more_than: expected characters or tokens")
    condition = Condition(
        topics=names("topics"),
        personal=names("personal", PERSONAL),
        labels=names("labels", labels),
        languages=names("languages"),
        integrity=names("integrity", INTEGRITY),
        tools=names("tools"),
        adapters=names("adapters"),
        log_view=names("log_view", LOG_VIEWS),
        named_human=read_yes_no(table["named_human"], f"{where}.named_human") if "named_human" in table else None,
        more_characters=_more(more, "characters", where),
        more_tokens=_more(more, "tokens", where),
    )
    for tag in condition.languages:
        check_language(tag, f"{where}.languages")
    for adapter in condition.adapters:
        check_digest(adapter, f"{where}.adapters")
    return condition


def _more(table: JsonObject, key: str, where: str) -> int | None:
    return as_int(table[key], f"{where}.more_than.{key}") if key in table else None


def _read_judge(value: JsonValue, where: str) -> Judge:
    table = as_object(value, where)
    name = read_id(table.get("id"), f"{where}.id")
    where = f"judge '{name}'"
    keys = {"id", "article", "effect", "why", "instructions", "definitions", "violates", "safe", "sides", "on_missing"}
    only_keys(table, frozenset(keys), where)
    article = read_article(table.get("article"), f"{where}: article")
    if not article:
        raise MalformedError(f"{where}: article: a judge judges by an article, not by '{OPERATOR}'")
    violates = read_texts(table.get("violates", []), f"{where}: violates", MAX_JUDGED, 100)
    if not violates:
        raise MalformedError(f"{where}: violates: expected at least one case that breaks the article")
    sides = read_texts(table["sides"], f"{where}: sides", 20, 2, SIDES) if "sides" in table else SIDES
    if not sides:
        raise MalformedError(f'{where}: sides: expected "request", "answer" or both')
    definitions = table.get("definitions", "")
    return Judge(
        id=name,
        article=article,
        effect=read_choice(table.get("effect", DENY), f"{where}: effect", (DENY, WARN)),
        why=read_line(table.get("why"), f"{where}: why"),
        instructions=read_prose(table.get("instructions"), f"{where}: instructions", MAX_JUDGED),
        definitions=read_prose(definitions, f"{where}: definitions", MAX_JUDGED) if definitions != "" else "",
        violates=violates,
        safe=read_texts(table.get("safe", []), f"{where}: safe", MAX_JUDGED, 100),
        sides=frozenset(sides),
        on_missing=read_choice(table.get("on_missing", DENY), f"{where}: on_missing", (DENY, WARN)),
    )


def _read_limits(value: JsonValue) -> Limits:
    table = as_object(value, "limits")
    only_keys(table, frozenset(Limits.RANGES), "limits")
    for key, item in table.items():
        least, most = Limits.RANGES[key]
        if as_int(item, f"limits.{key}", least) > most:
            raise MalformedError(f"limits.{key}: expected at most {most}, got {item}")
    return Limits(**{key: as_int(item, f"limits.{key}") for key, item in table.items()})


def _check_names(rules: Rules) -> None:
    _each_once((topic.id for topic in rules.topics), "topics")
    names = [each.id for each in rules.rules] + [each.id for each in rules.judges]
    _each_once(names, "rules and judges")
    for name in names:
        if name in _RESERVED:
            raise MalformedError(f"rules and judges: the id '{name}' is kept for what the program itself denies")


def _each_once(names: Iterable[str], where: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise MalformedError(f"{where}: the id '{name}' is given twice")
        seen.add(name)


def _check_topics(rules: Rules) -> None:
    """Check that rules and topics name each other, on the sides where both are."""
    used: set[str] = set()
    for rule in rules.rules:
        unless = rule.unless.topics if rule.unless else frozenset()
        for topic in sorted(rule.when.topics | unless):
            if topic not in rules.sides_of:
                known = ", ".join(sorted(rules.sides_of)[:50]) or "none"
                raise MalformedError(f"rule '{rule.id}': there is no topic {topic[:60]!r}; there are: {known}")
            if not rules.sides_of[topic] & rule.sides:
                raise MalformedError(
                    f"rule '{rule.id}': it is for the {rule.side}, and the topic '{topic}' is not looked for there"
                )
        used |= rule.when.topics | unless
    idle = [topic for topic in rules.sides_of if topic not in used]
    if idle:
        raise MalformedError(f"topic '{idle[0]}': no rule uses it")


def _check_labels(rules: Rules) -> None:
    """Check that the verdicts that rules name are given on their sides."""
    given: dict[str, frozenset[str]] = {ROLE_MARKERS: frozenset(SIDES)}
    for judge in rules.judges:
        for label in (judge.violation, judge.no_verdict):
            given[label] = given.get(label, frozenset()) | judge.sides
    for rule in rules.rules:
        for label in sorted(rule.when.labels | (rule.unless.labels if rule.unless else frozenset())):
            if not given[label] & rule.sides:
                raise MalformedError(f"rule '{rule.id}': it is for the {rule.side}, and no judge says '{label}' of it")


def _check_allowances(rules: Rules) -> None:
    """Check that something is allowed on both sides: what no rule allows is denied."""
    for side in SIDES:
        if not any(rule.effect == ALLOW and rules.can_match(rule, side) for rule in rules.rules):
            raise MalformedError(f"rules: no rule with effect = 'allow' is for the {side}, so all would be denied")
