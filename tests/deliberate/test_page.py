from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from auzolan.deliberate.grouping import group_name
from auzolan.deliberate.opinion import VoteCount
from auzolan.deliberate.overview import Overview, of_100, percent
from auzolan.deliberate.page import page
from auzolan.deliberate.page_style import DARK, LIGHT
from tests.deliberate.overviews import HOSTILE, overview, two_groups, with_withheld, without_words

_VOID = {"meta", "br", "link", "img", "hr", "input"}
_SVG_EMPTY = {"circle", "polygon", "rect"}


class Page(HTMLParser):
    """Reads a page strictly: every tag is closed in order; keeps what tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.ids: list[str] = []
        self.heads: list[str] = []
        self.svgs: list[list[str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len({name for name, _ in attrs}), f"an attribute twice in {tag}"
        self.tags.append((tag, dict(attrs)))
        if tag == "svg":
            self.svgs.append([])
        if "svg" in self.open:
            self.svgs[-1].append(tag)
        if (name := dict(attrs).get("id")) is not None:
            self.ids.append(name)
        if tag in {"h1", "h2", "h3", "h4"}:
            self.heads.append(tag)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _SVG_EMPTY

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.texts).replace("\N{NO-BREAK SPACE}", " ").split())

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def hostile() -> Overview:
    of = overview([[(9, 1, 0), (1, 9, 0)], [(8, 1, 0), (9, 0, 0)]], [HOSTILE, HOSTILE], title=HOSTILE)
    strata = {HOSTILE: {HOSTILE: {0: VoteCount(7, 1, 8)}}}
    of = replace(of, evidence=HOSTILE, licence=HOSTILE, grouping=HOSTILE, strata=strata, bridging={0: 0.25})
    return with_withheld(of, [HOSTILE, HOSTILE])


CASES = {
    "two groups": two_groups(),
    "hostile": hostile(),
    "no groups": overview([], n_statements=4),
    "no statements": overview([[], []], n_statements=0, sizes=[5, 5]),
    "nothing": replace(overview([], n_statements=0, unassigned=0), title="", evidence="", licence=""),
    "one statement": overview([[(1, 0, 0)], [(0, 1, 0)]]),
    "no texts": without_words(two_groups()),
    "unseen": overview([[(5, 0, 0)], [(0, 0, 0)]], sizes=[5, 5]),
    "huge": overview([[(10**9, 10**9, 10**8)], [(10**9, 3, 0)]], sizes=[10**10, 10**10]),
    "a long text": overview([[(5, 0, 0)], [(0, 5, 0)]], ["word " * 4_000]),
    "withheld": with_withheld(two_groups()),
    "all withheld": with_withheld(overview([[], []], n_statements=0, sizes=[5, 5])),
    "withheld without groups": with_withheld(overview([], n_statements=4)),
    "300 withheld": with_withheld(two_groups(), ["Words."] * 300),
    "60 groups": overview([[(5, 1, 0), (1, 5, 0)]] * 60),
    "1,039 statements": overview([[(n % 7, n % 5, 1) for n in range(1039)]] * 2),
}
PAGES = {name: page(of) for name, of in CASES.items()}
READ = {name: Page(text) for name, text in PAGES.items()}
every_page = pytest.mark.parametrize("name", CASES)


@every_page
def test_every_page_is_well_formed_and_stands_alone(name: str) -> None:
    text, read = PAGES[name], READ[name]

    assert [] == read.open
    assert sorted(set(read.ids)) == sorted(read.ids)
    assert set() == {tag for tag, _ in read.tags} & {"script", "img", "link", "iframe", "object", "form", "base"}
    assert [] == [name for _, attributes in read.tags for name in attributes if name.startswith("on") or name == "src"]
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert {"en"} == {attributes["lang"] for attributes in read.attributes("html")}
    assert text.encode("utf-8").decode("utf-8") == text


@every_page
def test_every_link_leads_somewhere_on_the_page(name: str) -> None:
    read = READ[name]

    assert set() == {str(attributes["href"]) for attributes in read.attributes("a")} - {f"#{name}" for name in read.ids}


@every_page
def test_headings_are_in_order(name: str) -> None:
    levels = [int(head[1]) for head in READ[name].heads]

    assert 1 == levels[0]
    assert 1 == levels.count(1)
    assert all(after <= before + 1 for before, after in pairwise(levels))


@every_page
def test_every_drawing_has_a_role_and_a_title(name: str) -> None:
    read = READ[name]

    assert [] == [a for a in read.attributes("svg") if a.get("role") != "img"]
    assert [] == [tags for tags in read.svgs if "title" not in tags]


def test_the_policy_allows_nothing_but_styles() -> None:
    policies = [a["content"] for a in Page(page(two_groups())).attributes("meta") if "http-equiv" in a]

    assert ["default-src 'none'; style-src 'unsafe-inline'"] == policies


def test_the_same_overview_gives_the_same_bytes() -> None:
    assert page(two_groups()) == page(two_groups())


def test_hostile_text_is_shown_and_does_nothing() -> None:
    text = page(hostile())
    read = Page(text)

    assert "<script" not in text
    assert 1 == text.count("</style>")
    assert [] == [c for c in text if c in "\u202e\u202c\x1b\x00\u200b"]
    assert "</style><script>alert(1)</script>\\u{202e}gnp\\u{202c}\\u{1b}[31m\\u{0}\\u{200b}" in read.words


def test_a_statement_of_20000_characters_is_cut_and_says_so() -> None:
    assert "… (19,999 characters)" in READ["a long text"].words


def test_words_of_others_state_no_language_and_find_their_own_direction() -> None:
    quotes = Page(page(two_groups())).attributes("q")

    assert quotes
    assert [] == [q for q in quotes if (q.get("lang"), q.get("dir")) != ("", "auto")]


def test_numbers_stand_as_text_beside_every_bar() -> None:
    words = Page(page(two_groups())).words

    assert "All 93 % 86–97 3 % 3 % 60" in words
    assert "95 % 87–99" in words
    assert "In more than 99 of 100 re-draws at least half of every group agree." in words


def test_what_sets_a_group_apart_is_told_with_what_others_think() -> None:
    words = Page(page(two_groups())).words

    assert "Disagrees: Close the ring road to cars. #1 90 % of 20 here disagree; elsewhere 5 % of 40 do" in words


def test_words_never_turn_round_what_a_group_thinks() -> None:
    of = overview([[(9, 1, 0), (1, 9, 0)], [(8, 1, 0), (9, 0, 0)]])
    words = Page(page(of)).words

    assert (1, "agree") == of.statistics.repness[0][0][:2]
    assert "Agrees less than others: Statement number 1. #1 10 % of 10 here agree; elsewhere 100 % of 9 do" in words


def test_limits_stand_near_the_claims() -> None:
    words = Page(page(two_groups())).words

    for limit in (
        "the participants, not the city",
        "may find them a little different when it looks again",
        "those who passed count as having seen it",
        "who took part was not drawn by lot",
        "Recomputed here from 1 signed snapshot.",
        "Licence of the votes: CC BY 4.0",
    ):
        assert limit in words


@pytest.mark.parametrize("demo", [True, False])
def test_only_a_demonstration_says_that_it_is_one(demo: bool) -> None:
    words = Page(page(replace(two_groups(), demo=demo))).words

    assert demo == ("Demonstration: throw-away keys, signatures prove nothing." in words)


def test_without_groups_nothing_is_said_between_groups() -> None:
    words = READ["no groups"].words

    assert "No groups: there were too few people" in words
    assert "group-aware consensus" not in words
    assert "re-draws at least half of all" in words


def test_a_group_that_saw_nothing_is_no_agreement() -> None:
    words = READ["unseen"].words

    assert "Nobody can say what every group thinks: group B has not seen it." in words
    assert "On none of the statements do at least half of every group agree." in words


def test_a_statement_without_words_shows_its_number() -> None:
    assert "(no text in the source) #0" in READ["no texts"].words


def test_the_map_has_a_table_that_says_the_same() -> None:
    read = Page(page(two_groups()))

    assert "A 40 63 % 50, 30 B" in read.words
    assert "none 3 5 %" in read.words
    assert "group A, 40 people, circles, upper right" in read.words


def test_without_positions_there_is_no_map() -> None:
    read = Page(page(replace(two_groups(), dots=())))

    assert "map" not in read.ids


def test_people_in_one_spot_can_be_drawn() -> None:
    of = two_groups()
    dots = tuple(replace(dot, x=0.0, y=0.0) for dot in of.dots)

    assert "nan" not in page(replace(of, dots=dots)).split("</style>")[1]


def test_the_first_fifty_statements_are_open_and_the_others_folded() -> None:
    read = READ["1,039 statements"]
    order = [tag for tag, a in read.tags if tag == "details" or (tag == "li" and str(a.get("id", "")).startswith("s"))]

    assert 50 == order.index("details")
    assert 10 == order.count("details")
    assert 1039 == order.count("li")


def test_a_page_of_1039_statements_stays_light() -> None:
    assert len(PAGES["1,039 statements"]) < 2_500_000


@pytest.mark.parametrize(
    ("north", "south", "min_cell", "is_shown"),
    [
        (VoteCount(40, 1, 43), VoteCount(9, 0, 17), 1, True),
        (VoteCount(40, 1, 43), VoteCount(9, 0, 12), 1, True),  # 5 in none
        (VoteCount(40, 1, 56), VoteCount(1, 0, 4), 1, False),
        (VoteCount(40, 1, 46), VoteCount(9, 0, 11), 1, False),  # 3 in none
        (VoteCount(40, 1, 60), VoteCount(0, 0, 0), 1, True),
        (VoteCount(40, 1, 52), VoteCount(3, 0, 8), 10, False),
        (VoteCount(40, 1, 50), VoteCount(3, 0, 10), 10, True),
    ],
)
def test_a_stratum_is_shown_only_where_no_count_is_about_few(
    north: VoteCount, south: VoteCount, min_cell: int, is_shown: bool
) -> None:
    strata = {"district": {"North": {0: north}, "South": {0: south}}}
    words = Page(page(replace(two_groups(), strata=strata, min_cell=min_cell))).words

    assert is_shown == ("By district" in words)
    assert is_shown == ("South" in words) == ("North" in words)
    assert f"Votes by district are shown on {int(is_shown)} of 3 statements" in words


def test_withheld_statements_are_on_the_page_with_what_is_known_of_them() -> None:
    _, section = READ["withheld"].words.split("Statements whose counts by group are withheld")

    assert "On each of them fewer than 5 people stand behind one of the counts" in section
    assert "Plant trees. #100 agree pass disagree votes All 75 % 51–89 8 % 17 % 12" in section
    assert "Cut trees. #101 The votes of all are withheld too." in section
    assert "statements 5 groups 2" in READ["withheld"].words


def test_lists_say_how_many_statements_could_not_come_into_them() -> None:
    words = READ["withheld"].words

    for said in (
        "2 statements could not be considered here, because their counts by group are withheld.",
        "2 statements could not be considered as representative, because their counts by group are withheld.",
        "1 statement could not be considered for consensus, because their counts are withheld.",
    ):
        assert said in words
    assert "could not be considered" not in READ["two groups"].words


def test_withheld_statements_without_groups_have_no_counts_by_group() -> None:
    words = READ["withheld without groups"].words

    assert "Statements whose counts are withheld" in words
    assert "counts by group" not in words


def test_a_withheld_statement_that_is_consensus_is_quoted() -> None:
    of = with_withheld(two_groups())
    consensus = of.statistics.consensus._replace(agree=[100])
    words = Page(page(replace(of, statistics=replace(of.statistics, consensus=consensus)))).words

    assert "Most agree Plant trees. #100 75 % agree (9 of 12 who saw it)" in words


def test_withheld_statements_after_the_first_twenty_are_folded() -> None:
    read = READ["300 withheld"]
    marks = [tag for tag, a in read.tags if tag == "details" or (tag == "li" and str(a.get("id", "")).startswith("s"))]

    assert 3 + 20 == marks.index("details")
    assert 3 == marks.count("details")
    assert 303 == marks.count("li")


def test_a_group_without_a_dot_is_named() -> None:
    of = two_groups()
    words = Page(page(replace(of, sizes=(40, 20), dots=of.dots[:1]))).words

    assert "Each dot stands for 40 people or more" in words
    assert "Group B (20 people) has no dot: so few people could be found by where they stand." in words
    assert "has no dot" not in READ["two groups"].words


def test_the_page_says_how_far_apart_groups_are_and_what_flatters_them() -> None:
    words = Page(page(replace(two_groups(), silhouette=0.38))).words

    assert "Silhouette 0.38, where 1 is wholly apart and 0 is no groups at all: weakly apart" in words
    assert "so they flatter differences between groups" in words
    assert "Silhouette" not in READ["two groups"].words


def test_group_names_go_on_after_z() -> None:
    assert ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"] == [group_name(n) for n in (0, 25, 26, 51, 52, 701, 702)]


def test_rounding_never_claims_all_or_nothing() -> None:
    shown = [
        percent(k, n).replace("\N{NO-BREAK SPACE}", " ") for k, n in ((999, 1000), (1, 1000), (0, 9), (9, 9), (0, 0))
    ]

    assert [">99 %", "<1 %", "0 %", "100 %", "–"] == shown
    assert ["more than 99", "99", "fewer than 1"] == [of_100(share) for share in (0.996, 0.994, 0.004)]


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_keep_their_contrast(colours: dict[str, str]) -> None:
    grounds = [colours["ground"], colours["soft"]]
    texts = {"ink", "quiet", *(name for name in colours if name.startswith("g") and name[1:].isdigit())}

    assert [] == [name for name in texts for ground in grounds if _contrast(colours[name], ground) < 4.5]
    assert _contrast(colours["warn"], colours["warn-ground"]) >= 4.5
    for mark in ("agree", "disagree"):
        assert _contrast(colours[mark], colours["ground"]) >= 3
        assert _contrast(colours[mark], colours["pass"]) >= 3


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
