"""Text from people without the marks that a chat template speaks in, so that nobody can speak as another.

Removed are the special tokens of the loaded tokenizer, and those of well-known
families, for backends whose tokenizer is not known here: everything in `<|...|>`
(ChatML, Llama 3, harmony, Phi, DeepSeek, Granite), `[INST]` and its like
(Llama 2, Mistral), `<start_of_turn>` (Gemma), marks of thinking and of tools.
They are looked for in the skeleton of the text, so full-width letters and hidden
characters do not hide them, and removed until none is left: a mark that appears
when another goes is taken at once, because what stands before it is kept on a stack.

Not covered: marks that are words ("User:", "### Instruction:"), which every
model reads and no tokenizer treats apart; whether a model believes a well-written lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

import re2

from auzolan.run.checks.nets import options
from auzolan.run.checks.plain_text import even_forms, read_whole, skeleton_text

_FAMILIES = (
    "[INST] [/INST] <<SYS>> <</SYS>> [SYSTEM_PROMPT] [/SYSTEM_PROMPT] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] "
    "[TOOL_CALLS] [TOOL_RESULTS] [/TOOL_RESULTS] [TOOL_CONTENT] [THINK] [/THINK] <s> </s> <bos> <eos> <pad> <unk> "
    "<start_of_turn> <end_of_turn> <start_of_image> <end_of_image> <think> </think> <tool_call> </tool_call> "
    "<tool_response> </tool_response> <tools> </tools> <start_of_role> <end_of_role> [gMASK] <sop> <eop>"
)
_BRACKETS = frozenset("<>[]{}|")
_SHORTEST = 3
_LONGEST_INNER = 60
_GENERIC = rf"<\|[^|<>\n]{{1,{_LONGEST_INNER}}}\|>"
_BROKEN = str.maketrans({"<": "‹", ">": "›", "[": "(", "]": ")", "{": "(", "}": ")", "|": "¦"})


class _Marks(NamedTuple):
    """Marks made ready: to see whether there is any, and to find where one ends (Aho and Corasick 1975).

    Attributes:
        any: finds the first.
        brackets: finds the next character that a mark begins with, or that may end one in bars.
        steps: of each state, where each character leads.
        fallbacks: of each state, the longest other one that its text ends with.
        lengths: of each state, the longest mark that its text ends with, or 0.
    """

    any: re2._Regexp
    brackets: re.Pattern[str]
    steps: list[dict[str, int]]
    fallbacks: list[int]
    lengths: list[int]

    def step(self, state: int, char: str) -> int:
        """Return the state after one more character."""
        while char not in self.steps[state] and state:
            state = self.fallbacks[state]
        return self.steps[state].get(char, 0)


def strip_markers(text: str, specials: Sequence[str]) -> tuple[str, bool]:
    """Return a text without marks, and whether there were any.

    Args:
        text: as a person wrote it.
        specials: special tokens of the loaded tokenizer; those without a bracket or a bar are left in, for they are
            words or white space.
    """
    marks = _marks(tuple(specials))
    forms = even_forms(text)
    if marks.any.search(forms.skeleton if forms else skeleton_text(text)) is None:
        return text, False
    cleaned = _without(text, marks)
    # Where taking one out joins what Unicode then reads as one character, another might appear.
    if marks.any.search(skeleton_text(cleaned)) is not None:
        cleaned = cleaned.translate(_BROKEN)
        if marks.any.search(skeleton_text(cleaned)) is not None:
            cleaned = skeleton_text(cleaned).translate(_BROKEN)
    return cleaned, True


def _without(text: str, marks: _Marks) -> str:
    lane = read_whole(text).skeleton
    look = lane.text.lower()
    kept: list[tuple[int, int]] = []  # place and state of every character that still stands
    gone: list[int] = []
    state = place = 0
    while place < len(look):
        if state == 0:  # nothing begins before the next bracket
            found = marks.brackets.search(look, place)
            bracket = found.start() if found else len(look)
            kept += zip(range(place, bracket), repeat(0))
            place = bracket
            if found is None:
                break
        char = look[place]
        state = marks.step(state, char)
        kept.append((place, state))
        place += 1
        length = marks.lengths[state] or (_generic_length(look, kept) if char == ">" else 0)
        if length:
            gone += [at for at, _ in kept[-length:]]
            del kept[-length:]
            state = kept[-1][1] if kept else 0
    pieces, at = [], 0
    for place in sorted(gone):
        start, end = lane.raw_of(place), lane.raw_after(place + 1)
        pieces.append(text[at:start])
        at = max(at, end)
    return "".join([*pieces, text[at:]])


def _generic_length(look: str, kept: Sequence[tuple[int, int]]) -> int:
    """Return how many of the last characters are a mark in bars, 0 if they are none."""
    if len(kept) < 2 or look[kept[-2][0]] != "|":
        return 0
    for length in range(3, min(len(kept), _LONGEST_INNER + 4)):
        char = look[kept[-length][0]]
        if char == "|":  # it opens the mark if "<" stands before it and something after it
            return length + 1 if length > 3 and look[kept[-length - 1][0]] == "<" else 0
        if char in "<>\n":
            return 0
    return 0


@lru_cache(maxsize=8)
def _marks(specials: tuple[str, ...]) -> _Marks:
    looks = sorted({look for look in map(_look, (*_FAMILIES.split(), *specials)) if look})
    steps: list[dict[str, int]] = [{}]
    lengths = [0]
    for look in looks:
        state = 0
        for char in look:
            if char not in steps[state]:
                steps[state][char] = len(steps)
                steps.append({})
                lengths.append(0)
            state = steps[state][char]
        lengths[state] = len(look)
    fallbacks = _fallbacks(steps, lengths)
    source = "|".join([_GENERIC, *(re2.escape(look) for look in looks)])
    brackets = re.compile("[" + "".join(re.escape(char) for char in sorted({">", *steps[0]})) + "]")
    return _Marks(re2.compile(source, options=options()), brackets, steps, fallbacks, lengths)


def _look(special: str) -> str:
    look = skeleton_text(special).lower()
    return look if len(look) >= _SHORTEST and _BRACKETS.intersection(look) else ""


def _fallbacks(steps: Sequence[dict[str, int]], lengths: list[int]) -> list[int]:
    """Return the fallback of every state, and complete `lengths` with what they end with."""
    fallbacks = [0] * len(steps)
    ahead: Iterable[int] = list(steps[0].values())
    while ahead:
        level, ahead = ahead, []
        for state in level:
            for char, after in steps[state].items():
                back = fallbacks[state]
                while back and char not in steps[back]:
                    back = fallbacks[back]
                fallbacks[after] = steps[back].get(char, 0)
                lengths[after] = lengths[after] or lengths[fallbacks[after]]
                ahead.append(after)
    return fallbacks
