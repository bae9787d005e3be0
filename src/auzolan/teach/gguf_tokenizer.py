"""What a byte-level BPE tokenizer is in GGUF: tokens, kinds, merges, and the name of its way of cutting text.

llama.cpp does not read how text is cut into words before BPE: it knows a list
of ways by name, written in C++. So a tokenizer is exported only if its
`tokenizer.json` says exactly one of those known here; another one would give
other tokens without an error. Not here: SentencePiece tokenizers (Salamandra,
Llama 2), for which a base's published GGUF is the thing to take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auzolan.core.record.errors import MalformedError, UsageError

NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5  # llama.cpp's kinds of tokens
_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# llama.cpp's name, and how tokenizer.json says the same.
_WAYS: dict[str, list[dict[str, Any]]] = {
    "smollm": [{"type": "Digits", "individual_digits": True}, _LEVEL],
    "gpt-2": [_LEVEL],
    "llama-bpe": [
        {"type": "Split", "pattern": {"Regex": _LLAMA3}, "behavior": "Isolated", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False},
    ],
}
_WHOLE_WORDS_FIRST = {"llama-bpe"}  # a word that is a token is not merged: `ignore_merges`


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer as GGUF holds it.

    Attributes:
        way: llama.cpp's name for how text is cut into words.
        tokens: by id, padded with unused ones up to the embedding's rows.
        kinds: of each token.
        merges: pairs in the order of their rank, "left right".
        bos, eos, pad: ids, None if there is none.
        add_bos: text starts with `bos`.
    """

    way: str
    tokens: tuple[str, ...]
    kinds: tuple[int, ...]
    merges: tuple[str, ...]
    bos: int | None
    eos: int
    pad: int | None
    add_bos: bool


def vocabulary_of(tokenizer: Mapping[str, Any], settings: Mapping[str, Any], n_tokens: int) -> Vocabulary:
    """Read a tokenizer.

    Args:
        tokenizer: the object in `tokenizer.json`.
        settings: the object in `tokenizer_config.json`.
        n_tokens: rows of the model's embedding.

    Raises:
        UsageError: a tokenizer that GGUF, or this module, cannot say.
        MalformedError: parts that do not fit together.
    """
    try:
        return _read(tokenizer, settings, n_tokens)
    except (AttributeError, KeyError, StopIteration, TypeError, ValueError):
        raise MalformedError("tokenizer.json or tokenizer_config.json: not laid out as transformers does") from None


def _read(tokenizer: Mapping[str, Any], settings: Mapping[str, Any], n_tokens: int) -> Vocabulary:
    model = tokenizer.get("model")
    if not isinstance(model, dict) or model.get("type") != "BPE" or model.get("byte_fallback"):
        raise UsageError("tokenizer.json: only byte-level BPE is exported to GGUF; take the base's published GGUF")
    for key in ("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk"):
        if model.get(key):
            raise UsageError(f"tokenizer.json: BPE with {key} is not exported")
    if tokenizer.get("normalizer") is not None:
        raise UsageError("tokenizer.json: a normalizer changes the text, and llama.cpp would not")
    way = _way(tokenizer.get("pre_tokenizer"))
    if bool(model.get("ignore_merges")) != (way in _WHOLE_WORDS_FIRST):
        raise UsageError(f"tokenizer.json: ignore_merges is not what llama.cpp does for {way}")
    tokens, kinds = _tokens(model.get("vocab"), tokenizer.get("added_tokens"), n_tokens)
    ids = {token: number for number, token in enumerate(tokens)}
    eos = _special(settings, "eos_token", ids)
    if eos is None:
        raise UsageError("tokenizer_config.json: there is no eos_token, so that no answer would end")
    bos = _special(settings, "bos_token", ids)
    add_bos = _starts_with_bos(tokenizer.get("post_processor"), settings)
    pad = _special(settings, "pad_token", ids)
    return Vocabulary(way, tokens, kinds, _merges(model.get("merges")), bos, eos, pad, add_bos)


