"""What is held out stays out: by article, by prompt, whole scenarios."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auzolan.core.evals.items import Item, Turn
from auzolan.core.evals.splits import Split, draw_split
from auzolan.core.record.canonical import canonical_bytes, read_canonical
from auzolan.core.record.errors import MalformedError, VerificationError

ARTICLES = tuple(f"{i}.1" for i in range(1, 11))
HALF = Fraction(1, 2)


def _item(scenario: str, text: str, applies: tuple[str, ...] = (), near: tuple[str, ...] = ()) -> Item:
    return Item(scenario, "en", (Turn("user", text),), tuple(sorted(applies)), tuple(sorted(near)))


def _town() -> list[Item]:
    """Ten articles with ten scenarios of three prompts each, ten near misses, and ten scenarios of no article."""
    applied = [
        _item(f"{article} s{i}", f"Prompt {k} of {article} s{i}", (article,))
        for article in ARTICLES
        for i in range(10)
        for k in range(3)
    ]
    near = [_item(f"near {i}", f"Near miss {i}", (), (ARTICLES[i],)) for i in range(10)]
    return applied + near + [_item(f"plain {i}", f"Plain {i}") for i in range(10)]


@st.composite
def _some_items(draw: st.DrawFn) -> list[Item]:
    cells = draw(
        st.lists(
            st.tuples(
                st.integers(0, 12), st.integers(0, 20), st.sets(st.sampled_from(ARTICLES[:4]), max_size=2),
                st.sets(st.sampled_from(ARTICLES[4:6]), max_size=1),
            ),
            max_size=30,
        )
    )  # fmt: skip
    return [_item(f"s{s}", f"prompt {p}", tuple(a), tuple(n)) for s, p, a, n in cells]


@given(_some_items(), st.sampled_from(["x", "y", "z"]), st.sampled_from([Fraction(0), Fraction(1, 5), HALF]))
def test_no_scenario_prompt_or_held_article_straddles(items: list[Item], seed: str, share: Fraction) -> None:
    split = draw_split(items, seed, share, share)
    sides = {item.id: split.side(item) for item in items}
    by_prompt: dict[str, set[str]] = {}
    for item in items:
        by_prompt.setdefault(item.prompt, set()).add(sides[item.id])
        touches = set(split.articles) & {*item.applies, *item.near_misses}

        assert not touches or sides[item.id] == Split.ARTICLES
    assert all(1 == len(found) for found in by_prompt.values())
    assert {item.scenario for item in items} == {*split.train, *split.prompts, *split.unseen}


@given(_some_items(), st.randoms(use_true_random=False))
def test_the_order_of_items_does_not_matter(items: list[Item], chance: object) -> None:
    other = list(items)
    chance.shuffle(other)  # type: ignore[attr-defined]

    assert draw_split(items, "x") == draw_split(other, "x")


def test_a_fifth_is_held_out_of_articles_and_of_each_articles_prompts() -> None:
    items = _town()
    split = draw_split(items, "2026")
    kept = [article for article in ARTICLES if article not in split.articles]
    held = {article: sum(name.startswith(f"{article} ") for name in split.prompts) for article in kept}

    assert 2 == len(split.articles)
    assert dict.fromkeys(kept, 2) == held
    assert 2 == sum(name.startswith("plain") for name in split.prompts)
    assert {f"{article} s{i}" for article in split.articles for i in range(10)} <= set(split.unseen)


def test_near_misses_of_held_articles_are_not_trained_on() -> None:
    split = draw_split(_town(), "2026")
    near = {f"near {ARTICLES.index(article)}" for article in split.articles}

    assert near <= set(split.unseen)


def test_another_seed_is_another_split() -> None:
    items = _town()

    assert 5 <= len({draw_split(items, str(seed)).digest for seed in range(8)})


def test_the_split_is_the_same_on_every_machine() -> None:
    split = draw_split(_town(), "2026")

    assert ("4.1", "9.1") == split.articles
    assert "44f369f2246962ba15b78a1c36dede2d1172f7cb4447a08c4b6d2ab44626d049" == split.digest


def test_an_article_keeps_a_scenario_to_train_on() -> None:
    items = [_item("a", "one", ("1.1",)), _item("b", "two", ("1.1", "2.1")), _item("c", "three", ("2.1",))]
    for seed in "abcdefgh":
        split = draw_split(items, seed, Fraction(0), HALF)
        trained = {article for item in items if split.side(item) == Split.TRAIN for article in item.applies}

        assert {"1.1", "2.1"} == trained
        assert split.prompts


def test_the_same_prompt_in_other_dress_stays_on_one_side() -> None:
    items = [_item(f"s{i}", "¿Dónde está?" if i % 2 else "donde esta", ("1.1",)) for i in range(8)]
    split = draw_split(items, "x", Fraction(0), HALF)

    assert 8 == len(split.train)


def test_what_a_split_does_not_name_is_on_no_side() -> None:
    split = draw_split(_town(), "2026")
    with pytest.raises(VerificationError, match="on no side"):
        split.side(_item("new", "New prompt"))


def test_an_item_that_gained_a_held_article_is_refused() -> None:
    split = draw_split(_town(), "2026")
    with pytest.raises(VerificationError, match="its article is held out"):
        split.side(_item(split.train[0], "Prompt", (split.articles[0],)))


def test_a_split_survives_its_bytes() -> None:
    split = draw_split(_town(), "2026")

    assert split == Split.from_json(read_canonical(canonical_bytes(split.to_json())))


def test_a_scenario_on_two_sides_is_refused() -> None:
    with pytest.raises(MalformedError, match="two sides"):
        Split("x", (), ("a", "b"), ("b",), ())
    with pytest.raises(MalformedError, match="split: train"):
        Split.from_json({"seed": "x", "articles": [], "train": "a", "prompts": [], "unseen": []})


@pytest.mark.parametrize("share", [Fraction(1), Fraction(-1, 5), Fraction(3, 2)])
def test_impossible_shares_are_refused(share: Fraction) -> None:
    with pytest.raises(ValueError):
        draw_split(_town(), "x", share)
    with pytest.raises(ValueError):
        draw_split(_town(), "x", Fraction(0), share)


def test_no_items_make_an_empty_split() -> None:
    assert Split("x", (), (), (), ()) == draw_split([], "x")
