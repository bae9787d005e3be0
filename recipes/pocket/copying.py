"""Start a Llama model with a hand-made copying circuit in its first two layers ("induction head", Olsson et al. 2022).

Small models find this circuit late and all at once; without it, four million tokens of this corpus taught no copying.
The circuit is pinned: `pins` says which entries are put back after every step, because training from there without
pins unlearnt it (copying fell from 70 % to 40 % of tokens in 400 steps). All other weights are trained.

- Layer 0, head 0 looks at the token before (a constant in the embedding, turned by the rotary positions) and writes a
  projection of it into coordinates of its own.
- Layer 1, all heads but the last look for a place where the token before was the present one, and add what stands
  there to the outcome, each head a slice of it.

Assumes as many key heads as heads, tied embeddings and rotary base 10,000.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from transformers import LlamaForCausalLM
from transformers.models.llama.modeling_llama import LlamaAttention

SPREAD = 0.1
"""Of the embeddings, per coordinate."""
LOOK_BACK, MATCH, COPY = 3.0, 0.3, 3.0
"""Strengths, tried on random words: the untrained model then copies 74 % of their tokens."""
FAST, SLOW = 0.03, 0.004
"""Rotary frequencies (radians per token) that tell neighbours apart, and those that hardly turn within a document."""


def install(model: LlamaForCausalLM) -> None:
    """Overwrite embeddings and the heads named above."""
    size, heads = model.config.hidden_size, model.config.num_attention_heads
    width = size // heads
    own = size - width  # the last `width` coordinates hold what stood before
    chance = torch.Generator().manual_seed(7)
    with torch.no_grad():
        embeddings = model.model.embed_tokens.weight  # (vocabulary, size)
        embeddings.copy_(torch.randn(embeddings.shape, generator=chance) * SPREAD)
        embeddings[:, own:] = 0
        embeddings[:, 0] = SPREAD
        projection = torch.randn(width, size, generator=chance) / math.sqrt(size)
        projection[:, 0] = 0
        projection[:, own:] = 0
        first = model.model.layers[0]
        first.self_attn.o_proj.weight[own:] = 0  # nothing else in layer 0 writes there
        first.mlp.down_proj.weight[own:] = 0
        _look_back(first.self_attn, projection, own)
        for head in range(heads - 1):
            _match(model.model.layers[1].self_attn, projection, own, head)


def _frequencies(width: int) -> torch.Tensor:
    return torch.tensor([10_000.0 ** (-2 * pair / width) for pair in range(width // 2)])


def _look_back(attention: LlamaAttention, projection: torch.Tensor, own: int) -> None:
    """Head 0: a query that equals the key turned on by one position, so that their product peaks one token back."""
    width = len(projection)
    half, turn = width // 2, _frequencies(width)
    key, query = torch.zeros(width), torch.zeros(width)
    key[:half][turn > FAST] = 1.0
    query[:half], query[half:] = torch.cos(turn) * key[:half], -torch.sin(turn) * key[:half]
    for layer, wanted in ((attention.q_proj, query), (attention.k_proj, key)):
        layer.weight[:width] = 0
        layer.weight[:width, 0] = LOOK_BACK * wanted
    attention.v_proj.weight[:width] = projection
    attention.o_proj.weight[:, :width] = 0
    attention.o_proj.weight[own:, :width] = torch.eye(width) * SPREAD


def _match(attention: LlamaAttention, projection: torch.Tensor, own: int, head: int) -> None:
    """One head: query = the present token, key = the token before, compared where positions hardly turn them."""
    width, size = projection.shape
    half, turn = width // 2, _frequencies(width)
    slow = [pair for pair in range(half) if turn[pair] < SLOW]
    places = [*slow, *(half + pair for pair in slow)]
    rows = slice(head * width, (head + 1) * width)
    query, key = torch.zeros(width, size), torch.zeros(width, size)
    for nth, place in enumerate(places):
        picked = (head * len(places) + nth) % width
        query[place] = projection[picked] * MATCH * math.sqrt(size)
        key[place, own + picked] = MATCH * math.sqrt(size)
    attention.q_proj.weight[rows], attention.k_proj.weight[rows] = query, key
    attention.v_proj.weight[rows] = 0
    attention.o_proj.weight[:, rows] = 0
    for coordinate in range(max(1, head * width), min(own, (head + 1) * width)):
        attention.v_proj.weight[coordinate, coordinate] = 1.0
        attention.o_proj.weight[coordinate, coordinate] = COPY * SPREAD


class Pin(NamedTuple):
    """Entries of a weight that stay as they are: `weight[mask] = values`."""

    weight: torch.nn.Parameter
    mask: torch.Tensor
    values: torch.Tensor

    def hold(self) -> None:
        """Put them back."""
        with torch.no_grad():
            self.weight[self.mask] = self.values


def pins(model: LlamaForCausalLM) -> list[Pin]:
    """What belongs to the circuit; to be asked for right after `install`."""
    size, heads = model.config.hidden_size, model.config.num_attention_heads
    width = size // heads
    own, (first, second) = size - width, model.model.layers[:2]
    matching = slice(0, width * (heads - 1))
    places: list[tuple[torch.nn.Parameter, tuple[slice | int, ...]]] = [
        (model.model.embed_tokens.weight, (slice(None), slice(own, None))),
        (model.model.embed_tokens.weight, (slice(None), slice(0, 1))),
        (first.input_layernorm.weight, (slice(None),)),
        (second.input_layernorm.weight, (slice(None),)),
        (first.self_attn.o_proj.weight, (slice(None), slice(0, width))),
        (first.self_attn.o_proj.weight, (slice(own, None), slice(None))),
        (first.mlp.down_proj.weight, (slice(own, None), slice(None))),
        (second.self_attn.o_proj.weight, (slice(None), matching)),
    ]
    for layer, rows in ((first.self_attn, slice(0, width)), (second.self_attn, matching)):
        places += [(part.weight, (rows, slice(None))) for part in (layer.q_proj, layer.k_proj, layer.v_proj)]
    made = []
    for weight, place in places:
        mask = torch.zeros_like(weight, dtype=torch.bool)
        mask[place] = True
        made.append(Pin(weight, mask, weight.detach()[mask].clone()))
    return made
