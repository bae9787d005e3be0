"""GGUF files token by token: llama.cpp must say what transformers says, with the base alone and with an adapter."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="NOT CHECKED: the teach extra (torch) is not installed")
gguf = pytest.importorskip("gguf", reason="NOT CHECKED: the gguf package is not installed")
xllamacpp = pytest.importorskip("xllamacpp", reason="NOT CHECKED: llama.cpp (xllamacpp) is not installed")

from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from peft import PeftModel, get_peft_model  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

from auzolan.core.record.errors import AuzolanError, MalformedError, MissingError, UsageError  # noqa: E402
from auzolan.teach import gguf_llama, sft  # noqa: E402
from auzolan.teach.export import lora_of  # noqa: E402
from auzolan.teach.gguf_llama import write_base_gguf, write_lora_gguf  # noqa: E402
from auzolan.teach.gguf_tokenizer import vocabulary_of  # noqa: E402
from auzolan.teach.packing import Row  # noqa: E402
from auzolan.teach.peft_folder import Factors, Lora, read_peft_folder, write_peft_folder  # noqa: E402
from tests.teach.tiny_llama import QUESTIONS, TEMPLATE, save_base  # noqa: E402

torch.set_num_threads(1)
# PEFT asks transformers by a name that the next major version drops.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
N_TOKENS = 64
ENDS = [0, 2]  # llama.cpp ends at "<|endoftext|>" too, by its name
BASE_NAME = "sha256:" + "0" * 64
SHAPES: dict[str, dict[str, Any]] = {
    "MHA tied": {"num_key_value_heads": 4, "tie_word_embeddings": True},
    "MHA untied": {"num_key_value_heads": 4},
    "GQA tied": {"tie_word_embeddings": True},
    "GQA untied": {"rope_theta": 500_000.0},
}


Say = Callable[[Sequence[int], float], list[int]]  # (prompt, scale of the adapter) -> what llama.cpp says


def _quiet(path: Path, adapter: Path | None = None) -> Any:
    """Settings of llama.cpp in which nothing is rounded but by fp32 itself."""
    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(path)
    wanted.n_ctx, wanted.n_parallel, wanted.warmup, wanted.verbosity = 512, 1, False, -1
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = 1
    wanted.cache_type_k = wanted.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    wanted.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    if adapter:
        wanted.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
    return wanted


def _ask(server: Any, path: str, body: dict[str, Any]) -> Any:
    """Ask through the library's own address on this machine: its functions tell texts, and these are about tokens."""
    told = json.dumps(body).encode()
    request = urllib.request.Request(server.listening_address + path, told, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def speaker(path: Path, adapter: Path | None = None, to_the_end: bool = True) -> Say:
    """Load a model in llama.cpp; `to_the_end` keeps it from ending before its 64 tokens."""
    server = xllamacpp.Server(_quiet(path, adapter))

    def say(prompt: Sequence[int], scale: float = 1.0) -> list[int]:
        asked: dict[str, Any] = {"prompt": list(prompt), "n_predict": N_TOKENS, "temperature": 0, "return_tokens": True}
        asked |= {"ignore_eos": to_the_end, "cache_prompt": False}
        if adapter:
            asked["lora"] = [{"id": 0, "scale": scale}]
        said: list[int] = _ask(server, "/completion", asked)["tokens"]
        return said

    return say


class Agreement(NamedTuple):
    """How many answers and tokens are the same, and how many tokens there are."""

    answers: int
    tokens: int
    of: int


def agreement(model: Any, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> Agreement:
    """Compare what llama.cpp said with transformers, which is given the same text before each token.

    If every token is the one that transformers finds likeliest, greedy answers are the same.
    """
    found = Agreement(0, 0, 0)
    for prompt, answer in zip(prompts, answers, strict=True):
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([[*prompt, *answer]])).logits[0, len(prompt) - 1 : -1]
            if len(answer) == N_TOKENS:
                logits[:, ENDS] = -torch.inf
        same = (logits.argmax(dim=-1) == torch.tensor(answer)).tolist()
        found = Agreement(found.answers + all(same), found.tokens + sum(same), found.of + len(answer))
    return found


def prompts_of(folder: Path) -> list[list[int]]:
    """Twenty questions as the chat template writes them."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    asked = [[{"role": "user", "content": question}] for question in QUESTIONS]
    texts = [tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True) for turns in asked]
    return [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]


def random_lora(model: Any, seed: int = 1, rank: int = 4) -> Lora:
    """An adapter of every linear layer that changes nearly every answer."""
    torch.manual_seed(seed)
    adapted = get_peft_model(model, sft.lora_config(sft.Settings(rank=rank, alpha=2 * rank)))
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_" in name:
                weight.normal_(0, 0.15)
    lora = lora_of(adapted, BASE_NAME)
    adapted.unload()
    return lora


def with_lora(folder: Path, lora: Lora, at: Path) -> Any:
    """The base with an adapter, both read by transformers and PEFT from files."""
    write_peft_folder(lora, at)
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return PeftModel.from_pretrained(base, at).eval()


@pytest.mark.parametrize("shape", SHAPES)
def test_llama_cpp_says_what_transformers_says(shape: str, tmp_path: Path) -> None:
    folder, adapter = tmp_path / "base", tmp_path / "adapter.gguf"
    model = save_base(folder, **SHAPES[shape])
    prompts, lora = prompts_of(folder), random_lora(save_base(folder, **SHAPES[shape]))
    write_base_gguf(folder, tmp_path / "base.gguf", "fp32")
    write_lora_gguf(lora, folder, adapter, "fp32")
    say = speaker(tmp_path / "base.gguf", adapter)
    alone, adapted = ([say(prompt, scale) for prompt in prompts] for scale in (0.0, 1.0))
    base = agreement(model, prompts, alone)
    taught = agreement(with_lora(folder, lora, tmp_path / "peft"), prompts, adapted)

    assert Agreement(20, 1280, 1280) == base
    assert Agreement(20, 1280, 1280) == taught
    assert sum(one != other for one, other in zip(alone, adapted, strict=True)) > 15, "the adapter matters"


def test_generation_itself_is_the_same(tmp_path: Path) -> None:
    """The same by transformers' own `generate`, so that nothing hangs on how tokens are compared above."""
    model = save_base(tmp_path / "base")
    write_base_gguf(tmp_path / "base", tmp_path / "base.gguf", "fp32")
    say = speaker(tmp_path / "base.gguf")
    for prompt in prompts_of(tmp_path / "base")[:5]:
        ids = torch.tensor([prompt])
        made = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=N_TOKENS, do_sample=False, suppress_tokens=ENDS
        )

        assert made[0, len(prompt) :].tolist() == say(prompt, 1.0)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Lora]:
    """A base and an adapter that was trained on made-up rows: answers of a few words, the same for each question."""
    folder = tmp_path_factory.mktemp("taught") / "base"
    model = save_base(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompts = prompts_of(folder)
    said = [f"The council says {word}." for word in ("yes", "no", "on Monday", "at the library", "ask the mayor")]
    answers = [(*tokenizer(text)["input_ids"], tokenizer.eos_token_id) for text in said]
    rows = [Row(tuple(prompt), answers[number % len(answers)]) for number, prompt in enumerate(prompts)]
    wanted = sft.Settings(rank=8, alpha=16, learning_rate=1e-2, epochs=40, length=256, sequences=2, precision="fp32")
    return folder, lora_of(sft.train(model, rows, wanted).model, BASE_NAME)


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_trained_adapter_says_the_same_in_both(taught: tuple[Path, Lora], precision: str, tmp_path: Path) -> None:
    folder, lora = taught
    write_base_gguf(folder, tmp_path / "base.gguf", precision)
    write_lora_gguf(lora, folder, tmp_path / "adapter.gguf", precision)
    prompts, tokenizer = prompts_of(folder), AutoTokenizer.from_pretrained(folder)
    say = speaker(tmp_path / "base.gguf", tmp_path / "adapter.gguf", to_the_end=False)
    answers = [say(prompt, 1.0) for prompt in prompts]
    found = agreement(with_lora(folder, lora, tmp_path / "peft"), prompts, answers)
    learnt = [tokenizer.decode(answer).startswith("The council says") for answer in answers]

    assert sum(learnt) >= 18, "it was learnt, and llama.cpp says it"
    assert Agreement(20, found.of, found.of) == found


def test_half_precision_nearly_always_says_the_same(tmp_path: Path) -> None:
    """Models of random weights are hardly sure of anything, so rounding to fp16 may turn a token here and there."""
    folder = tmp_path / "base"
    model = save_base(folder)
    write_base_gguf(folder, tmp_path / "base.gguf", "fp16")
    prompts, say = prompts_of(folder), speaker(tmp_path / "base.gguf")
    found = agreement(model, prompts, [say(prompt, 1.0) for prompt in prompts])

    assert found.tokens > 0.98 * found.of


@contextmanager
def rows_left_alone() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gguf_llama, "_interleaved", lambda rows, n_heads: rows)
        yield


