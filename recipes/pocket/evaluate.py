"""Measure the pocket model: its skills as trained, and what teaching does to it.

    python -m recipes.pocket.evaluate skills MODEL [--n 40]
    python -m recipes.pocket.evaluate teach MODEL [--seeds 1 2 3] [--languages en es]

`skills` asks for critiques and revisions under articles of words and days that training never combined.
`teach` teaches constitutions of such articles with the package's own code (prompts, critiques, revisions, gate, LoRA,
exam on wordings that teaching did not use), as `auzolan teach adapter` does, without a commons and its records.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from recipes.pocket import corpus
from recipes.pocket.speak import Speaker

from auzolan.core.evals.intervals import wilson
from auzolan.core.lm.generate import Decoding, Request, in_order
from auzolan.core.lm.local import Local
from auzolan.pocket import articles, dialogue, fitting, questions, vocabulary, wordings
from auzolan.pocket import world as town
from auzolan.pocket.articles import FAMILIES
from auzolan.pocket.articles import Article as Understood
from auzolan.pocket.dialogue import Turn
from auzolan.pocket.kit import PocketKit
from auzolan.pocket.questions import Question
from auzolan.teach import packing, sft
from auzolan.teach.adherence import Answered, measure
from auzolan.teach.kit import Article
from auzolan.teach.revise import make_rows
from auzolan.teach.rows import DataRow
from auzolan.teach.settings import resolve


def share(successes: int, n: int) -> str:
    """A share with its 95 % interval (Wilson); of nothing, that it may be anything."""
    if not n:
        return "0.000 [0.000, 1.000]"
    found = wilson(successes, n)
    return f"{found.estimate:.3f} [{found.low:.3f}, {found.high:.3f}]"


def shown(flags: Iterable[bool]) -> str:
    """A share with its interval and n."""
    found = list(flags)
    return f"{share(sum(found), len(found))} n={len(found)}"


def ask_all(speaker: Speaker, asked: Sequence[Question], stated: Sequence[Understood | None] = ()) -> list[str]:
    """Answers to questions, each under a stated article or none."""
    chats = []
    for place, question in enumerate(asked):
        article = stated[place] if stated else None
        start = [Turn("system", dialogue.system_text([article.text], article.language))] if article else []
        chats.append([*start, Turn("user", question.text)])
    return speaker.say(chats)


def revise_all(speaker: Speaker, cases: Sequence[tuple[Understood, Question, str]]) -> list[tuple[str, str]]:
    """Critique and revision of each answer under its article."""
    chats = [dialogue.critique_conversation(q.text, answer, a.text, a.language) for a, q, answer in cases]
    critiques = speaker.say(chats)
    chats = [
        dialogue.revision_conversation(q.text, answer, a.text, said, a.language)
        for (a, q, answer), said in zip(cases, critiques, strict=True)
    ]
    return list(zip(critiques, speaker.say(chats), strict=True))


def skills(speaker: Speaker, n: int, seed: int) -> dict[str, str]:
    """What the model can do before it is taught: facts, habits, and revision by family and language."""
    chance, report = random.Random(seed), {}
    for language in vocabulary.LANGUAGES:
        asked = [questions.some_question(chance, language) for _ in range(10 * n)]
        said = ask_all(speaker, asked)
        both = list(zip(asked, said, strict=True))
        report[f"facts {language}"] = shown(articles.keeps_facts(q, a) for q, a in both if articles.has_facts(q))
        report[f"default answer {language}"] = shown(questions.default_answer(q) == a for q, a in both)
        heeded = []
        for family in FAMILIES:
            cases = []
            for _ in range(n):
                article = wordings.some_article(chance, language, family, reserved=True)
                question = fitting.question(chance, article, language)
                cases.append((article, question, questions.default_answer(question)))
            cases = [case for case in cases if not articles.follows(*case)]
            revised = [revision for _, revision in revise_all(speaker, cases)]
            report[f"revises {language} {family}"] = shown(
                articles.follows(article, question, made) and articles.keeps_facts(question, made)
                for (article, question, _), made in zip(cases, revised, strict=True)
            )
            answers = ask_all(speaker, [case[1] for case in cases], [case[0] for case in cases])
            heeded += [articles.follows(case[0], case[1], a) for case, a in zip(cases, answers, strict=True)]
        report[f"heeds stated {language}"] = shown(heeded)
        report[f"leaves alone {language}"] = shown(_left_alone(speaker, chance, language, 4 * n))
    return report


def _left_alone(speaker: Speaker, chance: random.Random, language: str, n: int) -> list[bool]:
    cases: list[tuple[Understood, Question, str]] = []
    while len(cases) < n:
        article, question, answer = corpus.case(chance, language)
        if not articles.applies(article, question):
            cases.append((article, question, answer))
    return [made[1] == case[2] for case, made in zip(cases, revise_all(speaker, cases), strict=True)]


@dataclass(frozen=True)
class Constitution:
    """Articles to teach, and articles that get no training rows and are stated in the exam."""

    taught: tuple[Article, ...]
    held_out: tuple[Article, ...]


def make_constitution(seed: int, language: str) -> Constitution:
    """Nine articles and four held-out ones, of words and days that training never combined."""
    chance = random.Random(f"constitution/{seed}/{language}")
    services = chance.sample(list(town.SERVICE), 3)
    attributes = chance.sample(list(town.ATTRIBUTES), 3)

    def make(family: str, wanted: Callable[[Understood], bool] = bool) -> str:
        while not wanted(found := wordings.some_article(chance, language, family, reserved=True)):
            pass
        return found.text

    taught = (
        make("mention", lambda article: article.topic == services[0]),
        make("mention", lambda article: article.topic == attributes[0]),
        make("closing", lambda article: not article.topic),
        make("vote", lambda article: bool(article.words)),
        make("fee", lambda article: bool(article.words)),
        make("appeal"),
        make("privacy"),
        make("unknown"),
        make("source", lambda article: article.topic == attributes[1]),
    )
    held_out = (
        make("mention", lambda article: article.topic == services[1]),
        make("mention", lambda article: article.topic == attributes[2]),
        make("office", lambda article: article.topic == services[2]),
        make("respect"),
    )
    return Constitution(
        tuple(Article(f"{number}.1", text, language) for number, text in enumerate(taught, 1)),
        tuple(Article(f"x{number}", text, language) for number, text in enumerate(held_out, 1)),
    )


def teach(folder: Path, seed: int, language: str, options: dict[str, Any]) -> dict[str, Any]:
    """Teach one constitution with the product's own code and report before and after."""
    began = time.process_time()
    clock: dict[str, float] = {}

    def lap(name: str) -> None:
        clock[name] = round(time.process_time() - began - sum(clock.values()), 1)

    kit, law = PocketKit(), make_constitution(seed, language)
    settings, _ = resolve(kit.settings, False, {"seed": seed, **options})
    local = Local(folder, at_once=settings.at_once)
    exam = [*kit.exam(law.taught, settings.exam, seed), *kit.unmet_exam(law.held_out, settings.exam, seed)]

    def answers() -> list[str]:
        return [each.text for each in in_order(local, [Request(kit.asking(p), Decoding(kit.max_tokens)) for p in exam])]

    lap("load")
    before = answers()
    lap("exam before")
    rows = make_rows(kit, law.taught, kit.prompts(law.taught, settings.prompts, seed), local, settings.making())
    lap("rows")
    learnt = [_tokens(kit, local, row) for row in rows if row.is_learnt]
    tuned = sft.train(local.model, learnt, sft.Settings.of(settings))
    local.speak_with(tuned.model)
    lap("training")
    answered = [Answered(*each) for each in zip(exam, before, answers(), strict=True)]
    lap("exam after")
    found = measure(kit, law.taught, answered)
    texts = {article.number: article.text for article in law.taught}
    return {
        "seed": seed,
        "language": language,
        "rows": f"{sum(row.is_learnt for row in rows)} of {len(rows)}",
        "counts": {each.name: [each.before, each.after, each.n] for each in found if not each.number},
        "articles": {texts[each.number]: [each.before, each.after, each.n] for each in found if each.number},
        "cpu_seconds": clock,
    }


def _tokens(kit: PocketKit, local: Local, row: DataRow) -> packing.Row:
    return packing.Row(
        tuple(local.tokens.prompt_ids(kit.asking(row.prompt))), tuple(local.tokens.answer_ids(row.final))
    )


def main() -> None:
    """Read the options, measure, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=("skills", "teach"))
    options.add_argument("model", type=Path)
    options.add_argument("--n", type=int, default=40)
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options.add_argument("--languages", nargs="+", default=list(vocabulary.LANGUAGES))
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--prompts", type=int)
    options.add_argument("--exam", type=int, default=20)
    options.add_argument("--epochs", type=int)
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    if given.what == "skills":
        print(json.dumps(skills(Speaker(given.model), given.n, seed=7), indent=1, ensure_ascii=False))
        return
    chosen = {name: getattr(given, name) for name in ("prompts", "exam", "epochs")}
    for language in given.languages:
        for seed in given.seeds:
            print(json.dumps(teach(given.model, seed, language, chosen), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
