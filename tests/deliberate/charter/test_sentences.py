"""What is said of a share, a margin or a reason: never more than the counts say, in singular and plural."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import pytest

from auzolan.deliberate.charter import sentences as the
from auzolan.deliberate.charter.speaker import Speaker
from auzolan.deliberate.charter.view import Entry, Presence, Proof, Share, Stratum, Support, Text
from auzolan.deliberate.charter.words import LANGUAGES, words_of
from tests.deliberate.charter.charters import approvals, article, other, outcome, poll, selected, small_town, town

TOWN = town()


def speaker(language: str = "en") -> Speaker:
    return Speaker(words_of(language), str, lambda typed: f"[{typed}]")


def share(agree: int, whole: int, lower: int | None = 860_001, upper: int | None = 969_999) -> Share:
    return Share(agree, whole - agree, 0, whole, lower, upper)


def entry(**changed: object) -> Entry:
    made = Entry("3", Text("Be kind."), Support(share(93, 100), (("A", share(46, 50)),)), 3)
    return replace(made, **changed)  # type: ignore[arg-type]


def said(sentences: Iterable[str]) -> str:
    return " ".join(sentences).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("agree", "whole", "shown"),
    [
        (50, 50, "all of group A"),
        (0, 50, "nobody in group A"),
        (49, 50, "nearly all of group A"),
        (1, 50, "hardly anyone in group A"),
        (45, 50, "9 in 10 of group A"),
        (5, 50, "1 in 10 of group A"),
        (47, 50, "9 in 10 of group A"),
        (19, 20, "nearly all of group A"),
        (1, 20, "1 in 10 of group A"),
        (4, 9, "4 of 9 in group A"),
        (1, 2, "1 of 2 in group A"),
        (3, 3, "all of group A"),
        (0, 0, "in group A nobody voted"),
    ],
)
def test_shares_are_said_as_people_do(agree: int, whole: int, shown: str) -> None:
    assert shown == the.tenths(share(agree, whole), speaker(), "A")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("whole", [10, 21, 40, 99, 1_000])
def test_no_share_reads_as_all_or_nobody_that_is_not(language: str, whole: int) -> None:
    for agree in range(1, whole):
        words = the.tenths(share(agree, whole), speaker(language), "A")

        assert words not in {the.tenths(share(whole, whole), speaker(language), "A")}
        assert words not in {the.tenths(share(0, whole), speaker(language), "A")}
        assert "10 in 10" not in words
        assert "0 in 10" not in words.replace("10 in 10", "")


def test_in_basque_a_share_needs_no_ending_on_its_number() -> None:
    assert "A taldeko 10 lagunetik 9" == the.tenths(share(45, 50), speaker("eu"), "A")
    assert "A taldeko 9 lagunetik 4" == the.tenths(share(4, 9), speaker("eu"), "A")


def test_support_is_said_by_group_and_together_with_its_range() -> None:
    assert "Who agrees: 9 in 10 of group A; together 9 in 10 (plausibly 86% to 97%). 100 people voted." == said(
        the.support(entry(), speaker())
    )
    assert (
        "De acuerdo: 9 de cada 10 personas del grupo A; en conjunto, 9 de cada 10 (rango plausible: del 86 % al 97 %). "
        "Votaron 100 personas." == said(the.support(entry(), speaker("es")))
    )


def test_ranges_are_rounded_outwards() -> None:
    assert (86, 97) == the.interval(share(93, 100))
    assert (50, 100) == the.interval(share(93, 100, 500_000, 1_000_000))
    assert None is the.interval(share(93, 100, None, None))
    assert None is the.interval(share(0, 0))


@pytest.mark.parametrize(
    ("support", "shown"),
    [
        (Support(None, None, min_cell=5), "Who agrees is withheld: it would tell how fewer than 5 people voted."),
        (
            Support(share(93, 100), None, min_cell=5),
            (
                "Who agrees: 9 in 10 (plausibly 86% to 97%). 100 people voted. By group it is withheld: it would tell "
                "how fewer than 5 people voted."
            ),
        ),
        (Support(share(0, 0), ()), "0 people voted."),
        (Support(share(1, 1), ()), "Who agrees: all (plausibly 86% to 97%). 1 person voted."),
    ],
)
def test_what_is_withheld_is_said_to_be(support: Support, shown: str) -> None:
    assert shown == said(the.support(entry(support=support), speaker()))


def test_approvals_are_no_agreement() -> None:
    of = approvals()
    first, _ = of.articles

    assert "Who approves: 8 in 10 of group A, 6 in 10 of group B; together 6 in 10. 90 people approve it." == said(
        the.support(first, speaker())
    )
    assert "disagree" not in said(the.standing(first, speaker()))
    assert "It lacked 10 more people who approve it." == said(the.lacking(of.left[0], speaker()))
    assert "cannot be seen" in the.how_to_read(of, speaker())


def test_a_small_community_is_counted_and_not_estimated() -> None:
    of = small_town()

    assert "Who agrees: 8 in 10. 19 people voted." == said(the.support(of.articles[0], speaker()))
    assert "2/3 had to agree" in said(the.decided(of, speaker()))
    assert "nobody who disagrees" in said(the.decided(small_town("consent"), speaker()))


@pytest.mark.parametrize(
    ("language", "margin", "shown"),
    [
        ("en", 1, "1 more person who disagrees would end its standing."),
        ("en", 1_234, "1,234 more people who disagree would end its standing."),
        ("es", 1, "Con 1 persona más en contra dejaría de tener el apoyo necesario."),
        ("ca", 1_234, "Amb 1.234 persones més en contra deixaria de tenir el suport necessari."),
        ("eu", 1, "Kontra dagoen beste lagun batekin behar besteko babesa galduko luke."),
        ("eu", 12, "Kontra dauden beste 12 lagunekin behar besteko babesa galduko luke."),
    ],
)
def test_margins_are_said_in_singular_and_plural(language: str, margin: int, shown: str) -> None:
    assert shown in said(the.standing(entry(block_margin=margin), speaker(language)))


def test_a_margin_that_is_not_told_is_no_certainty() -> None:
    withheld = entry(support=Support(share(93, 100), None))

    assert "is withheld with its counts" in said(the.standing(withheld, speaker()))
    assert "No number of further votes" in said(the.standing(entry(), speaker()))
    assert "standing" not in said(the.standing(entry(block_margin=0), speaker()))


@pytest.mark.parametrize(
    ("standing", "against", "is_principle", "shown"),
    [
        ("not enough support", (), False, "It lacked 34 more people who agree."),
        ("contested", ("B",), False, "Group B disagrees with it. It lacked 34 more people who agree, in group B."),
        (
            "contested", ("B", "C"), False,
            "Groups B and C disagree with it. It lacked 34 more people who agree, in groups B and C.",
        ),
        (
            "not enough support", ("B",), False,
            "Group B disagrees with it. It lacked 34 more people who agree, enough of them in group B.",
        ),
        ("not enough support", ("B",), True, "Group B disagrees with it. It lacked 34 more people who agree."),
        (
            "blocked", ("district: North",), True,
            ("Group “district: North” disagrees with it. "
             "It lacked 34 more people who agree, in group “district: North”."),
        ),
        ("eligible", (), False, ""),
        ("moderated out", (), False, ""),
        ("contested", ("B",), True, "Group B disagrees with it."),
    ],
)  # fmt: skip
def test_what_was_lacking_is_said_with_where(
    standing: str, against: tuple[str, ...], is_principle: bool, shown: str
) -> None:
    of = entry(standing=standing, against=against, admit_margin=34, is_principle=is_principle)

    assert shown == said(the.lacking(of, speaker()))


def test_what_no_votes_would_change_and_what_is_withheld_differ() -> None:
    of = entry(standing="not enough support", admit_margin=None)
    withheld = replace(of, support=Support(None, None))

    assert "No number of further votes would have changed that." == said(the.lacking(of, speaker()))
    assert "What it lacked is withheld with its counts." == said(the.lacking(withheld, speaker()))


def test_what_the_editors_left_out_says_who_did_and_why() -> None:
    of = entry(standing="selected", left_out=("The working group", "said in 2.1 already"))

    assert "Left out of the wording by The working group: “said in 2.1 already”" == said(the.lacking(of, speaker()))


def test_reasons_come_in_the_order_of_closeness() -> None:
    standings = ("moderated out", "not enough votes", "contested", "eligible", "a rule of ours", "blocked")
    found = the.by_reason([entry(standing=each) for each in standings])

    assert ["contested", "blocked", "eligible", "votes", "moderated", "other"] == [reason for reason, _ in found]


def test_within_a_reason_what_lacked_least_comes_first() -> None:
    entries = [entry(standing="contested", admit_margin=n) for n in (34, 2, 7)]

    assert [[2, 7, 34]] == [[each.admit_margin for each in listed] for _, listed in the.by_reason(entries)]


def test_a_rival_without_a_clear_preference_excludes_nothing() -> None:
    of = entry(standing="contested", rival=("#9", "Be free."))

    assert "It and #9 exclude each other:" == the.rival(of, speaker())
    assert "Excluded by #9:" == the.rival(replace(of, standing="excluded by conflict"), speaker())
    assert None is the.rival(entry(), speaker())


@pytest.mark.parametrize(
    ("proof", "shown"),
    [
        (None, "Nothing could be selected, so there is nothing to prove."),
        (
            Proof(Fraction(43, 100), True, ("#4", "Be free."), Fraction(77, 100)),
            (
                "Proportional (EJR+): the strongest claim of people who agree on a further text reaches 43% of what "
                "would entitle them to it. No part of the people could have done better with its share of the seats "
                "(core). Closest come those behind #4, with 77% of a seat:"
            ),
        ),
        (
            Proof(Fraction(6, 5), False, ("#4", "Be free."), Fraction(7, 5)),
            (
                "Not proportional (EJR+): people who agree on a further text reach 120% of what entitles them to it. "
                "No proof was found that no part of the people could have done better with its share of the seats "
                "(core). Those behind #4 may be entitled to more:"
            ),
        ),
        (
            Proof(Fraction(0), True, None, Fraction(0)),
            (
                "Proportional (EJR+): the strongest claim of people who agree on a further text reaches 0% of what "
                "would entitle them to it. No part of the people could have done better with its share of the seats "
                "(core): nothing else could be selected."
            ),
        ),
    ],
)
def test_the_certificate_is_said_with_its_figures(proof: Proof | None, shown: str) -> None:
    sentences, leads_to = the.proof(replace(TOWN, proof=proof), speaker())

    assert shown == said(sentences)
    assert (proof.strongest if proof else None) == leads_to


@pytest.mark.parametrize(
    ("people", "roll", "shown"),
    [
        (280, 1_240, "280 people took part, of 1,240 who may vote: 23%."),
        (1, 0, "1 person took part. How many could have is not on record, so how many stayed away is not known."),
        (62, 61, "62 people took part, yet by the rules only 61 may vote. One of the two numbers is wrong."),
    ],
)
def test_turnout_claims_no_more_than_is_known(people: int, roll: int, shown: str) -> None:
    of = replace(TOWN, turnout=replace(TOWN.turnout, participants=people, roll=roll))

    assert shown == the.turnout(of, speaker()).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("identity", ["", "none", "not stated"])
def test_an_identity_that_is_not_stated_is_no_identity(identity: str) -> None:
    assert "nothing here shows that nobody voted twice" in said(
        the.decided(replace(TOWN, identity=identity), speaker())
    )
    assert "census, one vote each" in said(the.decided(TOWN, speaker()))


def test_a_translation_is_needed_only_in_another_language() -> None:
    text = Text("Be kind.", "en-GB", (("es-MX", "Sé amable."), ("eu", "Izan atsegina.")))

    assert [None, "Sé amable.", None, "Izan atsegina."] == [the.translated(text, each) for each in LANGUAGES]
    assert [False, True, True, True] == [the.is_foreign(text, each) for each in LANGUAGES]
    assert not the.is_foreign(Text("Be kind."), "eu")


def test_a_statement_that_a_principle_repeats_is_not_shown_twice() -> None:
    of = entry(sources=((3, "Be kind."),))

    assert () == the.quoted_sources(of)
    assert "Word for word statement #3." == the.origin(of, speaker())
    assert ((3, "Be kind!"),) == the.quoted_sources(replace(of, sources=((3, "Be kind!"),)))
    assert ((3, "Be kind."),) == the.quoted_sources(replace(of, transformation="reworded"))


def test_status_says_who_ratified_or_that_nobody_did() -> None:
    nothing = selected(poll([[(1, 0, 0)]], sizes=[]), outcome([], [other(0, "not enough votes")]))

    assert "Ratified on 25 April 2026 by the votes of those who took part" == the.status(TOWN, speaker())
    assert "Selected, not worded and not ratified by the people" == the.status(nothing, speaker())
    assert "Voted on until 25 April 2026: nothing was ratified" == the.status(replace(TOWN, articles=()), speaker())


def test_rules_that_came_late_are_pointed_out_first() -> None:
    late = selected(poll([[(9, 0, 0)]]), outcome([article(0)], rules_known="after"), trial=True)

    assert [
        "Rules fixed after votes were seen: read the outcome with that in mind.",
        "A trial: with another number of articles than the rules say.",
    ] == list(the.warnings(late, speaker()))
    assert [] == list(the.warnings(TOWN, speaker()))


def test_the_most_absent_are_named_only_where_all_are_told() -> None:
    north, south, few = Presence("North", 30, 60), Presence("South", 10, 40), Presence("Port", None, 9, is_few=True)

    assert "South" in said([the.most_absent(Stratum("district", (north, south), 0), speaker()) or ""])
    assert the.most_absent(Stratum("district", (north, south, few), 0), speaker()) is None
    assert the.most_absent(Stratum("district", (north,), 0), speaker()) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_most_of_a_group_pass_it_is_said(language: str) -> None:
    passing, taking_sides = Share(10, 10, 80, 100, 60_000, 160_000), Share(10, 80, 10, 100, 60_000, 160_000)
    plain, noted = (
        said(the.support(entry(support=Support(passing, (("A", each),))), speaker(language)))
        for each in (taking_sides, passing)
    )

    assert plain != noted
    assert plain.split("A", 1)[0] in noted