def test_rows_that_stay_in_their_places_make_other_answers(tmp_path: Path) -> None:
    """The checks above see the mistake that they are there for: in the base, and in the adapter alone."""
    folder = tmp_path / "base"
    model, lora = save_base(folder), random_lora(save_base(folder))
    prompts = prompts_of(folder)
    write_base_gguf(folder, tmp_path / "right.gguf", "fp32")
    with rows_left_alone():
        write_base_gguf(folder, tmp_path / "wrong.gguf", "fp32")
        write_lora_gguf(lora, folder, tmp_path / "wrong_adapter.gguf", "fp32")
    wrong_base, wrong_adapter = (
        speaker(tmp_path / "wrong.gguf"),
        speaker(tmp_path / "right.gguf", tmp_path / "wrong_adapter.gguf"),
    )
    base = agreement(model, prompts, [wrong_base(prompt, 1.0) for prompt in prompts])
    adapted = agreement(
        with_lora(folder, lora, tmp_path / "peft"), prompts, [wrong_adapter(prompt, 1.0) for prompt in prompts]
    )

    for found in (base, adapted):
        assert found.answers < 5
        assert found.tokens < 0.8 * found.of


def test_an_adapter_of_the_query_alone_needs_its_rows_moved_too(tmp_path: Path) -> None:
    folder = tmp_path / "base"
    lora = random_lora(save_base(folder))
    for kind in ("q_proj", "k_proj"):
        one = replace(lora, layers={name: pair for name, pair in lora.layers.items() if name.endswith(kind)})
        prompts = prompts_of(folder)
        model = with_lora(folder, one, tmp_path / f"peft_{kind}")
        write_base_gguf(folder, tmp_path / f"{kind}.gguf", "fp32")
        write_lora_gguf(one, folder, tmp_path / f"right_{kind}.gguf", "fp32")
        with rows_left_alone():
            write_lora_gguf(one, folder, tmp_path / f"wrong_{kind}.gguf", "fp32")
        right, wrong = (
            agreement(model, prompts, [say(prompt, 1.0) for prompt in prompts])
            for say in (
                speaker(tmp_path / f"{kind}.gguf", tmp_path / f"{side}_{kind}.gguf") for side in ("right", "wrong")
            )
        )

        assert Agreement(20, 1280, 1280) == right
        assert wrong.answers < 10


