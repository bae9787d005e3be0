"""Edge: one run of teaching, from prompts to an adapter and its exam. Stopped at any moment, it goes on where it was.

Everything that a language model answers goes through a journal, training keeps
checkpoints, and what is drawn is drawn from the seed: so the same command after
a kill ends in the same records as one that ran through (on a CPU, with the same
number of threads).
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from math import isfinite
from shutil import rmtree
from typing import TYPE_CHECKING, Any, NamedTuple

import auzolan
from auzolan.cli.output import progress_bar
from auzolan.cli.teach.making import Counted, make_all_rows, tokens_of, without_flagged
from auzolan.cli.teach.plan import Plan
from auzolan.cli.teach.sets import NOTHING, Sets, measure_sets
from auzolan.cli.teach.work import Work
from auzolan.core.evals.items import Item
from auzolan.core.kinds.dataset import ArticleRows, Dataset, Flag
from auzolan.core.kinds.teach import Adapter, Measured, NotMeasured
from auzolan.core.lm.batches import WholeBatches
from auzolan.core.lm.generate import Decoding, Generate, Request, in_order
from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.teach.adherence import Answered, answers_bytes, measure
from auzolan.teach.dataset import article_rows
from auzolan.teach.kit import Article
from auzolan.teach.rows import DataRow, rows_bytes
from auzolan.teach.settings import TINY_ORIGIN

if TYPE_CHECKING:  # torch and transformers are loaded only where a model is
    from auzolan.core.lm.local import Local
    from auzolan.teach.sft import Trained

_SOFTWARE = ("torch", "transformers", "peft", "tokenizers", "safetensors")


class Outcome(NamedTuple):
    """What a run ends in, before anything is signed."""

    rows: list[DataRow]
    counted: tuple[ArticleRows, ...]
    flags: Sequence[Flag]
    rows_file: bytes
    dataset: Callable[[str], Dataset]  # digest of the rows -> what the record says
    answered: list[Answered]
    answers_file: bytes
    adapter_files: Mapping[str, bytes]
    adapter: Callable[[str, Mapping[str, str]], Adapter]  # id of the data set, digests by blob -> what the record says
    measured: list[Measured]
    not_measured: list[NotMeasured]
    sets: Sets
    model: Any  # the PeftModel


def run(plan: Plan, work: Work, local: Local, sets: Sequence[Item] = (), n_each: int = 100) -> Outcome:
    """Make rows, train, and examine before and after.

    Args:
        plan: what is done.
        work: keeps it.
        local: the model; it speaks with the adapter afterwards.
        sets: items of public evaluation sets.
        n_each: of these, how many of each set, language and kind.

    Raises:
        UsageError: the teacher cannot revise, or nothing is left to learn.
    """
    rows, flags = without_flagged(plan, make_all_rows(plan, work, local))
    plan = replace(plan, flags=[*plan.flags, *flags])
    before = _answer(plan, work, local, "exam-before", {"adapter": ""})
    trained = _train(plan, work, local, rows)
    files, adapter_name = _keep_adapter(plan, work, trained)
    shown = _measure_sets(plan, work, local, trained, sets, n_each) if sets else NOTHING
    local.speak_with(trained.model)
    after = _answer(plan, work, local, "exam-after", {"adapter": adapter_name})
    answered = [Answered(*each) for each in zip(plan.exam, before, after, strict=True)]
    measured = measure(plan.kit, _examined(plan, rows), answered)
    return Outcome(
        rows=rows,
        counted=article_rows(plan.articles, rows, plan.why_not, plan.settings.least),
        flags=plan.flags,
        rows_file=rows_bytes(rows),
        dataset=lambda digest: _dataset(plan, work, rows, digest),
        answered=answered,
        answers_file=answers_bytes(answered),
        adapter_files=files,
        adapter=lambda dataset, blobs: _adapter(plan, work, trained, measured, shown, dataset, blobs),
        measured=measured,
        not_measured=[*_not_measured(measured), *shown.not_measured],
        sets=shown,
        model=trained.model,
    )


def _examined(plan: Plan, rows: Sequence[DataRow]) -> list[Article]:
    """Return the articles that rows are about, whether or not enough revisions were good."""
    return [article for article in plan.articles if any(article.number in row.articles for row in rows)]


def _answer(plan: Plan, work: Work, local: Local, name: str, about: JsonObject) -> list[str]:
    """Let the model sit the exam, greedily."""
    decoding = Decoding(plan.kit.max_tokens)
    requests = [Request(plan.kit.asking(prompt), decoding) for prompt in plan.exam]
    with work.answers(name, {**local.about, **about}) as journal:
        generate = Counted(WholeBatches(local, journal, plan.settings.at_once), name.replace("-", ": "))
        return [each.text for each in in_order(generate, requests)]


def _measure_sets(plan: Plan, work: Work, local: Local, trained: Trained, items: Sequence[Item], n_each: int) -> Sets:
    """Ask the untaught model and the taught one, who take turns in one copy of the weights."""
    size = plan.settings.at_once
    local.speak_with(None)
    with work.answers("sets-before", local.about) as before:
        local.speak_with(trained.model)
        with work.answers("sets-after", local.about) as after:

            def taught() -> Generate:
                local.speak_with(trained.model)
                return Counted(WholeBatches(local, after, size), "sets: after")

            local.speak_with(None)
            asked = Counted(WholeBatches(local, before, size), "sets: before")
            return measure_sets(items, n_each, plan.settings.seed, asked, taught)


def _train(plan: Plan, work: Work, local: Local, rows: Sequence[DataRow]) -> Trained:
    from auzolan.teach import sft

    settings = sft.Settings.of(plan.settings)
    learnt = [tokens_of(plan.kit, local, row) for row in rows if row.is_learnt]
    with progress_bar("training") as update:
        trained = sft.train(
            local.model, learnt, settings, work.checkpoint, lambda done, total, _loss: update(done, total)
        )
    if astray := next((number for number, step in enumerate(trained.history, 1) if not isfinite(step.loss)), None):
        raise UsageError(f"training went astray: the loss of step {astray} is no number; try a lower --learning-rate")
    return trained


def _keep_adapter(plan: Plan, work: Work, trained: Trained) -> tuple[dict[str, bytes], str]:
    """Write the adapter as PEFT's two files; return them, and a name for both."""
    from auzolan.teach.export import lora_of
    from auzolan.teach.model_folder import digests_of, file_sha256
    from auzolan.teach.peft_folder import to_peft_files, write_peft_folder

    lora = lora_of(trained.model, digests_of(plan.model.folder).name)
    if not work.adapter.exists():
        new = work.adapter.with_suffix(".new")
        rmtree(new, ignore_errors=True)  # what a run that was killed left there
        write_peft_folder(lora, new)
        new.replace(work.adapter)
    files = {path.name: path for path in sorted(work.adapter.iterdir())}
    if to_peft_files(lora) != {name: path.read_bytes() for name, path in files.items()}:
        raise MalformedError(f"{work.adapter} holds another adapter than the one that was trained; remove the folder")
    return (
        {name: path.read_bytes() for name, path in files.items()},
        " ".join(f"{name} {file_sha256(path)}" for name, path in files.items()),
    )


