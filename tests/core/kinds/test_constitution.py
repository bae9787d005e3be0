"""The kinds of record that ratifying adds: selections, drafts and constitutions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.kinds.constitution import Constitution, Draft, LeftOut, Principle, check_language, place_of
from auzolan.core.kinds.selection import Article, Certificate, Clause, NotIncluded, Outcome, Selection
from auzolan.core.record.canonical import MAX_INTEGER
from auzolan.core.record.errors import MalformedError
from auzolan.core.record.record import Record
from tests.core.kinds.shapes import changed, read_again
from tests.strategies import hex_digests, texts

ID, OTHER, THIRD = "a" * 64, "b" * 64, "c" * 64
MOST = MAX_INTEGER


def _principle(number: str = "1.1", *statements: int, **other: Any) -> Principle:
    fields: dict[str, Any] = {
        "number": number, "text": f"Words of {number}.", "language": "en", "transformation": "verbatim", "editor": "",
        "statements": statements or (1,), "standing": "selected", "translations": {"eu": "Hitzak.", "es-419": "Letra."},
    }  # fmt: skip
    return Principle(**(fields | other))


def _outcome(**other: Any) -> Outcome:
    fields: dict[str, Any] = {
        "grade": "A", "rules_known": "before", "parameters": {"seats": 3, "supermajority": "2/3"},
        "conflicts": ((1, 2), (2, 9)),
        "articles": (Article(1, "equal-shares", 4, 99, 87, ("B",)), Article(3, "phragmen", None)),
        "not_included": (
            NotIncluded(2, "excluded by conflict", (), 1, 0, 88, 12), NotIncluded(5, "contested", ("A", "B"), None, 3),
        ),
        "put_to_vote": (5,), "clauses": (Clause(4, Fraction(8, 7)),),
        "certificate": Certificate(2, 1, Fraction(1, 3), (1_048_576, 5), 2, Fraction(2, 3)),
    }  # fmt: skip
    return Outcome(**(fields | other))


def _selection(**other: Any) -> Selection:
    fields: dict[str, Any] = {
        "tally": ID, "rules": OTHER, "selected_at": "2026-11-20", "trial": False, "outcome": _outcome()
    }  # fmt: skip
    return Selection(**(fields | other))


def _draft(**other: Any) -> Draft:
    fields: dict[str, Any] = {
        "selection": ID, "title": "Ours", "drafted_at": "2026-11-20",
        "principles": (
            _principle("1.1", 1),
            _principle("1.2", 3, 2, transformation="merged", editor="the board"),
            _principle("2.1", 5, transformation="reworded", editor="Ana", standing="contested"),
        ),
        "left_out": (LeftOut(4, "the law forbids it", "Ana"),),
    }  # fmt: skip
    return Draft(**(fields | other))


def _constitution(**other: Any) -> Constitution:
    fields: dict[str, Any] = {
        "draft": ID, "tally": OTHER, "rules": THIRD, "title": "Ours", "ratified_at": "2026-11-20",
        "principles": _draft().principles, "voted_as": {"1.1": 3, "1.2": 2, "2.1": 4}, "outcome": _outcome(),
        "supersedes": None,
    }  # fmt: skip
    return Constitution(**(fields | other))


# --- what strategies draw --------------------------------------------------------------------------------------------

_words = texts().filter(bool)
_ids = st.integers(0, MOST)
_maybe = st.none() | _ids
_of_100 = st.none() | st.integers(0, 100)
_against = st.lists(_words, max_size=2).map(tuple)
_fractions = st.builds(Fraction, st.integers(0, 10**12), st.integers(1, 10**12))
_articles = st.builds(Article, _ids, _words, _maybe, _of_100, _of_100, _against)
_others = st.builds(NotIncluded, _ids, _words, _against, _maybe, _maybe, _of_100, _of_100)
_certificates = st.builds(
    Certificate, _maybe, st.integers(1, MOST), _fractions, st.lists(_ids, max_size=3).map(tuple), _maybe, _fractions
)
_outcomes = st.builds(
    Outcome,
    grade=st.sampled_from("AB"),
    rules_known=_words,
    parameters=st.dictionaries(_words, _ids | _words, max_size=3),
    conflicts=st.lists(st.tuples(_ids, _ids).filter(lambda pair: pair[0] != pair[1]), max_size=3).map(tuple),
    articles=st.lists(_articles, max_size=3).map(tuple),
    not_included=st.lists(_others, max_size=3).map(tuple),
    put_to_vote=st.lists(_ids, max_size=3).map(tuple),
    clauses=st.lists(st.builds(Clause, _ids, _fractions), max_size=3).map(tuple),
    certificate=st.none() | _certificates,
)
_numbers = st.tuples(st.integers(1, 9_999), st.integers(1, 9_999))
_languages = st.sampled_from(["en", "eu", "ca", "es-419", "zh-Hant-TW", "gsw"])


@st.composite
def _principles(draw: st.DrawFn) -> tuple[Principle, ...]:
    places = sorted(draw(st.sets(_numbers, max_size=4)))
    statements = iter(draw(st.lists(_ids, unique=True, min_size=2 * len(places), max_size=2 * len(places))))
    made = []
    for article, number in places:
        transformation = draw(st.sampled_from(Principle.TRANSFORMATIONS))
        one = Principle(
            number=f"{article}.{number}",
            text=draw(_words),
            language=draw(_languages),
            transformation=transformation,
            editor=draw(texts()) if transformation == "verbatim" else draw(_words),
            statements=tuple(next(statements) for _ in range(draw(st.integers(1, 2)))),
            standing=draw(st.sampled_from(Principle.STANDINGS)),
            translations=draw(st.dictionaries(_languages, _words, max_size=2)),
        )
        made.append(one)
    return tuple(made)


# --- selection/v1 ----------------------------------------------------------------------------------------------------


@given(_outcomes)
def test_an_outcome_survives_its_body(outcome: Outcome) -> None:
    record = Record("selection/v1", outcome.to_body(), {"tally": ID})

    assert outcome == Outcome.from_body(read_again(record).body)
    assert outcome.to_body() == Outcome.from_body(outcome.to_body()).to_body()


@given(
    hex_digests(), hex_digests(), _words, st.booleans(), _outcomes, st.dictionaries(st.just("commons"), hex_digests())
)
def test_a_selection_survives_its_record(
    tally: str, rules: str, selected_at: str, trial: bool, outcome: Outcome, links: dict[str, str]
) -> None:
    one = Selection(tally, rules, selected_at, trial, outcome, links)

    assert one == Selection.from_record(one.to_record())
    assert {"tally": tally, "rules": rules, **links} == one.to_record().links


def test_the_fields_of_a_selection_stand_where_the_documentation_says() -> None:
    body = _selection().to_record().body

    assert {
        "number": 1, "statement": 1, "how": "equal-shares", "block_margin": 4, "holds": 99, "unopposed": 87,
        "against": ["B"],
    } == body["articles"][0]  # type: ignore[index]  # fmt: skip
    assert [{"statement": 4, "reach": "8/7"}] == body["clauses"]
    assert [5] == body["put_to_vote"]
    assert [[1, 2], [2, 9]] == body["conflicts"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("trial", ..., "trial must be true or false"),
        ("trial", 1, "trial must be true or false"),
        ("selected_at", "", "selected_at: expected non-empty text"),
        ("selected_at", 20261120, "selected_at: expected non-empty text, got a number"),
        ("grade", ..., "grade: expected non-empty text, got null"),
        ("grade", "C", "grade: expected one of A, B, got 'C'"),
        ("grade", "a", "grade: expected one of A, B"),
        ("rules_known", None, "rules_known: expected non-empty text"),
        ("parameters", [], "parameters: expected an object, got a list"),
        ("conflicts", {}, "conflicts: expected a list, got an object"),
        ("conflicts", [1, 2], "conflicts: expected a list, got a number"),
        ("conflicts", [[1]], "conflicts: expected pairs"),
        ("conflicts", [[1, 2, 3]], "conflicts: expected pairs"),
        ("conflicts", [[1, 1]], "conflicts: expected pairs of two statements"),
        ("conflicts/0/1", -1, "statement: expected at least 0, got -1"),
        ("conflicts/0/1", "2", "statement: expected an integer, got text"),
        ("articles", None, "articles: expected a list, got null"),
        ("articles/0", 1, "articles: expected an object, got a number"),
        ("articles/0/statement", True, "statement: expected an integer, got true or false"),
        ("articles/0/statement", ..., "statement: expected an integer, got null"),
        ("articles/0/number", ..., "articles: number: expected an integer, got null"),
        ("articles/0/number", 2, "articles: expected numbers from 1 in order, got 2 for 1"),
        ("articles/1/number", 1, "articles: expected numbers from 1 in order, got 1 for 2"),
        ("articles/0/how", "", "articles: how: expected non-empty text"),
        ("articles/0/block_margin", -1, "articles: block_margin: expected at least 0"),
        ("articles/0/holds", 101, "articles: holds: expected at most 100, got 101"),
        ("articles/0/unopposed", "3", "articles: unopposed: expected an integer"),
        ("not_included", ..., "not_included: expected a list"),
        ("not_included/1/standing", ..., "not_included: standing: expected non-empty text"),
        ("not_included/1/against", "A", "not_included: against: expected a list, got text"),
        ("not_included/1/against", [""], "not_included: against: expected non-empty text"),
        ("not_included/1/rival", "1", "not_included: rival: expected an integer"),
        ("not_included/1/admit_margin", -1, "not_included: admit_margin: expected at least 0"),
        ("not_included/1/holds", -1, "not_included: holds: expected at least 0"),
        ("not_included/1/unopposed", 101, "not_included: unopposed: expected at most 100"),
        ("put_to_vote", 5, "put_to_vote: expected a list, got a number"),
        ("put_to_vote", ..., "put_to_vote: expected a list, got null"),
        ("put_to_vote/0", "5", "statement: expected an integer, got text"),
        ("clauses", ..., "clauses: expected a list, got null"),
        ("clauses/0", [4, "8/7"], "clauses: expected an object, got a list"),
        ("clauses/0/statement", ..., "statement: expected an integer"),
        ("clauses/0/reach", ..., "clauses: reach: expected non-empty text"),
        ("clauses/0/reach", 1, "clauses: reach: expected non-empty text, got a number"),
        *(("clauses/0/reach", text, "expected a fraction such as 3/4") for text in ("1", "1.5", "-1/2", "1/2/3", "/2")),
        *(("clauses/0/reach", text, "expected a fraction such as 3/4") for text in ("1 /2", "١/٢", "1e3/1", "9" * 40)),
        *(("clauses/0/reach", text, "in lowest terms") for text in ("16/14", "1/0", "08/7", "0/5")),
        ("certificate", ..., None),
        ("certificate", [], "certificate: expected an object"),
        ("certificate/more", 1, "certificate: unknown key 'more'"),
        ("certificate/core", ..., "core: expected an object, got null"),
        ("certificate/core/multipliers_2p20", ..., "core: multipliers_2p20: expected a list"),
        ("certificate/core/multipliers_2p20", [-1], "core: multipliers_2p20: expected at least 0"),
        ("certificate/core/reach", "2/4", "core: reach: expected a fraction in lowest terms"),
        ("certificate/core/strongest", -1, "core: strongest: expected at least 0"),
        ("certificate/ejr_plus/level", 0, "ejr_plus: level: expected at least 1"),
        ("certificate/ejr_plus/ratio", "x", "ejr_plus: ratio: expected a fraction"),
    ],
)
def test_a_selection_of_another_form_is_refused(path: str, value: Any, message: str | None) -> None:
    record = changed(_selection().to_record(), path, value)
    if message is None:
        assert Selection.from_record(record).outcome.certificate is None
        return

    with pytest.raises(MalformedError, match=message):
        Selection.from_record(record)


@pytest.mark.parametrize("missing", ["tally", "rules"])
def test_a_selection_needs_what_it_rests_on(missing: str) -> None:
    record = _selection().to_record()
    links = {name: target for name, target in record.links.items() if name != missing}

    with pytest.raises(MalformedError, match=f"selection: link '{missing}'"):
        Selection.from_record(Record(record.kind, dict(record.body), links))


# --- draft/v1 --------------------------------------------------------------------------------------------------------


@given(
    hex_digests(), _words, _words, _principles(), st.lists(st.builds(LeftOut, _ids, _words, _words), max_size=2)
)  # fmt: skip
def test_a_draft_survives_its_record(
    selection: str, title: str, drafted_at: str, principles: tuple[Principle, ...], left_out: list[LeftOut]
) -> None:
    one = Draft(selection, title, drafted_at, principles, tuple(left_out))

    assert one == Draft.from_record(one.to_record())
    assert one.to_record() == Draft.from_record(read_again(one.to_record())).to_record()


def test_the_fields_of_a_principle_stand_where_the_documentation_says() -> None:
    record = _draft().to_record()

    assert {"selection": ID} == record.links
    assert {
        "number": "1.2", "text": "Words of 1.2.", "language": "en", "transformation": "merged", "editor": "the board",
        "statements": [3, 2], "standing": "selected", "translations": {"eu": "Hitzak.", "es-419": "Letra."},
    } == record.body["principles"][1]  # type: ignore[index]  # fmt: skip
    assert [{"statement": 4, "reason": "the law forbids it", "editor": "Ana"}] == record.body["left_out"]


NO_LANGUAGES = ("EN", "e", "english", "en_GB", "en-", "en-x", "en\n", " en", "éus")
NO_NUMBERS = (
    "1", "1.1.1", "0.1", "1.0", "1,1", "01.1", "1.01", "1.10000", "١.١", " 1.1", "1.1\n", "-1.1", "1.x"
)  # fmt: skip
PRINCIPLES = [
    ("principles", ..., "principles: expected a list, got null"),
    ("principles", {}, "principles: expected a list, got an object"),
    ("principles/0", "1.1", "principles: expected an object, got text"),
    *((f"principles/0/{name}", ..., name) for name in ("number", "text", "language", "transformation", "standing")),
    *((f"principles/0/{name}", "", name) for name in ("number", "text", "language", "transformation", "standing")),
    ("principles/0/transformation", "edited", "transformation must be one of verbatim, merged, reworded"),
    ("principles/0/standing", "ratified", "standing must be one of selected, contested, acknowledged"),
    ("principles/0/editor", ..., "verbatim by whom must be said under editor"),
    ("principles/0/editor", 1, "verbatim by whom must be said under editor"),
    ("principles/1/editor", "", "merged by whom must be said under editor"),
    ("principles/2/editor", "", "reworded by whom must be said under editor"),
    ("principles/0/statements", ..., "statements: expected a list, got null"),
    ("principles/0/statements", [], "expected at least one statement that it rests on"),
    ("principles/0/statements", ["1"], "principle: statements: expected an integer, got text"),
    ("principles/0/statements", [-1], "principle: statements: expected at least 0"),
    ("principles/0/statements", [2], "a statement stands in two principles"),
    ("principles/0/statements", [1, 1], "a statement stands in two principles"),
    ("principles/0/translations", ..., "translations: expected an object, got null"),
    ("principles/0/translations", {"eu": ""}, "translations: expected non-empty text"),
    ("principles/0/translations", {"Basque": "x"}, "translations: expected a language tag such as 'en', got 'Basque'"),
    *(("principles/0/language", tag, "expected a language tag") for tag in NO_LANGUAGES),
    *(("principles/0/number", number, "expected a number such as 2.1") for number in NO_NUMBERS),
    ("principles/0/number", "1.2", "expected numbers that ascend, each once"),
    ("principles/0/number", "3.1", "expected numbers that ascend, each once"),
    ("principles/1/number", "1.1", "expected numbers that ascend, each once"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        *PRINCIPLES,
        ("title", ..., "draft: title: expected non-empty text, got null"),
        ("title", 1, "draft: title: expected non-empty text, got a number"),
        ("drafted_at", "", "draft: drafted_at: expected non-empty text"),
        ("left_out", ..., "draft: left_out: expected a list, got null"),
        ("left_out/0", 4, "draft: left_out: expected an object, got a number"),
        ("left_out/0/statement", "4", "draft: left_out: statement: expected an integer"),
        ("left_out/0/reason", "", "draft: left_out: reason: expected non-empty text"),
        ("left_out/0/editor", ..., "draft: left_out: editor: expected non-empty text"),
    ],
)
def test_a_draft_of_another_form_is_refused(path: str, value: Any, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        Draft.from_record(changed(_draft().to_record(), path, value))


def test_of_several_things_the_first_that_is_wrong_is_named() -> None:
    record = changed(changed(_draft().to_record(), "principles/2/text", ""), "principles/1/standing", "old")

    with pytest.raises(MalformedError, match="standing must be one of"):
        Draft.from_record(record)
    with pytest.raises(MalformedError, match="draft: title"):
        Draft.from_record(changed(record, "title", ""))
    with pytest.raises(MalformedError, match="draft: link 'selection'"):
        Draft.from_record(Record("draft/v1", {}, {"selections": ID}))


def test_numbers_ascend_as_numbers_and_not_as_text() -> None:
    principles = (_principle("1.2", 1), _principle("1.10", 2), _principle("2.1", 3), _principle("10.1", 4))
    one = _draft(principles=principles)

    assert one == Draft.from_record(one.to_record())
    with pytest.raises(MalformedError, match="ascend"):
        Draft.from_record(_draft(principles=(principles[1], principles[0])).to_record())


@given(st.lists(_numbers, unique=True, min_size=1))
def test_numbers_sort_by_article_and_then_by_principle(places: list[tuple[int, int]]) -> None:
    numbers = [f"{article}.{principle}" for article, principle in places]

    assert sorted(places) == [place_of(number) for number in sorted(numbers, key=place_of)]


def test_words_of_one_statement_may_stay_as_they_are_under_a_name() -> None:
    one = _draft(principles=(_principle("1.1", 1, editor="who looked at it"),), left_out=())

    assert one == Draft.from_record(one.to_record())


def test_a_draft_may_word_nothing() -> None:
    one = _draft(principles=(), left_out=())

    assert one == Draft.from_record(one.to_record())


@pytest.mark.parametrize("tag", ["en", "eu", "ast", "es-419", "zh-Hant", "ca-valencia", "de-CH-1996"])
def test_language_tags_are_taken(tag: str) -> None:
    assert tag == check_language(tag, "x")


@given(texts())
def test_any_other_text_is_no_language(text: str) -> None:
    if text.isascii() and text.replace("-", "").isalnum():
        return

    with pytest.raises(MalformedError, match="here: expected a language tag"):
        check_language(text, "here")


# --- constitution/v1 -------------------------------------------------------------------------------------------------


@given(_principles(), st.none() | hex_digests(), _outcomes, _words, st.integers(0, 10**9))
def test_a_constitution_survives_its_record(
    principles: tuple[Principle, ...], supersedes: str | None, outcome: Outcome, title: str, first: int
) -> None:
    voted_as = {each.number: first + place for place, each in enumerate(principles)}
    one = Constitution(ID, OTHER, THIRD, title, "2026-11-20", principles, voted_as, outcome, supersedes)

    assert one == Constitution.from_record(one.to_record())
    assert one.to_record() == Constitution.from_record(one.to_record()).to_record()


def test_a_constitution_links_to_what_it_rests_on() -> None:
    assert {"draft": ID, "tally": OTHER, "rules": THIRD} == _constitution().to_record().links
    assert ID == _constitution(supersedes=ID).to_record().links["supersedes"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        *PRINCIPLES,
        ("title", "", "constitution: title: expected non-empty text"),
        ("ratified_at", ..., "constitution: ratified_at: expected non-empty text"),
        ("voted_as", ..., "constitution: voted_as: expected an object"),
        ("voted_as", [3, 2, 4], "constitution: voted_as: expected an object, got a list"),
        ("voted_as", {}, "voted_as must name one statement of the vote per principle"),
        ("voted_as/1.1", ..., "voted_as must name one statement of the vote per principle"),
        ("voted_as/3.1", 9, "voted_as must name one statement of the vote per principle"),
        ("voted_as/1.1", 2, "voted_as must name one statement of the vote per principle"),
        ("voted_as/1.1", "3", "constitution: voted_as: expected an integer, got text"),
        ("voted_as/1.1", True, "constitution: voted_as: expected an integer, got true or false"),
        ("voted_as/1.1", -3, "constitution: voted_as: expected at least 0"),
        ("grade", "C", "grade: expected one of A, B"),
        ("articles", ..., "articles: expected a list"),
        ("clauses", None, "clauses: expected a list"),
    ],
)
def test_a_constitution_of_another_form_is_refused(path: str, value: Any, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        Constitution.from_record(changed(_constitution().to_record(), path, value))


@pytest.mark.parametrize("missing", ["draft", "tally", "rules"])
def test_a_constitution_needs_what_it_rests_on(missing: str) -> None:
    record = _constitution().to_record()
    links = {name: target for name, target in record.links.items() if name != missing}

    with pytest.raises(MalformedError, match=f"constitution: link '{missing}'"):
        Constitution.from_record(Record(record.kind, dict(record.body), links))


def test_articles_are_ratified_and_clauses_acknowledged_by_their_statement_in_the_vote() -> None:
    """Articles are statements 1 and 3 of the vote, of which only 3 words a principle; the clause is 4."""
    one = _constitution()

    assert ["1.1"] == [each.number for each in one.ratified]
    assert ["2.1"] == [each.number for each in one.acknowledged]


def test_what_is_ratified_comes_by_number_and_not_by_the_order_of_selection() -> None:
    articles = tuple(Article(statement, "equal-shares", 1) for statement in (4, 2, 3))
    one = _constitution(outcome=_outcome(articles=articles, clauses=()))

    assert one.principles == one.ratified
    assert () == one.acknowledged


def test_nothing_is_ratified_by_the_statements_of_the_conversation() -> None:
    """Statement 1 of the conversation is worded by 1.1, and is another one in the vote."""
    one = _constitution(voted_as={"1.1": 11, "1.2": 12, "2.1": 15})

    assert ((), ()) == (one.ratified, one.acknowledged)