LLAMA_3_1 = {
    "rope_type": "llama3", "rope_theta": 500_000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"rope_parameters": LLAMA_3_1}, id="positions of Llama 3.1"),
        pytest.param({"head_dim": 24}, id="heads wider than the hidden state's share"),
        pytest.param({"num_key_value_heads": 1, "num_attention_heads": 8}, id="one key head"),
    ],
)
def test_variants_of_the_architecture_say_the_same(changes: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "base"
    model, lora = save_base(folder, **changes), random_lora(save_base(folder, **changes))
    write_base_gguf(folder, tmp_path / "base.gguf", "fp32")
    write_lora_gguf(lora, folder, tmp_path / "adapter.gguf", "fp32")
    prompts, say = prompts_of(folder), speaker(tmp_path / "base.gguf", tmp_path / "adapter.gguf")
    base = agreement(model, prompts, [say(prompt, 0.0) for prompt in prompts])
    adapted = agreement(with_lora(folder, lora, tmp_path / "peft"), prompts, [say(prompt, 1.0) for prompt in prompts])

    assert Agreement(20, 1280, 1280) == base
    assert Agreement(20, 1280, 1280) == adapted


def test_half_precision_weights_in_several_files_say_the_same(tmp_path: Path) -> None:
    """Weights of bf16, as most bases have; in fp32, which holds them exactly."""
    folder, parts = tmp_path / "base", tmp_path / "parts"
    save_base(folder).to(torch.bfloat16).save_pretrained(folder)
    parts.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (parts / name).write_bytes((folder / name).read_bytes())
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).save_pretrained(parts, max_shard_size="60KB")
    write_base_gguf(folder, tmp_path / "base.gguf", "fp32")
    write_base_gguf(parts, tmp_path / "parts.gguf", "fp32")
    prompts, say = prompts_of(folder), speaker(tmp_path / "base.gguf")

    assert Agreement(20, 1280, 1280) == agreement(model, prompts, [say(prompt, 1.0) for prompt in prompts])
    assert 2 < len(list(parts.glob("*.safetensors")))
    assert (tmp_path / "base.gguf").read_bytes() == (tmp_path / "parts.gguf").read_bytes()


