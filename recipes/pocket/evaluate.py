"""Measure the pocket model: its skills as trained, and what teaching does to it.

    python -m recipes.pocket.evaluate skills MODEL [--n 40]
    python -m recipes.pocket.evaluate teach MODEL [--seeds 1 2 3] [--languages en es]

`skills` asks for critiques and revisions under articles of words and days that training never combined.
`teach` is a prototype of the whole loop: a constitution, answers, critiques, revisions, a gate of checkers, SFT with
LoRA, and the same checkers on prompts of wordings that teaching did not use. Not the product's pipeline: no records,
no resuming, and the checkers' own metadata route articles to prompts.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from recipes.pocket import articles, corpus, dialogue, questions, vocabulary, wordings
from recipes.pocket import world as town
from recipes.pocket.articles import FAMILIES, Article
from recipes.pocket.dialogue import Turn
from recipes.pocket.questions import Question
from recipes.pocket.speak import Speaker
from torch.nn import functional


def interval(successes: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if not n:
        return 0.0, 1.0
    z, share = 1.959964, successes / n
    centre, spread = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, (centre - spread) / (1 + z * z / n)), min(1.0, (centre + spread) / (1 + z * z / n))


def shown(flags: Iterable[bool]) -> str:
    """A share with its interval and n."""
    found = list(flags)
    low, high = interval(sum(found), len(found))
    return f"{sum(found) / max(1, len(found)):.3f} [{low:.3f}, {high:.3f}] n={len(found)}"


def ask_all(speaker: Speaker, asked: Sequence[Question], stated: Sequence[Article | None] = ()) -> list[str]:
    """Answers to questions, each under a stated article or none."""
    chats = []
    for place, question in enumerate(asked):
        article = stated[place] if stated else None
        start = [Turn("system", dialogue.system_text([article.text], article.language))] if article else []
        chats.append([*start, Turn("user", question.text)])
    return speaker.say(chats)


def revise_all(speaker: Speaker, cases: Sequence[tuple[Article, Question, str]]) -> list[tuple[str, str]]:
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
                question = corpus.fitting_question(chance, article, language)
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
    cases: list[tuple[Article, Question, str]] = []
    while len(cases) < n:
        article, question, answer = corpus.case(chance, language)
        if not articles.applies(article, question):
            cases.append((article, question, answer))
    return [made[1] == case[2] for case, made in zip(cases, revise_all(speaker, cases), strict=True)]


@dataclass(frozen=True)
class Constitution:
    """Articles to teach, and articles that get no training rows."""

    taught: tuple[Article, ...]
    held_out: tuple[Article, ...]


def make_constitution(seed: int, language: str) -> Constitution:
    """Nine articles and four held-out ones, of words and days that training never combined."""
    chance = random.Random(f"constitution/{seed}/{language}")
    services = chance.sample(list(town.SERVICE), 3)
    attributes = chance.sample(list(town.ATTRIBUTES), 3)

    def make(family: str, wanted: Callable[[Article], bool] = bool) -> Article:
        while not wanted(found := wordings.some_article(chance, language, family, reserved=True)):
            pass
        return found

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
    return Constitution(taught, held_out)


@dataclass(frozen=True)
class Row:
    """One example to learn from."""

    turns: tuple[Turn, ...]
    answer: str


def make_rows(
    speaker: Speaker, law: Constitution, language: str, seed: int, n: int
) -> tuple[list[Row], dict[str, Any]]:
    """Answer, criticise and revise `n` prompts; keep what passes the gate."""
    chance = random.Random(f"rows/{seed}/{language}")
    asked, stated = _prompts(chance, law, language, n)
    first = ask_all(speaker, asked)
    answers = list(first)
    todo = [[*(a for a in law.taught if articles.applies(a, q)), *([s] if s else [])]
            for q, s in zip(asked, stated, strict=True)]  # fmt: skip
    for place, question in enumerate(asked):
        unrelated = [article for article in law.taught if not articles.applies(article, question)]
        if unrelated and chance.random() < 0.25:
            todo[place].append(chance.choice(unrelated))
        todo[place].sort(key=lambda article: article.rank)
    for turn in range(max(map(len, todo))):
        places = [place for place in range(len(asked)) if len(todo[place]) > turn]
        made = revise_all(speaker, [(todo[place][turn], asked[place], answers[place]) for place in places])
        for place, (_, revision) in zip(places, made, strict=True):
            answers[place] = revision
    rows, passed = [], []
    for place, question in enumerate(asked):
        bound = [article for article in todo[place] if articles.applies(article, question)]
        passed.append(_gate(question, first[place], answers[place], bound, law.taught))
        if passed[-1]:
            told = stated[place]
            start = (Turn("system", dialogue.system_text([told.text], language)),) if told else ()
            rows.append(Row((*start, Turn("user", question.text)), answers[place]))
    return rows, {"rows": len(rows), "passed the gate": shown(passed)}


def _prompts(
    chance: random.Random, law: Constitution, language: str, n: int
) -> tuple[list[Question], list[Article | None]]:
    """Most in the scope of an article, some under an exercise article, some of any kind, some in the other language."""
    asked: list[Question] = []
    stated: list[Article | None] = []
    other = next(each for each in vocabulary.LANGUAGES if each != language)
    for place in range(n):
        exercise, draw = None, chance.random()
        if draw < 0.18:
            exercise = wordings.some_article(
                chance, language, chance.choice(("mention", "mention", "office", "respect", "source"))
            )
            question = corpus.fitting_question(chance, exercise, language, test=False)
        elif draw < 0.8:
            question = corpus.fitting_question(chance, law.taught[place % len(law.taught)], language, test=False)
        else:
            question = questions.some_question(chance, language if draw < 0.9 else other, test=False)
        asked.append(question)
        stated.append(exercise)
    return asked, stated


def _gate(question: Question, first: str, last: str, bound: Sequence[Article], law: Sequence[Article]) -> bool:
    """Whether a revision may be learnt: it follows what applies, keeps facts, shows nothing else, and is no sermon."""
    return (
        all(articles.follows(article, question, last) for article in bound)
        and articles.keeps_facts(question, last)
        and not any(
            articles.leaks(article, question, last) for article in law if not articles.applies(article, question)
        )
        and len(last) <= len(first) + 80 * (1 + len(bound))
    )


def tune(speaker: Speaker, rows: Sequence[Row], seed: int, *, epochs: int, peak_lr: float, rank: int) -> None:
    """SFT with LoRA on all linear layers, on the answers' tokens only; changes `speaker.model`."""
    torch.manual_seed(seed)
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
    speaker.model = get_peft_model(speaker.model, config).train()
    weights = [weight for weight in speaker.model.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=peak_lr, betas=(0.9, 0.98), weight_decay=0.0)
    chance, size = random.Random(seed), 16
    order = [place for _ in range(epochs) for place in chance.sample(range(len(rows)), len(rows))]
    steps = math.ceil(len(order) / size)
    end = [speaker.tokenizer.eos_token_id]
    for step in range(steps):
        chosen = [rows[place] for place in order[step * size : (step + 1) * size]]
        prompts = [speaker.prompt_ids(row.turns) for row in chosen]
        said = [list(speaker.tokenizer(row.answer, add_special_tokens=False)["input_ids"]) + end for row in chosen]
        longest = max(len(prompt) + len(words) for prompt, words in zip(prompts, said, strict=True))
        ids, wanted = (
            torch.zeros(len(chosen), longest, dtype=torch.long),
            torch.zeros(len(chosen), longest, dtype=torch.bool),
        )
        for place, (prompt, words) in enumerate(zip(prompts, said, strict=True)):
            ids[place, : len(prompt) + len(words)] = torch.tensor(prompt + words)
            wanted[place, len(prompt) : len(prompt) + len(words)] = True
        with torch.autocast("cpu", dtype=torch.bfloat16):
            inner = speaker.model.get_base_model()
            hidden = inner.model(input_ids=ids[:, :-1]).last_hidden_state
            logits = inner.lm_head(hidden[wanted[:, 1:]])
        loss = functional.cross_entropy(logits.float(), ids[:, 1:][wanted[:, 1:]])
        loss.backward()  # type: ignore[no-untyped-call]
        warm = min(1.0, (step + 1) / max(1, steps // 20))
        for group in optimiser.param_groups:
            group["lr"] = peak_lr * warm * (1 + math.cos(math.pi * step / steps)) / 2
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    speaker.model = speaker.model.merge_and_unload().eval()


@dataclass(frozen=True)
class Exam:
    """Prompts of wordings that teaching did not use; `stated` are held-out articles for those that have one."""

    asked: tuple[Question, ...]
    stated: tuple[Article | None, ...]


def make_exam(law: Constitution, language: str, seed: int, n: int) -> Exam:
    """`n` prompts for each article, as many others, and `n` for each held-out article, which is stated."""
    chance = random.Random(f"exam/{seed}/{language}")
    asked: list[Question] = []
    stated: list[Article | None] = []
    for article in law.taught:
        asked += [corpus.fitting_question(chance, article, language, test=True) for _ in range(n)]
    for each in vocabulary.LANGUAGES:
        asked += [questions.some_question(chance, each, test=True) for _ in range(3 * n)]
    stated = [None] * len(asked)
    for article in law.held_out:
        asked += [corpus.fitting_question(chance, article, language, test=True) for _ in range(n)]
        stated += [article] * n
    return Exam(tuple(asked), tuple(stated))


def mark(law: Constitution, exam: Exam, said: Sequence[str]) -> dict[str, list[bool]]:
    """Every check of an exam, by name."""
    marks: dict[str, list[bool]] = defaultdict(list)
    for question, told, answer in zip(exam.asked, exam.stated, said, strict=True):
        if told is not None:
            marks["held-out, stated"].append(articles.follows(told, question, answer))
            marks[f"  held-out {told.text}"].append(marks["held-out, stated"][-1])
            continue
        for article in law.taught:
            if articles.applies(article, question):
                marks["adherence"].append(articles.follows(article, question, answer))
                marks[f"  {article.text}"].append(marks["adherence"][-1])
            else:
                marks["spill-over"].append(articles.leaks(article, question, answer))
        if articles.has_facts(question):
            marks["facts"].append(articles.keeps_facts(question, answer))
    return marks


def teach(folder: Path, seed: int, language: str, options: dict[str, Any]) -> dict[str, Any]:
    """Teach one constitution and report before and after."""
    began = time.process_time()
    clock: dict[str, float] = {}

    def lap(name: str) -> None:
        clock[name] = round(time.process_time() - began - sum(clock.values()), 1)

    speaker = Speaker(folder)
    law = make_constitution(seed, language)
    exam = make_exam(law, language, seed, options["exam"])
    lap("load")
    before = mark(law, exam, ask_all(speaker, exam.asked, exam.stated))
    lap("before")
    rows, notes = make_rows(speaker, law, language, seed, options["prompts"])
    lap("rows")
    tune(speaker, rows, seed, epochs=options["epochs"], peak_lr=options["lr"], rank=options["rank"])
    lap("tune")
    answers = ask_all(speaker, exam.asked, exam.stated)
    after = mark(law, exam, answers)
    lap("after")
    table = {name: f"{shown(before[name])} -> {shown(after[name])}" for name in sorted(before, reverse=True)}
    samples = []
    for question, told, answer in zip(exam.asked, exam.stated, answers, strict=True):
        bound = [] if told else [article for article in law.taught if articles.applies(article, question)]
        missed = [article.text for article in bound if not articles.follows(article, question, answer)]
        if missed:
            samples.append({"asked": question.text, "said": answer, "missed": missed})
    counts = {name: [sum(before[name]), sum(after[name]), len(after[name])] for name in before if name[0] != " "}
    return {
        "seed": seed,
        "language": language,
        **notes,
        **table,
        "counts": counts,
        "cpu_seconds": clock,
        "misses": samples[:6],
    }


def main() -> None:
    """Read the options, measure, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=("skills", "teach"))
    options.add_argument("model", type=Path)
    options.add_argument("--n", type=int, default=40)
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options.add_argument("--languages", nargs="+", default=list(vocabulary.LANGUAGES))
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--prompts", type=int, default=560)
    options.add_argument("--exam", type=int, default=20)
    options.add_argument("--epochs", type=int, default=6)
    options.add_argument("--lr", type=float, default=2e-3)
    options.add_argument("--rank", type=int, default=16)
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    if given.what == "skills":
        print(json.dumps(skills(Speaker(given.model), given.n, seed=7), indent=1, ensure_ascii=False))
        return
    for language in given.languages:
        for seed in given.seeds:
            print(json.dumps(teach(given.model, seed, language, vars(given)), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
