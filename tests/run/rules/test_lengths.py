"""How long matches can be: against RE2 itself."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from auzolan.run.rules.lengths import length_of, longest_match

_TOKENS = [
    "a", "b", "é", ".", "*", "+", "?", "??", "{2}", "{1,3}", "{0}", "{,2}", "{02}", "{2,}", "(", ")", "(?:", "(?i)",
    "(?i:", "(?P<n>", "(?<m>", "|", "[", "[^", "]", "[[:alpha:]]", "[:", ":]", "\\Q", "\\E", "\\", "\\d", "\\b",
    "\\pL", "\\p{Greek}", "\\P{L}", "\\x41", "\\x{42}", "\\101", "\\07", "\\.", "\\C", "^", "$", "\\A", "\\z", "-",
    "{", "}", ",", "0", "2", "\\]", "\n", "(?s)", "(?-s:", "(?U)", "\\\\", "\\B",
]  # fmt: skip
_TEXTS = ("aabaabaab", "ab\naé AB]:a{2}{,2}{02}\\EQ", "a" * 12)


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors, options.max_mem = False, 1 << 20
    return options


@pytest.mark.parametrize(
    ("pattern", "shortest", "longest"),
    [
        ("abc", 3, 3),
        ("colou?r", 5, 6),
        ("a|bcd|", 0, 3),
        ("a{2,5}b{3}", 5, 8),
        ("(?:ab){2}", 4, 4),
        ("(ab|c){0,3}", 0, 6),
        ("a*", 0, None),
        ("a+b", 2, None),
        ("x{2,}", 2, None),
        ("(a*){3}", 0, None),
        ("(a*){0}b", 1, 1),
        ("[]a]b", 2, 2),
        ("[^]a]", 1, 1),
        ("[[:alpha:]\\]x]y", 2, 2),
        ("\\Qa+b\\E", 3, 3),
        ("\\Qab", 2, 2),
        ("\\Qab\\E*", 1, None),
        ("a{,2}", 5, 5),
        ("a{02}", 5, 5),
        ("a{", 2, 2),
        ("\\x{1F600}\\x41\\101\\pL\\p{Greek}\\.", 6, 6),
        ("\\bword\\b", 4, 4),
        ("\\b*", 0, 0),
        ("(?i)a(?s:.)b", 3, 3),
        ("(?P<name>ab)(?<other>c)", 3, 3),
        ("a??b+?", 1, None),
        ("", 0, 0),
    ],
)
def test_lengths_of_known_patterns(pattern: str, shortest: int, longest: int | None) -> None:
    re2.compile(pattern, options=_options())
    found = length_of(pattern)

    assert (shortest, longest) == (found.shortest, found.longest)
    assert longest == longest_match(pattern)


@pytest.mark.parametrize("pattern", ["^a", "a$", "\\Aa", "a\\z", "(?m:^)a", "(a|b$)"])
def test_patterns_that_ask_for_the_ends_are_told(pattern: str) -> None:
    assert length_of(pattern).at_ends


@pytest.mark.parametrize("pattern", ["a\\$", "[^a]", "[$^]", "\\Q^$\\E", "\\^"])
def test_signs_that_only_look_like_ends_are_none(pattern: str) -> None:
    assert not length_of(pattern).at_ends


@pytest.mark.parametrize("pattern", ["a)", "(a", "*", "(?=a)b", "(?#", "(" * 5_000, "a" * 5_000 + "|" * 5_000])
def test_what_re2_refuses_does_no_harm(pattern: str) -> None:
    length_of(pattern)


def _check(pattern: str, text: str) -> None:
    try:
        compiled = re2.compile(pattern, options=_options())
    except re2.error:
        length_of(pattern)
        return
    found = length_of(pattern)
    for match in compiled.finditer(text):
        size = len(match.group())

        assert found.shortest <= size
        assert found.longest is None or size <= found.longest


@given(st.lists(st.sampled_from(_TOKENS), max_size=9).map("".join), st.sampled_from(_TEXTS))
def test_no_match_is_longer_than_was_told(pattern: str, text: str) -> None:
    _check(pattern, text)
    _check(pattern, pattern * 2 + text)


def _grown() -> st.SearchStrategy[tuple[str, str, str]]:
    """Return (pattern, one of its shortest matches, one of its longest), for patterns with bounds."""
    leaf = st.sampled_from(
        [("a", "a", "a"), ("é", "é", "é"), (".", "x", "x"), ("[b-d]", "c", "c"), ("\\.", ".", "."), ("\\b", "", "")]
    )

    def grow(inner: st.SearchStrategy[tuple[str, str, str]]) -> st.SearchStrategy[tuple[str, str, str]]:
        both = st.tuples(inner, inner)
        return st.one_of(
            both.map(lambda two: (two[0][0] + two[1][0], two[0][1] + two[1][1], two[0][2] + two[1][2])),
            both.map(
                lambda two: (
                    f"(?:{two[0][0]}|{two[1][0]})",
                    min(two[0][1], two[1][1], key=len),
                    max(two[0][2], two[1][2], key=len),
                )
            ),
            st.tuples(inner, st.integers(0, 3), st.integers(0, 3)).map(
                lambda of: (f"(?:{of[0][0]}){{{of[1]},{of[1] + of[2]}}}", of[0][1] * of[1], of[0][2] * (of[1] + of[2]))
            ),
        )

    return st.recursive(leaf, grow, max_leaves=8)


@given(_grown())
def test_lengths_are_exact_for_bounded_patterns(grown: tuple[str, str, str]) -> None:
    pattern, shortest, longest = grown
    found = length_of(pattern)

    assert (len(shortest), len(longest)) == (found.shortest, found.longest)