class Site(NamedTuple):
    """A loaded model, asked through the library's own address on this machine."""

    tokenizer: Any
    server: Any

    def ask(self, path: str, body: dict[str, Any]) -> Any:
        return _ask(self.server, path, body)


@pytest.fixture(scope="module", params=["smollm", "gpt-2", "llama-bpe"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    save_base(folder / "base", way=request.param)
    write_base_gguf(folder / "base", folder / "base.gguf")
    return Site(AutoTokenizer.from_pretrained(folder / "base"), xllamacpp.Server(_quiet(folder / "base.gguf")))


def test_texts_have_the_same_tokens(site: Site) -> None:
    alphabet = st.sampled_from(
        [*"abcZ éñçŠ09½²  \t\n\r'’.,;:!?-_<|>€漢字🙂अ", "'s", "I'LL", " 1234", "\r\n", "<|im_end|>"]
    )

    @given(st.lists(alphabet, max_size=30).map("".join))
    @settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def same(text: str) -> None:
        wanted = site.tokenizer(text)["input_ids"]
        told = site.ask("/tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]

        assert wanted == told

    for question in QUESTIONS:
        same.hypothesis.inner_test(question)  # type: ignore[attr-defined]
    same()


def test_the_chat_template_is_in_the_file(site: Site) -> None:
    turns = [{"role": "system", "content": "Principle: be brief."}, {"role": "user", "content": "¿Cuándo?"}]
    wanted = site.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)

    assert wanted == site.ask("/apply-template", {"messages": turns})["prompt"]


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "base"
    lora = random_lora(save_base(folder))
    for name in ("one", "two"):
        write_base_gguf(folder, tmp_path / f"{name}.gguf")
        write_lora_gguf(lora, folder, tmp_path / f"{name}_adapter.gguf")

    assert (tmp_path / "one.gguf").read_bytes() == (tmp_path / "two.gguf").read_bytes()
    assert (tmp_path / "one_adapter.gguf").read_bytes() == (tmp_path / "two_adapter.gguf").read_bytes()
    assert str(tmp_path).encode() not in (tmp_path / "one.gguf").read_bytes()


def test_the_files_say_what_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "base"
    lora = random_lora(save_base(folder, tie_word_embeddings=True))
    write_base_gguf(folder, tmp_path / "base.gguf")
    write_lora_gguf(lora, folder, tmp_path / "adapter.gguf")
    base, adapter = (gguf.GGUFReader(tmp_path / name) for name in ("base.gguf", "adapter.gguf"))
    told = {name: base.get_field(name).contents() for name in base.fields if name.startswith("tokenizer.ggml.")}
    types = {tensor.name: tensor.tensor_type.name for tensor in base.tensors}

    assert "smollm" == told["tokenizer.ggml.pre"]
    assert told["tokenizer.ggml.add_bos_token"] is False
    assert [3, 3, 3, 1] == told["tokenizer.ggml.token_type"][:4]
    assert [5] * 8 == told["tokenizer.ggml.token_type"][360:]
    assert TEMPLATE == base.get_field("tokenizer.chat_template").contents()
    assert "output.weight" not in types
    assert {"F16"} == {kind for name, kind in types.items() if "norm" not in name}
    assert {"F32"} == {kind for name, kind in types.items() if "norm" in name}
    assert ("adapter", "lora", 8.0) == tuple(
        adapter.get_field(name).contents() for name in ("general.type", "adapter.type", "adapter.lora.alpha")
    )
    assert 2 * len(lora.layers) == len(adapter.tensors)
    assert {"blk.0.attn_q.weight.lora_a", "blk.0.attn_q.weight.lora_b"} < {tensor.name for tensor in adapter.tensors}


def test_an_adapter_of_another_base_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "base"
    lora = random_lora(save_base(folder))
    save_base(tmp_path / "other", num_key_value_heads=4)
    with pytest.raises(MalformedError, match="k_proj: the base's shape is"):
        write_lora_gguf(lora, tmp_path / "other", tmp_path / "adapter.gguf")
    one = next(iter(lora.layers.values()))
    for name in ("lm_head", "model.layers.7.self_attn.q_proj", "model.embed_tokens"):
        with pytest.raises(UsageError, match="is no linear layer inside"):
            write_lora_gguf(replace(lora, layers={name: one}), folder, tmp_path / "adapter.gguf")

    assert not (tmp_path / "adapter.gguf").exists()


def _config(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]}, "only the Llama architecture"),
        ({"attention_bias": True}, "attention_bias"),
        ({"hidden_act": "gelu"}, "hidden_act"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0}}, "positions of type 'yarn'"),
        ({"rope_scaling": {"type": "linear", "factor": 2.0}, "rope_parameters": None}, "positions of type 'linear'"),
        ({"quantization_config": {"bits": 4}}, "quantised"),
        ({"num_hidden_layers": "2"}, "num_hidden_layers"),
        ({"num_key_value_heads": 3}, "do not fit together"),
        ({"vocab_size": 400}, "its configuration says"),
        ({"num_hidden_layers": 3}, "no tensor"),
        ({"num_hidden_layers": 1}, "not of this architecture"),
    ],
)
def test_what_cannot_be_said_in_gguf_is_refused(changes: dict[str, Any], why: str, tmp_path: Path) -> None:
    save_base(tmp_path)
    _config(tmp_path, **changes)
    with pytest.raises((UsageError, MalformedError), match=why):
        write_base_gguf(tmp_path, tmp_path / "base.gguf")

    assert not list(tmp_path.glob("base.gguf*"))