def _way(pre_tokenizer: object) -> str:
    """Return llama.cpp's name for a way of cutting text."""
    parts = [pre_tokenizer]
    if isinstance(pre_tokenizer, dict) and pre_tokenizer.get("type") == "Sequence":
        parts = pre_tokenizer.get("pretokenizers") or []
    told = [
        {key: value for key, value in part.items() if key != "trim_offsets"} for part in parts if isinstance(part, dict)
    ]
    for name, known in _WAYS.items():
        if told == known:
            return name
    kinds = ", ".join(str(part.get("type"))[:30] for part in told) or "none"
    known_names = ", ".join(_WAYS)
    raise UsageError(f"tokenizer.json: the pre-tokenizer ({kinds}) is none of those known here ({known_names})")


def _tokens(vocab: object, added: object, n_tokens: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return all tokens and their kinds, by id."""
    if not isinstance(vocab, dict) or not isinstance(added, list):
        raise MalformedError("tokenizer.json: expected a vocabulary and added tokens")
    named: dict[int, tuple[str, int]] = {number: (token, NORMAL) for token, number in vocab.items()}
    if len(named) != len(vocab):
        raise MalformedError("tokenizer.json: two tokens have one id")
    for each in added:
        token, number = each.get("content"), each.get("id")
        if any(each.get(key) for key in ("single_word", "lstrip", "rstrip")):
            raise UsageError(f"tokenizer.json: token {str(token)[:60]!r} takes blanks away, which is not exported")
        if number in named and named[number][0] != token:
            raise MalformedError(f"tokenizer.json: two tokens have the id {number}")
        named[number] = (token, CONTROL if each.get("special") else USER_DEFINED)
    if not all(type(number) is int and 0 <= number < n_tokens for number in named):
        raise MalformedError(f"tokenizer.json: expected ids below {n_tokens:,}, the rows of the embedding")
    if len({token for token, _ in named.values()}) != len(named):
        raise MalformedError("tokenizer.json: one token has two ids")
    full = [named.get(number, (f"[PAD{number}]", UNUSED)) for number in range(n_tokens)]
    return tuple(token for token, _ in full), tuple(kind for _, kind in full)


def _merges(merges: object) -> tuple[str, ...]:
    """Return the merges as texts; tokenizer.json has either texts or pairs."""
    if not isinstance(merges, list) or not merges:
        raise UsageError("tokenizer.json: there are no merges, and llama.cpp demands some")
    found = [each if isinstance(each, str) else " ".join(each) for each in merges]
    if not all(each.count(" ") == 1 for each in found):
        raise MalformedError("tokenizer.json: expected each merge to be of two tokens")
    return tuple(found)


def _special(settings: Mapping[str, Any], key: str, ids: Mapping[str, int]) -> int | None:
    """Return the id of a special token that the settings name."""
    token = settings.get(key)
    if isinstance(token, dict):
        token = token.get("content")
    if token is None:
        return None
    if token not in ids:
        raise MalformedError(f"tokenizer_config.json: {key} {str(token)[:60]!r} is not among the tokens")
    return ids[token]


def _starts_with_bos(post_processor: object, settings: Mapping[str, Any]) -> bool:
    """Return whether text starts with the token that the settings name as its start."""
    parts = [post_processor]
    if isinstance(post_processor, dict) and post_processor.get("type") == "Sequence":
        parts = post_processor.get("processors") or []
    starts = False
    for part in parts:
        if part is None or (isinstance(part, dict) and part.get("type") == "ByteLevel"):
            continue
        single = part.get("single") if isinstance(part, dict) and part.get("type") == "TemplateProcessing" else None
        names = [next(iter(each.values())).get("id") for each in single or []]
        bos = settings.get("bos_token")
        if names != [bos.get("content") if isinstance(bos, dict) else bos, "A"]:
            raise UsageError("tokenizer.json: it adds tokens to the text that are not exported")
        starts = True
    return starts
