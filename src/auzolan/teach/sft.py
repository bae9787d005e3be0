"""Edge: supervised fine-tuning of a LoRA adapter: one readable loop on PyTorch and PEFT, for a CPU or one GPU.

LoRA on all linear layers (Hu et al. 2021, arXiv:2106.09685; "LoRA Without
Regret", Thinking Machines 2025: attention alone is worse). The loss is the mean
over the answers' tokens of a step; logits are computed for these tokens alone,
once and in pieces, so that vocabularies of 256,000 fit. AdamW, linear warm-up and a
cosine to zero; no dropout, so that nothing random happens but the start and the
order, which follow from the seed.

What is interrupted goes on from its last checkpoint, and on a CPU with the same
number of threads ends in the same bytes. Not here: where rows come from, and
whether the adapter is any good.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from peft.helpers import disable_input_dtype_casting

from auzolan.core.record.errors import MalformedError, StorageError, UsageError
from auzolan.teach.packing import Packed, Row, pack
from auzolan.teach.rows_apart import is_apart, rows_apart, rows_of
from auzolan.teach.settings import Teaching

Progress = Callable[[int, int, float], None]  # (steps done, steps in all, loss of the last one)
_LOGITS = 2**26  # numbers at a time: 256 MB in fp32
_BETAS, _CLIP = (0.9, 0.99), 1.0


@dataclass(frozen=True)
class Settings:
    """How to train; every one of them is stored with the adapter.

    Attributes:
        rank: of the two factors of each layer's change.
        alpha: the change is scaled by alpha / rank.
        learning_rate: at its highest.
        epochs: how often each row is seen.
        length: tokens in a packed sequence.
        sequences: packed sequences in a step.
        warm_up: share of the steps in which the learning rate rises.
        precision: "bf16" (autocast; weights stay as they are) or "fp32".
        recompute: compute activations again in the backward pass, for memory (gradient checkpointing).
        tokens_at_once: sequences are read together up to so many tokens; more is faster, and takes more memory.
        seed: of the start and of the order of rows.
        keep_every: steps between checkpoints.
    """

    rank: int = 16
    alpha: int = 32
    learning_rate: float = 2e-4
    epochs: int = 2
    length: int = 1024
    sequences: int = 8
    warm_up: float = 0.05
    precision: str = "bf16"
    recompute: bool = False
    tokens_at_once: int = 1024
    seed: int = 0
    keep_every: int = 50

    @classmethod
    def of(cls, chosen: Teaching) -> Settings:
        """Return those of a run of teaching; what it does not set stays as it is here."""
        return cls(
            rank=chosen.rank,
            alpha=chosen.alpha,
            learning_rate=chosen.learning_rate,
            epochs=chosen.epochs,
            length=chosen.length,
            sequences=chosen.sequences,
            warm_up=chosen.warm_up,
            precision=chosen.precision,
            recompute=chosen.recompute,
            seed=chosen.seed,
            keep_every=chosen.keep_every,
        )


@dataclass(frozen=True)
class Step:
    """One step: its mean loss per learnt token, the learning rate, and how many tokens were read and learnt."""

    loss: float
    learning_rate: float
    n_tokens: int
    n_learnt: int


@dataclass(frozen=True, eq=False)
class Trained:
    """The model with its adapter, and what happened in every step."""

    model: Any
    history: tuple[Step, ...]


def train(
    model: Any, rows: Sequence[Row], settings: Settings, kept: Path | None = None, progress: Progress | None = None
) -> Trained:
    """Train a new adapter on a causal language model.

    Args:
        model: of transformers, on the device to train on; its own weights are frozen.
        rows: what to learn.
        settings: how.
        kept: file for checkpoints; one that is there is gone on from, if it is of the same rows and settings.
        progress: called after each step.

    Raises:
        UsageError: no rows, a row that does not fit, or a checkpoint of something else.
    """
    if not rows:
        raise UsageError("there are no rows to learn from")
    torch.manual_seed(settings.seed)
    adapted = get_peft_model(model, lora_config(settings))
    if settings.recompute:
        adapted.get_base_model().activation_checkpointing_enable()
        adapted.enable_input_require_grads()
    adapted.train()
    weights = [weight for weight in adapted.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=settings.learning_rate, betas=_BETAS, weight_decay=0.0)
    sequences = pack(rows, settings.length)
    steps = list(_order(sequences, settings))
    mark = _mark(rows, settings)
    history = _go_on(adapted, optimizer, kept, mark) if kept else []
    # PEFT would turn inputs into fp32 for its own weights, and autocast turn them back.
    with rows_apart(model), disable_input_dtype_casting(adapted, active=settings.precision == "bf16"):
        for number in range(len(history), len(steps)):
            rate = _rate(number, len(steps), settings)
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss = _learn(adapted, steps[number], settings)
            torch.nn.utils.clip_grad_norm_(weights, _CLIP)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            n_tokens = sum(len(each.ids) for each in steps[number])
            history.append(Step(loss, rate, n_tokens, sum(len(each.learnt) for each in steps[number])))
            done = number + 1
            if kept and (done % settings.keep_every == 0 or done == len(steps)):
                _keep(adapted, optimizer, kept, mark, history)
            if progress:
                progress(done, len(steps), loss)
    return Trained(adapted.eval(), tuple(history))


def lora_config(settings: Settings) -> LoraConfig:
    """Return the adapter's shape: all linear layers but the one that gives logits."""
    return LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=0.0,
        target_modules="all-linear",
        bias="none",
        task_type="CAUSAL_LM",
    )


