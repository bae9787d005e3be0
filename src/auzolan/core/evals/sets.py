"""Public evaluation sets: what each is, on what terms, and how one of its rows becomes an item.

Pure: rows in, items out; `loaders` reads the files. The sets are not part of this package and nothing is downloaded.
Many rows ask for harm, by design, so that a model can be seen to answer safely: they are no examples to show.
A scenario is shared by translations of one item and by rows of one template.

Left out of the items: the completions of hh-rlhf (only the conversation up to the last human turn is read), and what
a set says beside the columns named here. TruthfulQA is read as multiple choice (its MC1). What a set measures and
whether a model is able to take it is for the evaluation to say.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from auzolan.core.evals.items import Choice, Item, Origin, Turn
from auzolan.core.record.canonical import JsonObject, JsonValue, as_list, as_object, as_text
from auzolan.core.record.errors import MalformedError

SAFE_ANSWER = "expect:safe-answer"  # the request is harmful: refusing, or answering without the harm, is right
ANSWER = "expect:answer"  # the request only looks harmful, or is ordinary: refusing is wrong


@dataclass(frozen=True)
class EvaluationSet:
    """A set of rows that others published.

    Attributes:
        origin: its name, licence and source.
        measures: "harm", "over-refusal", "bias", "honesty" or "helpfulness".
        languages: that its rows can have.
        rows: turns one row into its items, in the given language where the row does not say; "" is not known.
        repeats: whether rows may give one item twice (they differ in what is not read); it is then read once.
    """

    origin: Origin
    measures: str
    languages: tuple[str, ...]
    rows: Callable[[JsonObject, str, Origin], list[Item]]
    repeats: bool = False


def choices_shown(item: Item) -> str:
    """Return the prompt with its choices below, lettered from A, as a model reads it."""
    return "\n".join([item.prompt, *(f"{chr(65 + i)}. {choice.text}" for i, choice in enumerate(item.choices))])


def _asked(scenario: str, language: str, text: str, origin: Origin, *tags: str) -> Item:
    return Item(scenario, language, (Turn("user", text),), tags=tuple(sorted({*tags} - {""})), origin=origin)


def _harmbench(row: JsonObject, language: str, origin: Origin) -> list[Item]:
    behaviour, context = _text(row, "Behavior"), _optional(row, "ContextString")
    text = f"{context}\n\n---\n\n{behaviour}" if context else behaviour
    tags = (SAFE_ANSWER, f"category:{_text(row, 'SemanticCategory')}", f"kind:{_text(row, 'FunctionalCategory')}")
    return [_asked(f"harmbench:{_text(row, 'BehaviorID')}", language, text, origin, *tags)]


def _strongreject(row: JsonObject, language: str, origin: Origin) -> list[Item]:
    text = _text(row, "forbidden_prompt")
    return [_asked(_named("strongreject", text), language, text, origin, SAFE_ANSWER, _category(row))]


def _simplesafetytests(row: JsonObject, language: str, origin: Origin) -> list[Item]:
    scenario = f"simplesafetytests:{_text(row, 'id')}"
    return [
        _asked(
            scenario, language, _text(row, "prompts_final"), origin, SAFE_ANSWER, f"category:{_text(row, 'harm_area')}"
        )
    ]


def _xstest(row: JsonObject, language: str, origin: Origin) -> list[Item]:
    kind = _text(row, "type")
    expected = SAFE_ANSWER if kind.startswith("contrast_") else ANSWER
    return [_asked(f"xstest:{_text(row, 'id')}", language, _text(row, "prompt"), origin, expected, f"kind:{kind}")]


def _xsafety(row: JsonObject, language: str, origin: Origin) -> list[Item]:
    said = _optional(row, "lang") or language
    scenario = f"xsafety:{_text(row, 'category')}:{_number(row, 'i')}"
    return [_asked(scenario, said, _text(row, "prompt"), origin, SAFE_ANSWER, _category(row))]


def _multijail(row: JsonObject, language: str, origin: Origin) -> list[Item]:
    """One item per language of the row, or only the one asked for."""
    scenario = f"multijail:{_number(row, 'id')}"
    return [
        _asked(scenario, tag, text, origin, SAFE_ANSWER)
        for tag in ((language,) if language else _MULTIJAIL)
        if (text := _optional(row, tag).strip())
    ]


def _hh_rlhf(row: JsonObject, language: str, origin: Origin) -> list[Item]:
    """The conversation up to the last human turn; conversations that open alike are one scenario."""
    said = _text(row, "chosen")
    turns: list[Turn] = []
    for part in said.split("\n\nHuman:")[1:]:
        human, *replies = part.split("\n\nAssistant:")
        for role, text in (("user", human), *(("assistant", reply) for reply in replies)):
            # A few conversations have an empty turn, or one speaker twice: the words are kept, the turns are joined.
            if text.strip() and turns and turns[-1].role == role:
                turns[-1] = Turn(role, f"{turns[-1].text}\n\n{text.strip()}")
            elif text.strip():
                turns.append(Turn(role, text.strip()))
    while turns and turns[-1].role != "user":
        turns.pop()
    if not turns:
        raise MalformedError("chosen: expected a conversation of Human and Assistant")
    scenario = _named("hh-rlhf", turns[0].text)
    return [Item(scenario, language, tuple(turns), tags=(SAFE_ANSWER,), origin=origin)]


def _ailuminate(row: JsonObject, language: str, origin: Origin) -> list[Item]:
    said = _optional(row, "locale").split("_")[0].lower() or language
    scenario = f"ailuminate:{_text(row, 'release_prompt_id')}"
    tags = (SAFE_ANSWER, f"category:{_text(row, 'hazard')}", f"persona:{_text(row, 'persona')}")
    return [_asked(scenario, said, _text(row, "prompt_text"), origin, *tags)]


def _truthfulqa(row: JsonObject, language: str, origin: Origin) -> list[Item]:
    said = _optional(row, "lang") or language
    targets = as_object(row.get("mc1_targets"), "mc1_targets")
    texts, labels = as_list(targets.get("choices"), "choices"), as_list(targets.get("labels"), "labels")
    if len(texts) != len(labels) or sum(label == 1 for label in labels) != 1:
        raise MalformedError("mc1_targets: expected a label per choice, one of them 1")
    scenario = f"truthfulqa:{_number(row, 'id')}"
    # The files have the right choice first, and some end with an empty wrong one. All translations get one new order.
    order = sorted(range(len(texts)), key=lambda i: hashlib.sha256(f"{scenario}:{i}".encode()).digest())
    choices = tuple(Choice(as_text(texts[i], "choices"), labels[i] == 1) for i in order if texts[i] or labels[i] == 1)
    return [
        Item(
            scenario, said, (Turn("user", _text(row, "question")),), choices=choices, tags=(_category(row),),
            origin=origin,
        )
    ]  # fmt: skip


def _bbq(row: JsonObject, language: str, origin: Origin) -> list[Item]:
    """BBQ and its Spanish and Catalan relatives, whose files write lists as Python does and numbers as text."""
    nested = row.get("additional_metadata")
    facts = as_object(nested, "additional_metadata") if nested is not None else row
    stereotyped = {_fold(each) for each in _listed(facts.get("stereotyped_groups"), "stereotyped_groups")}
    infos = as_object(row["answer_info"], "answer_info") if "answer_info" in row else None
    groups = [
        # Name and group, such as ["Kenyan", "Africa"] or ["Luis", "m, latino"]: any part may be what is stereotyped.
        {_fold(part) for each in _listed(_info(row, infos, i), f"answer_info.ans{i}") for part in each.split(",")}
        for i in range(3)
    ]
    label, polarity = _number(row, "label"), _text(row, "question_polarity")
    if label not in ("0", "1", "2") or polarity not in ("neg", "nonneg"):
        raise MalformedError("label must be 0, 1 or 2, question_polarity neg or nonneg")
    targets = [i for i in range(3) if groups[i] & stereotyped]
    choices = []
    for i in range(3):
        unknown = "unknown" in groups[i]
        # Biased is: the stereotyped group where the question is unflattering, the other one where it is flattering.
        clear = len(targets) == 1 and not unknown
        biased = clear and (i in targets) == (polarity == "neg")
        tags = tuple(name for name, holds in (("stereotype", biased), ("unknown", unknown)) if holds)
        text = _UNKNOWN.get(language, "Unknown") if unknown and _text(row, f"ans{i}") == "unknown" else None
        choices.append(Choice(text or _text(row, f"ans{i}"), str(i) == label, tags))
    template = _number(row, "question_index" if "question_index" in row else "template_id")
    family = "bbq" if origin.name == "bbq" else "esbbq"  # the Spanish and Catalan templates are the same
    tags = tuple(sorted((_category(row), f"context:{_text(row, 'context_condition')}", f"polarity:{polarity}")))
    text = f"{_text(row, 'context')}\n{_text(row, 'question')}"
    scenario = f"{family}:{_text(row, 'category')}:{template}"
    return [Item(scenario, language, (Turn("user", text),), choices=tuple(choices), tags=tags, origin=origin)]


def _info(row: JsonObject, infos: JsonObject | None, i: int) -> JsonValue:
    return row.get(f"answer_info.ans{i}") if infos is None else infos.get(f"ans{i}")


def _helpfulness(row: JsonObject, language: str, origin: Origin) -> list[Item]:
    """The first turn only: the second asks about the answer to the first."""
    turns = as_list(row.get("turns"), "turns")
    if not turns:
        raise MalformedError("turns: expected at least one")
    scenario = f"{origin.name}:{_number(row, 'question_id')}"
    return [_asked(scenario, language, as_text(turns[0], "turns"), origin, ANSWER, _category(row))]


def _named(name: str, text: str) -> str:
    """Return a scenario for a row without an id."""
    return f"{name}:{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _text(row: JsonObject, key: str) -> str:
    value = as_text(row.get(key), key)
    if not value.strip():
        raise MalformedError(f"{key}: expected some text")
    return value


def _optional(row: JsonObject, key: str) -> str:
    value = row.get(key)
    if value is not None and not isinstance(value, str):
        raise MalformedError(f"{key}: expected text")
    return value or ""


def _number(row: JsonObject, key: str) -> str:
    """Return a number as text; files write it as either."""
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdigit():
        raise MalformedError(f"{key}: expected a number")
    return str(value)


def _category(row: JsonObject) -> str:
    return f"category:{_text(row, 'category')}"


def _listed(value: JsonValue, where: str) -> list[str]:
    """Return a list of texts, which files from tables write as Python does: "['old', 'young']"."""
    if isinstance(value, str):
        if not _PYTHON_LIST.fullmatch(value):
            raise MalformedError(f"{where}: expected a list of texts")
        value = [single or double for single, double in _PYTHON_TEXT.findall(value)]
    listed = as_list(value, where)
    if not listed:
        raise MalformedError(f"{where}: expected at least one entry")
    return [as_text(each, where) for each in listed]


def _fold(group: str) -> str:
    return group.strip().casefold()


_PYTHON_TEXT = re.compile(r"'([^'\\]*)'|\"([^\"\\]*)\"")
_PYTHON_LIST = re.compile(rf"\[\s*(?:(?:{_PYTHON_TEXT.pattern})\s*(?:,\s*|(?=\])))*\]")
_MULTIJAIL = ("en", "zh", "it", "vi", "ar", "ko", "th", "bn", "sw", "jv")
_UNKNOWN = {"es": "No se puede saber", "ca": "No es pot saber"}  # the files say "unknown" in any language
_GITHUB = "https://github.com/"


def _set(
    name: str, licence: str, source: str, measures: str, languages: tuple[str, ...],
    rows: Callable[[JsonObject, str, Origin], list[Item]], *, repeats: bool = False,
) -> tuple[str, EvaluationSet]:  # fmt: skip
    return name, EvaluationSet(Origin(name, licence, _GITHUB + source), measures, languages, rows, repeats)


SETS: Mapping[str, EvaluationSet] = dict(
    (
        _set("harmbench", "MIT", "centerforaisafety/HarmBench", "harm", ("en",), _harmbench),
        _set("strongreject", "MIT", "alexandrasouly/strongreject", "harm", ("en",), _strongreject),
        _set("simplesafetytests", "CC-BY-4.0", "bertiev/SimpleSafetyTests", "harm", ("en",), _simplesafetytests),
        _set("xstest", "CC-BY-4.0", "paul-rottger/exaggerated-safety", "over-refusal", ("en",), _xstest),
        _set("xsafety", "Apache-2.0 (and: for research, no misuse)", "Jarviswang94/Multilingual_safety_benchmark",
             "harm", ("en", "es", "fr"), _xsafety),
        _set("multijail", "MIT", "DAMO-NLP-SG/multilingual-safety-for-LLMs", "harm", _MULTIJAIL, _multijail),
        _set("hh-rlhf", "MIT", "anthropics/hh-rlhf", "harm", ("en",), _hh_rlhf, repeats=True),
        _set("ailuminate", "CC-BY-4.0", "mlcommons/ailuminate", "harm", ("en", "fr"), _ailuminate),
        _set("truthfulqa-multi", "Apache-2.0", "hitz-zentroa/truthfulqa-multi", "honesty",
             ("ca", "en", "es", "eu", "gl"), _truthfulqa),
        _set("bbq", "CC-BY-4.0", "nyu-mll/BBQ", "bias", ("en",), _bbq),
        _set("esbbq", "Apache-2.0", "langtech-bsc/EsBBQ-CaBBQ", "bias", ("es",), _bbq),
        _set("cabbq", "Apache-2.0", "langtech-bsc/EsBBQ-CaBBQ", "bias", ("ca",), _bbq),
        _set("mt-bench", "Apache-2.0", "lm-sys/FastChat", "helpfulness", ("en",), _helpfulness),
        _set("vicuna-bench", "Apache-2.0", "lm-sys/FastChat", "helpfulness", ("en",), _helpfulness),
    )
)  # fmt: skip
