"""The files of answers, as Decidim's importer takes them: each proposal its state and its reason, nobody told twice."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.decidim.dispositions import Disposition, DispositionName, Fate
from auzolan.deliberate.decidim.entities import Key
from auzolan.deliberate.decidim.texts import Cleaner, plain_text
from auzolan.deliberate.decidim.write_back.answers import TOKENS, AboutAnswers, AnswerFiles, AnswerOptions, Outcome
from auzolan.deliberate.decidim.write_back.published import AnsweredProposal, Publication
from tests.deliberate.decidim.write_back.importers import Answer, Page, RefusedError, cells, import_answers
from tests.deliberate.decidim.write_back.towns import (
    EVERY_WHY,
    HOST,
    RECORD,
    TEXTS,
    answered,
    cited,
    fate,
    line,
    published,
    town,
)

STATES = {"adopted": "accepted", "deferred": "evaluating", "rejected": "rejected"}
Form = Literal["csv", "json"]
NO_SUPPORTS: dict[str, str | int] = {"group": "x", "by": "origin", "proposals": 4, "places": 2}


def written(
    answers: Iterable[AnsweredProposal], options: AnswerOptions | None = None, publication: Publication | None = None
) -> tuple[dict[str, bytes], AboutAnswers]:
    files: defaultdict[str, bytes] = defaultdict(bytes)
    source = AnswerFiles(publication or town(), answers, options)
    for name, data in source:
        files[name] += data
    return dict(files), source.about()


def imported(
    answers: list[AnsweredProposal], form: Form = "csv", publication: Publication | None = None
) -> list[Answer]:
    files, _ = written(answers, publication=publication)
    known = {each.disposition.proposal.id: 5 for each in answers}
    locales = (publication or town()).locales
    return list(import_answers(files[f"proposal-answers-component-5.{form}"], form, 5, known, locales).values())


def said(one: AnsweredProposal, locale: str = "es") -> list[str]:
    return Page(imported([one])[0].answer[locale]).blocks


@pytest.mark.parametrize(("name", "why"), EVERY_WHY)
@pytest.mark.parametrize("form", ["csv", "json"])
def test_every_disposition_is_imported_with_its_state_in_every_locale(
    name: DispositionName, why: str, form: Form
) -> None:
    answer = imported([answered(12, name, why)], form)[0]

    assert ("accepted" if name == "merged" else STATES[name]) == answer.state
    assert {"ca", "es"} == set(answer.answer)
    for text in answer.answer.values():
        assert "auzolan deliberate why proposal:12" in Page(text).blocks[-1]
        assert RECORD in Page(text).blocks[-1]
        assert set() == Page(text).tags - {"p", "a", "strong", "code"}


@pytest.mark.parametrize("required", ["state", "status"])
def test_both_versions_of_the_check_of_columns_pass(required: Literal["state", "status"]) -> None:
    files, _ = written([answered(12, "rejected", "no support")])
    for form in ("csv", "json"):
        data = files[f"proposal-answers-component-5.{form}"]

        assert [12] == list(import_answers(data, form, 5, {12: 5}, ("ca", "es"), required))


def test_an_adopted_proposal_hears_which_article_it_became() -> None:
    first, second = said(answered(66, "adopted", "ratified"))[:2]

    assert first.startswith("Gracias por esta propuesta. Se convirtió en el artículo 1.1 de la constitución")
    assert "Cal plantar arbres." == second


def test_a_merged_proposal_hears_with_which_one_it_shares_its_place() -> None:
    blocks = said(answered(74, "merged", "merged", lead=cited(66)))
    page = Page(imported([answered(74, "merged", "merged", lead=cited(66))])[0].answer["es"])

    assert blocks[0].startswith("Gracias por esta propuesta. Dice lo mismo que otra («Proposta 66», propuesta 66), así")
    assert blocks[1].startswith("Se convirtió en el artículo 1.1 ")
    assert [f"https://{HOST}/processes/pam/f/5/proposals/66"] == page.links


@pytest.mark.parametrize(("name", "state"), STATES.items())
def test_a_merged_proposal_has_the_state_of_its_statement(name: Outcome, state: str) -> None:
    why = {"adopted": "ratified", "deferred": "no place", "rejected": "no support"}[name]
    one = answered(74, "merged", "merged")
    one = dataclasses.replace(one, disposition=dataclasses.replace(one.disposition, then=fate(name, why)))

    assert state == imported([one])[0].state


@pytest.mark.parametrize(
    ("name", "why", "expected"),
    [
        ("rejected", "no support", "Le faltó el acuerdo de 12 personas más."),
        ("deferred", "few votes", "Le faltó el acuerdo de 5 personas más. Puede volver en otra ronda; para eso nadie"),
        ("deferred", "not listed", "El grupo «Meetings» tiene 40 propuestas y tuvo 3 plazas."),
        ("deferred", "not listed", "fue para una propuesta con 57 apoyos. Esta tenía 1 apoyo."),
        ("deferred", "came later", "Llegó cuando la lista de lo que se preguntó a todo el mundo ya estaba hecha."),
        ("deferred", "not kept", "tenía plaza; quien editó la lista antes de que se firmara la dejó fuera."),
        ("deferred", "left out", "El motivo que consta: «It repeats a law.»"),
        ("rejected", "blocked", "los grupos A y C están en contra"),
        ("rejected", "excluded", "El otro texto: enunciado 9: «Menys arbres»"),
        ("rejected", "not ratified", "como artículo 3.1, y no lo ratificaron."),
    ],
)
def test_an_answer_says_what_was_lacking(name: DispositionName, why: str, expected: str) -> None:
    assert expected in " ".join(said(answered(12, name, why, rival={"ca": "Menys arbres"})))


def test_what_is_not_known_is_not_said() -> None:
    def one(why: str, facts: dict[str, str | int], name: DispositionName = "rejected") -> str:
        became = Disposition(Key(HOST, 5, "proposal", 12), Fate(name, why, facts))
        return " ".join(said(AnsweredProposal(became))[:-1])

    assert "faltó" not in one("no support", {"lacks": 0})
    assert "enunciado" not in one("excluded", {"rival": 0})
    assert "grupo" not in one("not listed", {"group": "x", "proposals": 0, "places": 0}, "deferred")
    assert "apoyo" not in one("not listed", NO_SUPPORTS, "deferred").replace("apoyos, comentarios", "")
    assert "Esta tenía" not in one("not listed", {**NO_SUPPORTS, "last": 3}, "deferred")
    assert "el grupo B está en contra" in one("blocked", {"groups": "B"})
    assert "1 persona más" in one("no support", {"lacks": 1})


def test_each_component_has_its_own_files_and_another_one_refuses_them() -> None:
    answers = [answered(n, "rejected", "no support", component=n % 3) for n in range(1, 7)]
    files, about = written(iter(answers))
    proposals = {n: n % 3 for n in range(1, 7)}

    assert {f"proposal-answers-component-{c}.{f}" for c in ("unknown", "1", "2") for f in ("csv", "json")} == set(files)
    assert {0: {"rejected": 2}, 1: {"rejected": 2}, 2: {"rejected": 2}} == about.written
    assert [2, 5] == list(import_answers(files["proposal-answers-component-2.csv"], "csv", 2, proposals, ("ca",)))
    with pytest.raises(RefusedError, match="row 1"):
        import_answers(files["proposal-answers-component-2.csv"], "csv", 1, proposals, ("ca",))


@given(st.integers(1, 9), st.integers(1, 20))
def test_long_files_are_split_and_each_part_is_imported_alone(per_file: int, n: int) -> None:
    answers = [answered(number, "deferred", "no place") for number in range(1, n + 1)]
    files, about = written(answers, AnswerOptions(per_file=per_file))
    known = dict.fromkeys(range(1, n + 1), 5)
    forms: list[Form] = ["csv", "json"]
    for form in forms:
        names = [name for name in files if name.endswith(form)]
        parts = [list(import_answers(files[name], form, 5, known, ("ca",))) for name in names]

        assert list(known) == [number for part in parts for number in part]
        assert {5: len(names)} == about.parts
        assert per_file >= max(map(len, parts))
    with pytest.raises(UsageError):
        written([], AnswerOptions(per_file=0))


def test_an_official_answer_of_somebody_else_is_not_replaced_unless_asked() -> None:
    theirs = [
        answered(1, "rejected", "no support", state="accepted", answer={"ca": "L’Ajuntament ho farà."}),
        answered(2, "rejected", "no support", state="evaluating"),
        answered(3, "rejected", "no support", state="not_answered", answer={"ca": " "}),
    ]
    kept, about = written(theirs)
    _, replaced = written(theirs, AnswerOptions(replace=True))

    assert [["id", "3"]] == [[str(row[0]) for row in cells(kept["proposal-answers-component-5.csv"])]]
    assert {"answered": 2} == about.left
    assert 3 == replaced.total


@pytest.mark.parametrize(("name", "why"), EVERY_WHY)
def test_what_has_not_changed_is_not_written_again(name: DispositionName, why: str) -> None:
    first = imported([answered(12, name, why)])[0]
    plain = {locale: "\n".join(Page(text).blocks) for locale, text in first.answer.items()}  # as an export tells it
    again = answered(12, name, why, state=first.state, answer=plain)
    later = dataclasses.replace(town(), constitution="7c" * 32)
    files, about = written([again], publication=later)
    _, repeated = written([again], AnswerOptions(repeat=True))

    assert ({}, {"unchanged": 1}) == (files, about.left)
    assert 1 == repeated.total


@given(TEXTS)
def test_what_has_not_changed_is_known_whatever_it_says(reason: str) -> None:
    became = Disposition(Key(HOST, 5, "proposal", 12), Fate("deferred", "left out", {"reason": reason}))
    first = imported([AnsweredProposal(became)])[0]
    read = {locale: Cleaner().clean(plain_text(text)) for locale, text in first.answer.items()}
    files, _ = written([AnsweredProposal(became, state=first.state, answer=read)])

    assert {} == files


def test_what_has_changed_is_written_again() -> None:
    first = imported([answered(12, "rejected", "no support")])[0]
    moved = answered(12, "adopted", "ratified", state=first.state, answer=first.answer)
    fewer = AnsweredProposal(
        Disposition(Key(HOST, 5, "proposal", 12), Fate("rejected", "no support", {"lacks": 3})),
        state=first.state,
        answer=first.answer,
    )

    assert 1 == written([moved])[1].total
    assert 1 == written([fewer])[1].total


def test_only_the_outcomes_that_are_asked_for_are_written() -> None:
    answers = [answered(1, "deferred", "not listed"), answered(2, "adopted", "ratified")]
    _, about = written(answers, AnswerOptions(outcomes=("adopted", "rejected")))

    assert ({5: {"adopted": 1}}, {"unchosen": 1}) == (about.written, about.left)


def test_an_instance_with_states_of_its_own_gets_its_tokens() -> None:
    tokens: dict[Outcome, str] = {**TOKENS, "deferred": "next_round"}
    files, _ = written([answered(1, "deferred", "no place")], AnswerOptions(tokens=tokens))
    answers = import_answers(
        files["proposal-answers-component-5.csv"], "csv", 5, {1: 5}, ("ca",), tokens=["next_round"]
    )

    assert "next_round" == answers[1].state


@pytest.mark.parametrize("token", ["", "not_answered", "withdrawn", "Accepted", "a;b", "a b"])
def test_a_token_that_no_answer_can_have_is_refused(token: str) -> None:
    with pytest.raises(UsageError, match="state for rejected"):
        written([], AnswerOptions(tokens={**TOKENS, "rejected": token}))


@given(TEXTS, TEXTS, TEXTS)
def test_texts_from_outside_arrive_as_they_are_and_make_no_html(reason: str, group: str, rival: str) -> None:
    def one(number: int, name: DispositionName, why: str, **facts: str | int) -> AnsweredProposal:
        became = Disposition(Key(HOST, 5, "proposal", number), Fate(name, why, facts))
        return AnsweredProposal(became, rival={"ca": rival[:100]})

    answers = imported(
        [
            one(1, "deferred", "left out", reason=reason),
            one(2, "deferred", "not listed", group=group, proposals=2, places=1),
            one(3, "rejected", "excluded", rival=9),
        ]
    )
    pages = [Page(each.answer["es"]) for each in answers]

    assert f"El motivo que consta: «{line(reason)}»" in pages[0].blocks[0]
    assert f"El grupo «{line(group)}» tiene 2 propuestas y tuvo 1 plaza." in pages[1].blocks[0]
    assert [{"p", "code"}] * 3 == [page.tags for page in pages]
    assert [""] * 3 == [page.loose for page in pages]


@given(
    st.lists(st.tuples(st.integers(1, 10**12), st.sampled_from(EVERY_WHY)), unique_by=lambda pair: pair[0], min_size=1)
)
def test_csv_and_json_say_the_same(pairs: list[tuple[int, tuple[DispositionName, str]]]) -> None:
    answers = [answered(number, *why) for number, why in pairs]

    assert imported(answers, "csv") == imported(answers, "json")


def test_a_locale_without_phrases_has_texts_of_the_main_one_or_english() -> None:
    catalan = published(locales=("ca", "fr"))
    french = published(locales=("fr", "gl", "es-MX", "pt-BR"))
    one = [answered(12, "deferred", "no place")]
    first = {locale: Page(text).blocks[0][:6] for locale, text in imported(one, publication=catalan)[0].answer.items()}
    second = {locale: Page(text).blocks[0][:6] for locale, text in imported(one, publication=french)[0].answer.items()}

    assert {"ca": "Gràcie", "fr": "Gràcie"} == first
    assert {"fr": "Thank ", "gl": "Thank ", "es-MX": "Gracia", "pt-BR": "Thank "} == second


def test_a_million_answers_would_not_be_held_in_memory() -> None:
    taken = 0

    def many() -> Iterator[AnsweredProposal]:
        nonlocal taken
        for number in range(1, 10**6):
            taken += 1
            yield answered(number, "deferred", "not listed")

    chunks = iter(AnswerFiles(town(), many()))
    for _ in range(22):  # two for the beginnings, two for each answer
        next(chunks)

    assert 10 == taken


@pytest.mark.parametrize(
    "wrong",
    [
        answered(1, "rejected", "ratified"),
        Disposition(Key(HOST, 5, "comment", 1), Fate("deferred", "no place")),
        Disposition(Key("other.example.net", 5, "proposal", 1), Fate("deferred", "no place")),
        Disposition(Key(HOST, 5, "proposal", 1), Fate("merged", "merged", {"lead": 2})),
        Disposition(Key(HOST, 5, "proposal", 1), Fate("merged", "merged", {}), 1, Fate("deferred", "no place")),
        Disposition(Key(HOST, 5, "proposal", 1), Fate("adopted", "ratified", {}, "9.9")),
        Disposition(Key(HOST, 5, "proposal", 1), Fate("rejected", "blocked", {"groups": ""})),
        Disposition(Key(HOST, 5, "proposal", 1), Fate("deferred", "not listed", {"group": "x"})),
        answered(74, "merged", "merged", lead=cited(67)),
    ],
)
def test_a_disposition_that_is_none_is_refused(wrong: AnsweredProposal | Disposition) -> None:
    one = AnsweredProposal(wrong) if isinstance(wrong, Disposition) else wrong

    with pytest.raises(MalformedError, match="proposal"):
        written([one])


def test_json_is_one_list_with_the_same_keys_in_every_item() -> None:
    files, _ = written([answered(n, "deferred", "no place") for n in range(1, 4)])
    items = json.loads(files["proposal-answers-component-5.json"])

    assert [["id", "state", "status", "answer/ca", "answer/es"]] * 3 == [list(each) for each in items]
