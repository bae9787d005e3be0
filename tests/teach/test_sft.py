"""The training loop on a tiny model of random weights: what is learnt, what is not, and going on after a kill."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="NOT CHECKED: the teach extra (torch) is not installed")

from peft import get_peft_model, get_peft_model_state_dict  # noqa: E402
from transformers import LlamaConfig, LlamaForCausalLM  # noqa: E402

from auzolan.core.record.errors import MalformedError, StorageError, UsageError  # noqa: E402
from auzolan.teach import sft  # noqa: E402
from auzolan.teach.packing import Row, pack  # noqa: E402
from auzolan.teach.rows_apart import rows_apart  # noqa: E402
from auzolan.teach.settings import Teaching  # noqa: E402

torch.set_num_threads(1)
# PEFT asks transformers by a name that the next major version drops.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
SETTINGS = sft.Settings(
    rank=4, alpha=8, learning_rate=2e-2, epochs=6, length=64, sequences=2, keep_every=5, precision="fp32"
)
ROWS = [Row((1, 5 + n % 7, 3), (20 + n % 7, 30 + n % 3, 2)) for n in range(60)]


def tiny(seed: int = 0, vocabulary: int = 64) -> Any:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=128, tie_word_embeddings=False,
        initializer_range=0.2,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def _adapter(model: Any) -> dict[str, Any]:
    return {name: weight.clone() for name, weight in get_peft_model_state_dict(model).items()}


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_training_takes_every_setting_of_a_run_that_it_has_itself() -> None:
    chosen = Teaching(
        rank=3, alpha=5, learning_rate=7e-4, epochs=11, length=13, sequences=17, warm_up=0.19, precision="fp32",
        recompute=False, seed=23, keep_every=29,
    )  # fmt: skip
    found = asdict(sft.Settings.of(chosen))

    assert {name: value for name, value in asdict(chosen).items() if name in found} == {
        name: value for name, value in found.items() if name != "tokens_at_once"
    }
    assert sft.Settings().tokens_at_once == found["tokens_at_once"]


def test_answers_are_learnt_and_the_model_itself_is_not_changed() -> None:
    model = tiny()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    trained = sft.train(model, ROWS, SETTINGS)
    after = {name.replace(".base_layer", ""): w for name, w in trained.model.get_base_model().state_dict().items()}

    assert trained.history[-1].loss < trained.history[0].loss / 2
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert sum(len(row) for row in ROWS) * 6 == sum(step.n_tokens for step in trained.history)
    assert 3 * 60 * 6 == sum(step.n_learnt for step in trained.history)


def test_every_linear_layer_but_the_last_has_an_adapter() -> None:
    adapted = get_peft_model(tiny(), sft.lora_config(SETTINGS))
    layers = {name.split(".lora_")[0].split(".")[-1] for name in get_peft_model_state_dict(adapted)}

    assert {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"} == layers


def test_the_loss_is_that_of_each_row_by_itself() -> None:
    """Packing, own positions and the mask change nothing, against transformers' own loss on single rows."""
    model = get_peft_model(tiny(), sft.lora_config(SETTINGS)).eval()
    with rows_apart(model.get_base_model()):
        together = sum(float(sft.loss_of(model, [each]).detach()) for each in pack(ROWS, 64))
        at_once = float(sft.loss_of(model, pack(ROWS, 64)).detach())
    alone = 0.0
    for row in ROWS:
        ids = torch.tensor([[*row.prompt, *row.answer]])
        labels = torch.tensor([[*[-100] * len(row.prompt), *row.answer]])
        alone += float(model(input_ids=ids, labels=labels).loss.detach()) * len(row.answer)

    assert alone == pytest.approx(together, rel=1e-5)
    assert alone == pytest.approx(at_once, rel=1e-5)


def _gradients(model: Any, loss: Any) -> list[Any]:
    model.zero_grad()
    loss.backward()
    return [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]


def _close(some: list[Any], others: list[Any]) -> bool:
    return all(float((one - other).norm()) <= 1e-5 * float(one.norm()) for one, other in zip(some, others, strict=True))


def _with_an_adapter(model: Any) -> Any:
    adapted = get_peft_model(model, sft.lora_config(SETTINGS))
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:  # zeros at the start, which would leave the other half without gradients
            torch.nn.init.normal_(weight, std=0.1)
    return adapted


def test_loss_and_gradients_are_those_of_pytorch_on_single_rows() -> None:
    model = _with_an_adapter(tiny())
    rows = [*ROWS[:9], Row(tuple(range(3, 60)), tuple(range(5, 62)))]
    alone: Any = 0.0
    for row in rows:
        ids = torch.tensor([[*row.prompt, *row.answer]])
        labels = torch.tensor([[*[-100] * len(row.prompt), *row.answer]])
        alone = alone + model(input_ids=ids, labels=labels).loss * len(row.answer)
    wanted = _gradients(model, alone)
    with rows_apart(model.get_base_model()):
        together = sft.loss_of(model, pack(rows, 128))
        found = _gradients(model, together)

    assert float(alone.detach()) == pytest.approx(float(together.detach()), rel=1e-5)
    assert _close(wanted, found)


def test_rows_longer_than_a_block_of_queries_see_all_that_is_before_them() -> None:
    model = _with_an_adapter(tiny())
    row = Row(tuple(n % 64 for n in range(100)), tuple(n * 7 % 64 for n in range(250)))
    ids = torch.tensor([[*row.prompt, *row.answer]])
    labels = torch.tensor([[*[-100] * len(row.prompt), *row.answer]])
    alone = model(input_ids=ids, labels=labels).loss * len(row.answer)
    wanted = _gradients(model, alone)
    with rows_apart(model.get_base_model()):
        found = _gradients(
            model, sft.loss_of(model, pack([row, *ROWS[:3]], 360)) - sft.loss_of(model, pack(ROWS[:3], 64))
        )

    assert _close(wanted, found)