def _order(sequences: Sequence[Packed], settings: Settings) -> Iterator[list[Packed]]:
    """Yield the sequences of each step, in another order in each epoch."""
    for epoch in range(settings.epochs):
        order = np.random.default_rng([settings.seed, epoch]).permutation(len(sequences))
        for first in range(0, len(order), settings.sequences):
            yield [sequences[place] for place in order[first : first + settings.sequences]]


def _rate(number: int, n_steps: int, settings: Settings) -> float:
    """Return the learning rate of a step: linear up, then a half cosine down to zero."""
    rising = max(1, round(settings.warm_up * n_steps))
    if number < rising:
        return settings.learning_rate * (number + 1) / rising
    share = (number - rising + 1) / max(1, n_steps - rising + 1)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * share))


def _learn(model: Any, batch: Sequence[Packed], settings: Settings) -> float:
    """Add the gradients of one step, some sequences at a time; return the mean loss per learnt token."""
    n_learnt, total = sum(len(each.learnt) for each in batch), torch.zeros(())
    for some in _together(batch, settings.tokens_at_once):
        loss = loss_of(model, some, settings.precision) / n_learnt
        loss.backward()
        total = total.to(loss.device) + loss.detach()  # a number only at the end, so that a GPU is not waited for
    return float(total)


def _together(batch: Sequence[Packed], tokens_at_once: int) -> list[list[Packed]]:
    """Split a step into what is read at once: sequences in their order, at least one each time."""
    parts: list[list[Packed]] = []
    room = 0
    for each in batch:
        if not parts or len(each.ids) > room:
            parts.append([])
            room = tokens_at_once
        parts[-1].append(each)
        room -= len(each.ids)
    return parts


