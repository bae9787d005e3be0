"""What a Llama configuration says: sizes, positions and every tensor's shape. Others are refused, with the reason.

The architecture of Touvron et al. 2023 (arXiv:2302.13971) with grouped-query
attention, as transformers' `LlamaForCausalLM`: Salamandra, ALIA-40B, Latxa,
SmolLM2 and the pocket model. Not here: biases, other activations, and
position scalings but Llama 3.1's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.teach.tensors import Array


@dataclass(frozen=True)
class Scaling:
    """How Llama 3.1 stretches positions (`rope_type: llama3`)."""

    factor: float
    low: float
    high: float
    context: int


@dataclass(frozen=True)
class Llama:
    """The sizes of a model.

    Attributes:
        n_tokens: rows of the embedding.
        width: of the hidden state.
        inner: width inside the feed-forward part.
        n_layers, n_heads, n_kv_heads, head_width: of attention.
        context: longest input.
        epsilon: in the norms.
        theta: base of the rotary positions.
        scaling: of the positions.
        tied: the embedding also gives the logits.
    """

    n_tokens: int
    width: int
    inner: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    head_width: int
    context: int
    epsilon: float
    theta: float
    scaling: Scaling | None
    tied: bool

    def linear_shapes(self) -> dict[str, tuple[int, int]]:
        """Return (out, in) of each linear layer of a block, by its name in the block."""
        query, key = self.n_heads * self.head_width, self.n_kv_heads * self.head_width
        return {
            "self_attn.q_proj": (query, self.width),
            "self_attn.k_proj": (key, self.width),
            "self_attn.v_proj": (key, self.width),
            "self_attn.o_proj": (self.width, query),
            "mlp.gate_proj": (self.inner, self.width),
            "mlp.up_proj": (self.inner, self.width),
            "mlp.down_proj": (self.width, self.inner),
        }

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor, by its name in transformers, in the order of the model."""
        found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (self.n_tokens, self.width)}
        for layer in range(self.n_layers):
            block = f"model.layers.{layer}"
            found[f"{block}.input_layernorm.weight"] = (self.width,)
            found |= {f"{block}.{name}.weight": shape for name, shape in self.linear_shapes().items()}
            found[f"{block}.post_attention_layernorm.weight"] = (self.width,)
        found["model.norm.weight"] = (self.width,)
        return found if self.tied else found | {"lm_head.weight": (self.n_tokens, self.width)}

    def stretch(self) -> Array | None:
        """Return what each rotary frequency is divided by, (head_width / 2,) fp32; None if by nothing.

        Low frequencies by the factor, high ones by one, those between by a mixture, as in Llama 3.1's own code.
        """
        if self.scaling is None:
            return None
        scaling = self.scaling
        frequencies = self.theta ** -(np.arange(0, self.head_width, 2, dtype=np.float64) / self.head_width)
        turns = scaling.context * frequencies / (2 * math.pi)  # of each in the context first trained for
        share = np.clip((turns - scaling.low) / (scaling.high - scaling.low), 0.0, 1.0)
        stretch: Array = (1.0 / ((1.0 - share) / scaling.factor + share)).astype(np.float32)
        return stretch


def llama_of(config: Mapping[str, Any], what: str = "config.json") -> Llama:
    """Read a model's configuration.

    Raises:
        UsageError: another architecture, or a variant that is not known here.
        MalformedError: a size that is missing or makes no sense.
    """
    if config.get("model_type") != "llama" or config.get("architectures") not in (None, ["LlamaForCausalLM"]):
        name = config.get("architectures") or config.get("model_type")
        raise UsageError(f"{what}: only the Llama architecture is exported to GGUF, not {str(name)[:60]}")
    for key, plain in (("hidden_act", "silu"), ("attention_bias", False), ("mlp_bias", False)):
        if config.get(key, plain) != plain:
            raise UsageError(f"{what}: {key} {str(config[key])[:60]!r} is not exported, only {plain!r}")
    if config.get("quantization_config"):
        raise UsageError(f"{what}: the weights are quantised; export the model that they were made from")
    n_heads, width = _whole(config, "num_attention_heads", what), _whole(config, "hidden_size", what)
    head_width = width // n_heads if config.get("head_dim") is None else _whole(config, "head_dim", what)
    n_kv_heads = n_heads if config.get("num_key_value_heads") is None else _whole(config, "num_key_value_heads", what)
    if n_heads % n_kv_heads or head_width % 2:
        sizes = f"{n_heads} heads of width {head_width}, {n_kv_heads} for keys"
        raise MalformedError(f"{what}: {sizes} do not fit together")
    theta, scaling = _positions(config, what)
    return Llama(
        n_tokens=_whole(config, "vocab_size", what),
        width=width,
        inner=_whole(config, "intermediate_size", what),
        n_layers=_whole(config, "num_hidden_layers", what),
        n_heads=n_heads,
        n_kv_heads=n_kv_heads,
        head_width=head_width,
        context=_whole(config, "max_position_embeddings", what),
        epsilon=_number(config, "rms_norm_eps", what),
        theta=theta,
        scaling=scaling,
        tied=bool(config.get("tie_word_embeddings", False)),
    )


def _positions(config: Mapping[str, Any], what: str) -> tuple[float, Scaling | None]:
    """Return the base of the rotary positions and their scaling, from either of the two spellings in use."""
    told: dict[str, Any] = {}
    for key in ("rope_scaling", "rope_parameters"):  # the second is of transformers 5
        value = config.get(key)
        if value is not None and not isinstance(value, dict):
            raise MalformedError(f"{what}: expected {key} to be an object")
        told |= value or {}
    theta = _number({"rope_theta": told.get("rope_theta", config.get("rope_theta", 10_000.0))}, "rope_theta", what)
    kind = told.get("rope_type", told.get("type", "default"))
    share = told.get("partial_rotary_factor", config.get("partial_rotary_factor", 1.0))
    if kind not in ("default", "llama3") or share not in (None, 1.0):
        raise UsageError(f"{what}: positions of type {str(kind)[:60]!r} are not exported, only default and llama3")
    if kind == "default":
        return theta, None
    low, high = _number(told, "low_freq_factor", what), _number(told, "high_freq_factor", what)
    if low >= high:
        raise MalformedError(f"{what}: low_freq_factor must be below high_freq_factor")
    context = _whole(told, "original_max_position_embeddings", what)
    return theta, Scaling(_number(told, "factor", what), low, high, context)


def _whole(config: Mapping[str, Any], key: str, what: str) -> int:
    value = config.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**31:
        raise MalformedError(f"{what}: expected {key} to be a whole number from 1, got {str(value)[:60]!r}")
    return value


def _number(config: Mapping[str, Any], key: str, what: str) -> float:
    value = config.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e30:
        raise MalformedError(f"{what}: expected {key} to be a number above 0, got {str(value)[:60]!r}")
    return float(value)
