"""Made-up entities of a Decidim (synthetic), for tests of what is done with them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from hypothesis import strategies as st

from auzolan.deliberate.decidim.entities import Comment, Debate, Entity, EntityClass, Key, Proposal, Result, Taxonomy
from auzolan.deliberate.decidim.fingerprint import fingerprint_of

HOST = "decidim.example.org"


def person(number: int) -> str:
    """Return a pseudonym."""
    return sha256(b"person %d (synthetic)" % number).hexdigest()[:32]


def key(kind: EntityClass, number: int, component: int = 6) -> Key:
    return Key(HOST, component, kind, number)


def proposal(number: int, text: str = "", **other: Any) -> Proposal:
    title, body = {"ca": text or f"Proposta {number} (sintètica)"}, {"ca": "Cos (sintètic)."}
    fields: dict[str, Any] = {"state": "not_answered", "fingerprint": fingerprint_of(title, body)} | other
    return Proposal(key("proposal", number), title, body, **fields)


def withdrawn(number: int) -> Proposal:
    return Proposal(key("proposal", number), {}, {}, "withdrawn", None)


def comment(number: int, about: int = 1, parent: int | None = None, **other: Any) -> Comment:
    fields: dict[str, Any] = {"text": f"Comentari {number} (sintètic)"} | other
    return Comment(key("comment", number), ("proposal", about), parent, **fields)


def _words() -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def _texts() -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(["ca", "es", "eu", "pt-BR"]), _words(), max_size=3)


def _counts() -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(0, 2**40)


def _taxonomies() -> st.SearchStrategy[tuple[Taxonomy, ...]]:
    return st.lists(st.builds(Taxonomy, st.none() | st.integers(0, 99), _texts()), max_size=2).map(tuple)


def entities() -> st.SearchStrategy[Entity]:
    """Return any entity that a reader may yield, without people."""
    numbers, said = st.integers(0, 2**31), st.none() | _words()
    proposals = st.builds(
        lambda number, component, title, body, **other: Proposal(
            Key(HOST, component, "proposal", number), title, body, fingerprint=fingerprint_of(title, body), **other
        ),
        numbers, st.integers(0, 99), _texts(), _texts(), state=st.sampled_from(["accepted", "own_state", "evaluating"]),
        answer=_texts(), supports=_counts(), likes=_counts(), url=said, reference=said, taxonomies=_taxonomies(),
        cards=st.none() | st.dictionaries(_words(), st.integers(0, 99), min_size=1, max_size=3), amends=_counts(),
        origin=st.sampled_from([None, "official", "meeting", "participant", "group"]), position=_counts(),
    )  # fmt: skip
    comments = st.builds(
        Comment, st.builds(Key, st.just(HOST), st.integers(0, 99), st.just("comment"), numbers),
        st.none() | st.tuples(st.sampled_from(["proposal", "debate", "result"]), numbers), st.none() | numbers,
        st.just("") | _words(), st.none() | st.integers(0, 3), st.sampled_from([None, -1, 0, 1]), _counts(), _counts(),
        said,
    )  # fmt: skip
    debates = st.builds(
        Debate, st.builds(Key, st.just(HOST), st.integers(0, 99), st.just("debate"), numbers), _texts(), _texts(),
        _texts(), said, said, _counts(), _counts(), _taxonomies(),
    )  # fmt: skip
    results = st.builds(
        Result, st.builds(Key, st.just(HOST), st.integers(0, 99), st.just("result"), numbers), _texts(), _texts(),
        st.none() | st.integers(0, 100), st.lists(numbers, max_size=3).map(tuple), st.none() | numbers, said,
    )  # fmt: skip
    return st.one_of(proposals, comments, debates, results)