def loss_of(model: Any, batch: Sequence[Packed], precision: str = "fp32") -> torch.Tensor:
    """Return the sum of the loss over the tokens that are learnt: a tensor of one number, fp32.

    Args:
        model: with its adapter (a `PeftModel`), within `rows_apart` until after the backward pass.
        batch: sequences of rows, which do not see each other.
        precision: "bf16" or "fp32".
    """
    inner, device = model.get_base_model(), next(model.parameters()).device
    assert is_apart(inner), "else every row would see the rows before it"
    positions = np.concatenate([each.positions for each in batch])
    starts = np.cumsum([0, *(len(each.ids) for each in batch)])
    learnt = np.concatenate([each.learnt + start for each, start in zip(batch, starts[:-1], strict=True)])
    ids = _placed(np.concatenate([each.ids for each in batch]), device)
    rows = rows_of((*np.flatnonzero(positions == 0).tolist(), len(positions)), device)
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        hidden = inner.model(
            input_ids=ids[None], position_ids=_placed(positions, device)[None], use_cache=False, rows=rows
        ).last_hidden_state[0]  # (tokens, width)
        before = hidden.index_select(0, _placed(learnt - 1, device))
        wanted = ids[_placed(learnt, device)]
        loss: torch.Tensor = _Loss.apply(before, inner.lm_head.weight, wanted)
    return loss


def _placed(numbers: NDArray[np.int64], device: torch.device) -> torch.Tensor:
    """Return numbers as a tensor where the model is, without waiting for what is computed there."""
    return torch.from_numpy(numbers).to(device, non_blocking=True)


class _Loss(torch.autograd.Function):  # type: ignore[misc]
    """Summed cross-entropy of the next tokens; logits are made in pieces and never again for the backward pass.

    The head itself is not learnt, so that all that is kept is one gradient per token.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,  # (tokens, width)
        head: torch.Tensor,  # (vocabulary, width)
        wanted: torch.Tensor,  # (tokens,) int64
    ) -> torch.Tensor:
        at_once = max(1, _LOGITS // len(head))
        total, gradients = hidden.new_zeros((), dtype=torch.float32), []
        for some, targets in zip(hidden.split(at_once), wanted.split(at_once), strict=True):
            shares = torch.nn.functional.linear(some, head).float()  # logits, and then in place
            shares -= shares.amax(-1, keepdim=True)
            right = shares.gather(1, targets[:, None])
            sums = shares.exp_().sum(-1, keepdim=True)
            total += (sums.log() - right).sum()
            expected = torch.mm(shares.to(head.dtype), head) / sums  # rows of the head, by their shares
            gradients.append((expected - head[targets]).to(hidden.dtype))
        ctx.save_for_backward(torch.cat(gradients))
        return total

    @staticmethod
    def backward(ctx: Any, scale: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * scale, None, None


def _mark(rows: Sequence[Row], settings: Settings) -> str:
    """Return what tells one training from another: its rows and settings."""
    told = repr(([(row.prompt, row.answer) for row in rows], asdict(settings)))
    return sha256(told.encode()).hexdigest()


def _keep(model: Any, optimizer: Any, kept: Path, mark: str, history: Sequence[Step]) -> None:
    """Write a checkpoint that is whole or not there."""
    state = {
        "mark": mark,
        "adapter": get_peft_model_state_dict(model, save_embedding_layers=False),  # else it asks a server
        "optimizer": optimizer.state_dict(),
        "history": [asdict(step) for step in history],
    }
    new = kept.with_suffix(".new")
    try:
        with new.open("wb") as stream:
            torch.save(state, stream)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(kept)
    except (OSError, RuntimeError) as error:  # torch says RuntimeError where the disk is full
        with suppress(OSError):
            new.unlink()
        raise StorageError(f"cannot write the checkpoint {kept}: {str(error)[:200]}") from None


def _go_on(model: Any, optimizer: Any, kept: Path, mark: str) -> list[Step]:
    """Load a checkpoint if there is one; return what was done until then."""
    if not kept.exists():
        return []
    try:
        state = torch.load(kept, weights_only=True, map_location=next(model.parameters()).device)
        if state["mark"] != mark:
            raise UsageError(f"{kept} is a checkpoint of other rows or settings; take another file or remove it")
        set_peft_model_state_dict(model, state["adapter"])
        optimizer.load_state_dict(state["optimizer"])
        return [Step(**step) for step in state["history"]]
    except (RuntimeError, LookupError, ValueError, TypeError, AssertionError, EOFError, UnpicklingError):
        raise MalformedError(f"{kept} is damaged; remove it, and training begins again") from None