def test_values_too_large_for_half_precision_are_refused_and_leave_no_file(tmp_path: Path) -> None:
    model = save_base(tmp_path)
    with torch.no_grad():
        model.lm_head.weight[0, 0] = 1e6
    model.save_pretrained(tmp_path)
    with pytest.raises(UsageError, match="too large for fp16"):
        write_base_gguf(tmp_path, tmp_path / "base.gguf")

    assert not list(tmp_path.glob("base.gguf*"))
    write_base_gguf(tmp_path, tmp_path / "base.gguf", "fp32")
    with pytest.raises(UsageError, match="is there already"):
        write_base_gguf(tmp_path, tmp_path / "base.gguf", "fp32")
    with pytest.raises(UsageError, match="expected a precision"):
        write_base_gguf(tmp_path, tmp_path / "other.gguf", "int4")


def _tokenizer(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    made = json.loads((folder / "tokenizer.json").read_text())
    change(made)
    (folder / "tokenizer.json").write_text(json.dumps(made))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda made: made.update(pre_tokenizer={"type": "Whitespace"}), "pre-tokenizer"),
        (lambda made: made.update(pre_tokenizer=None), "pre-tokenizer"),
        (lambda made: made["pre_tokenizer"]["pretokenizers"][0].update(individual_digits=False), "pre-tokenizer"),
        (lambda made: made["pre_tokenizer"]["pretokenizers"][1].update(add_prefix_space=True), "pre-tokenizer"),
        (lambda made: made.update(normalizer={"type": "NFC"}), "normalizer"),
        (lambda made: made["model"].update(type="Unigram"), "only byte-level BPE"),
        (lambda made: made["model"].update(byte_fallback=True), "only byte-level BPE"),
        (lambda made: made["model"].update(ignore_merges=True), "ignore_merges"),
        (lambda made: made["model"]["vocab"].update(new=2), "two tokens have"),
        (lambda made: made["model"]["vocab"].update(new=5_000), "the rows of the embedding"),
        (lambda made: made["model"].update(merges=[]), "no merges"),
        (lambda made: made["model"].update(merges=[["a"]]), "of two tokens"),
        (lambda made: made["model"].update(merges=[7]), "laid out"),
        (lambda made: made["added_tokens"][1].update(lstrip=True), "takes blanks away"),
        (lambda made: made["added_tokens"].pop(), "laid out|not among|"),
        (
            lambda made: made.update(
                post_processor={"type": "TemplateProcessing", "single": [
                    {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<|im_end|>", "type_id": 0}}]}
            ),
            "adds tokens to the text",
        ),
    ],
)  # fmt: skip
def test_a_tokenizer_that_llama_cpp_would_read_otherwise_is_refused(
    change: Callable[[dict[str, Any]], object], why: str, tmp_path: Path
) -> None:
    save_base(tmp_path)
    _tokenizer(tmp_path, change)
    if why.endswith("|"):  # a special token that is one no more: still the same ids, only of another kind
        write_base_gguf(tmp_path, tmp_path / "base.gguf")
        return
    with pytest.raises((UsageError, MalformedError), match=why):
        write_base_gguf(tmp_path, tmp_path / "base.gguf")


def test_a_tokenizer_without_an_end_is_refused(tmp_path: Path) -> None:
    save_base(tmp_path)
    settings_file = tmp_path / "tokenizer_config.json"
    told = json.loads(settings_file.read_text())
    settings_file.write_text(json.dumps({key: value for key, value in told.items() if key != "eos_token"}))
    with pytest.raises(UsageError, match="no eos_token"):
        write_base_gguf(tmp_path, tmp_path / "base.gguf")
    settings_file.write_text(json.dumps(told | {"eos_token": {"content": "<none>"}}))
    with pytest.raises(MalformedError, match="not among the tokens"):
        write_base_gguf(tmp_path, tmp_path / "base.gguf")
    settings_file.unlink()
    with pytest.raises(MissingError, match="tokenizer_config"):
        write_base_gguf(tmp_path, tmp_path / "base.gguf")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.sampled_from(["BPE", "a", "A", "ByteLevel", "Sequence"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "model", "vocab", "merges", "added_tokens", "content", "id", "single", "processors"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(["pre_tokenizer", "post_processor", "added_tokens", "merges", "vocab", "model"]), JSON)
@settings(max_examples=200, deadline=None)
def test_from_any_tokenizer_only_our_errors_escape(part: str, value: object) -> None:
    level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
    model: dict[str, Any] = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}
    made: dict[str, Any] = {"model": model, "added_tokens": [], "pre_tokenizer": level}
    (model if part in {"merges", "vocab"} else made)[part] = value
    try:
        words = vocabulary_of(made, {"eos_token": "a"}, 4)
    except AuzolanError:
        return

    assert 4 == len(words.tokens) == len(words.kinds)


def test_query_rows_go_to_their_places() -> None:
    rows = np.arange(8)[:, None]  # two heads of width four: halves (0 1 | 2 3) and (4 5 | 6 7)

    assert [0, 2, 1, 3, 4, 6, 5, 7] == gguf_llama._interleaved(rows, 2)[:, 0].tolist()


def test_an_adapter_read_from_its_folder_makes_the_same_file(tmp_path: Path) -> None:
    lora = random_lora(save_base(tmp_path / "base"))
    write_peft_folder(lora, tmp_path / "peft")
    write_lora_gguf(lora, tmp_path / "base", tmp_path / "one.gguf")
    write_lora_gguf(read_peft_folder(tmp_path / "peft"), tmp_path / "base", tmp_path / "two.gguf")

    assert (tmp_path / "one.gguf").read_bytes() == (tmp_path / "two.gguf").read_bytes()
    assert Factors._fields == ("a", "b")