def test_pieces_of_logits_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    model, packed = _with_an_adapter(tiny()), pack(ROWS, 64)[:1]
    with rows_apart(model.get_base_model()):
        whole = sft.loss_of(model, packed)
        wanted = _gradients(model, whole)
        monkeypatch.setattr(sft, "_LOGITS", 64 * 2)
        pieces = sft.loss_of(model, packed)
        found = _gradients(model, pieces)

    assert float(whole.detach()) == pytest.approx(float(pieces.detach()), rel=1e-5)
    assert _close(wanted, found)


def test_sequences_read_together_give_the_same_adapter() -> None:
    one, two = (
        _adapter(sft.train(tiny(), ROWS, replace(SETTINGS, epochs=1, tokens_at_once=tokens)).model)
        for tokens in (1, 128)
    )

    assert all(torch.allclose(one[name], two[name], rtol=1e-4, atol=1e-6) for name in one)


def test_a_step_is_read_in_parts_of_at_most_so_many_tokens() -> None:
    batch = pack(ROWS, 64)[:4]
    lengths = [len(each.ids) for each in batch]

    assert [60] * 4 == lengths
    assert [batch] == sft._together(batch, 240)
    assert [batch[:3], batch[3:]] == sft._together(batch, 239)
    assert [[each] for each in batch] == sft._together(batch, 1)


def test_after_training_the_model_attends_as_before() -> None:
    model = tiny()
    trained = sft.train(model, ROWS[:4], replace(SETTINGS, epochs=1)).model

    assert "sdpa" == model.config._attn_implementation
    assert (1, 3, 64) == trained(input_ids=torch.tensor([[1, 5, 3]])).logits.shape


def test_a_model_whose_attention_cannot_be_chosen_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny()
    monkeypatch.setattr(type(model), "_can_set_attn_implementation", lambda _model: False)
    with pytest.raises(UsageError, match="lets its attention be chosen"):
        sft.train(model, ROWS, SETTINGS)


def test_recomputing_activations_gives_the_same_adapter() -> None:
    plain, sparing = (
        _adapter(sft.train(tiny(), ROWS, replace(SETTINGS, epochs=1, recompute=recompute)).model)
        for recompute in (False, True)
    )

    assert all(torch.allclose(plain[name], sparing[name], rtol=1e-4, atol=1e-6) for name in plain)


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    short = replace(SETTINGS, epochs=1)
    first, second, other = (
        _adapter(sft.train(tiny(), ROWS, each).model) for each in (short, short, replace(short, seed=1))
    )

    assert _same(first, second)
    assert not _same(first, other)


def test_half_precision_learns_too() -> None:
    trained = sft.train(tiny(), ROWS, replace(SETTINGS, precision="bf16"))

    assert trained.history[-1].loss < trained.history[0].loss / 2


def test_what_was_interrupted_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    whole = sft.train(tiny(), ROWS, SETTINGS)
    kept = tmp_path / "kept"

    def stop(done: int, _all: int, _loss: float) -> None:
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sft.train(tiny(), ROWS, SETTINGS, kept, stop)
    resumed = sft.train(tiny(), ROWS, SETTINGS, kept)

    assert whole.history == resumed.history
    assert _same(_adapter(whole.model), _adapter(resumed.model))


_KILLED = """
import sys
from pathlib import Path
from tests.teach.test_sft import ROWS, SETTINGS, sft, tiny
sft.train(tiny(), ROWS, SETTINGS, Path(sys.argv[1]), lambda done, _n, _l: print(done, flush=True))
"""


def test_a_killed_training_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with subprocess.Popen([sys.executable, "-c", _KILLED, str(kept)], stdout=subprocess.PIPE, text=True) as training:
        assert training.stdout, "it is piped"
        while int(training.stdout.readline()) < 7:
            pass
        training.kill()

    whole, resumed = (sft.train(tiny(), ROWS, SETTINGS, *place).model for place in ((), (kept,)))

    assert _same(_adapter(whole), _adapter(resumed))


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    sft.train(tiny(), ROWS, replace(SETTINGS, epochs=1), tmp_path / "kept")
    for rows, settings in ((ROWS[1:], replace(SETTINGS, epochs=1)), (ROWS, SETTINGS)):
        with pytest.raises(UsageError, match="checkpoint of other rows or settings"):
            sft.train(tiny(), rows, settings, tmp_path / "kept")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x02cos\nsystem\n."])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, data: bytes) -> None:
    kept = tmp_path / "training.pt"
    kept.write_bytes(data)

    with pytest.raises(MalformedError, match="is damaged; remove it"):
        sft.train(tiny(), ROWS, SETTINGS, kept)


def test_a_checkpoint_that_cannot_be_written_leaves_nothing_half(tmp_path: Path) -> None:
    (tmp_path / "training.new").mkdir()

    with pytest.raises(StorageError, match="cannot write the checkpoint"):
        sft.train(tiny(), ROWS, replace(SETTINGS, keep_every=1), tmp_path / "training.pt")
    assert not (tmp_path / "training.pt").exists()


def test_nothing_to_learn_is_refused() -> None:
    with pytest.raises(UsageError, match="no rows"):
        sft.train(tiny(), [], SETTINGS)


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [sft._rate(number, 40, replace(SETTINGS, warm_up=0.1)) for number in range(40)]

    assert [0.25, 0.5, 0.75, 1.0] == [round(rate / SETTINGS.learning_rate, 6) for rate in rates[:4]]
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert 0 < rates[-1] < 0.01 * SETTINGS.learning_rate