def _dataset(plan: Plan, work: Work, rows: Sequence[DataRow], digest: str) -> Dataset:
    return Dataset(
        constitution=plan.constitution_id,
        rows=digest,
        title=f"{_trial(plan)}Rows for {plan.model.base.name}: {plan.constitution.title}",
        made_at=work.date,
        base=plan.model.base,
        kit=plan.kit.name,
        teacher=plan.teacher.name if plan.teacher else "the model itself",
        settings=tuple(plan.listed),
        n_rows=len(rows),
        n_learnt=sum(row.is_learnt for row in rows),
        articles=article_rows(plan.articles, rows, plan.why_not, plan.settings.least),
        flags=tuple(plan.flags),
    )


def _adapter(
    plan: Plan,
    work: Work,
    trained: Trained,
    measured: Sequence[Measured],
    sets: Sets,
    dataset: str,
    blobs: Mapping[str, str],
) -> Adapter:
    return Adapter(
        dataset=dataset,
        constitution=plan.constitution_id,
        weights=blobs[Adapter.WEIGHTS],
        config=blobs[Adapter.CONFIG],
        answers=blobs[Adapter.ANSWERS],
        title=f"{_name_to_share(plan)}, taught: {_trial(plan)}{plan.constitution.title}",
        trained_at=work.date,
        base=plan.model.base,
        rank=plan.settings.rank,
        alpha=plan.settings.alpha,
        n_parameters=_n_parameters(trained.model),
        n_steps=len(trained.history),
        n_tokens=sum(step.n_tokens for step in trained.history),
        first_loss_micro=round(trained.history[0].loss * 1e6),
        last_loss_micro=round(trained.history[-1].loss * 1e6),
        settings=tuple(plan.listed),
        measured=(*measured, *sets.measured),
        not_measured=(*_not_measured(measured), *sets.not_measured),
        software=_software(),
    )


def _trial(plan: Plan) -> str:
    """Return what a title says first where everything was made tiny."""
    return "(trial, tiny) " if any(each.origin == TINY_ORIGIN for each in plan.listed) else ""


def _name_to_share(plan: Plan) -> str:
    """Return the model's name, begun as its licence asks."""
    name, begins_with = plan.model.base.name, plan.model.licence.begins_with
    return name if name.casefold().startswith(begins_with.casefold()) else f"{begins_with} {name}"


def _n_parameters(model: Any) -> int:  # noqa: ANN401  # a PeftModel, which has no types
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def _not_measured(measured: Sequence[Measured]) -> list[NotMeasured]:
    there = {each.name for each in measured}
    reasons = {
        Measured.ADHERENCE: "no program can tell whether an answer follows these articles; `teach label`",
        Measured.FACTS: "no prompt of the exam asks for facts that a program knows",
        Measured.SPILL_OVER: "no program can tell whether an article shows where it does not apply",
        Measured.OVER_REFUSAL: "no prompt of the exam is known to be harmless",
    }
    return [NotMeasured(name, reason) for name, reason in reasons.items() if name not in there]


def _software() -> dict[str, str]:
    found = {name: version(name) for name in _SOFTWARE}
    return {**found, "auzolan": auzolan.__version__, "python": platform.python_version()}
