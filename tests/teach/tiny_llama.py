"""Tiny Llama models of random weights, as folders that transformers reads, with a tokenizer of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# Made up.
QUESTIONS = (
    "When does the library open?", "Who may use the river path?", "¿Dónde está la piscina?", "Is the market on Monday?",
    "How do I appeal a fine of 120 €?", "¿Cuándo cierra el museo?", "Which bus goes to the harbour?", "ok",
    "  two blanks",
    "The council's 3rd session, 2026-11-20", "Zer ordutan irekitzen da?", "l'Ajuntament\nde la vila", "a\tb\n\nc",
    "Where is the swimming pool", "Can dogs enter the park?", "emoji 🙂 and 漢字", "I'll, we've, they're, don't",
    "Phone: +34 900 12 34 56", "???!!!...", "The mayor shall not decide alone.",
)  # fmt: skip


def tokenizer(way: str = "smollm", size: int = 360) -> Tokenizer:
    made = Tokenizer(models.BPE(ignore_merges=way == "llama-bpe"))
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=way != "llama-bpe")
    if way == "smollm":
        made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), level])
    elif way == "llama-bpe":
        made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), level])
    else:
        made.pre_tokenizer = level
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(SPECIALS), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    made.train_from_iterator([text for text in QUESTIONS for _ in range(3)], trainer)
    if way == "llama-bpe":  # as Llama 3's: text starts with a token of its own
        start = [(SPECIALS[0], made.token_to_id(SPECIALS[0]))]
        made.post_processor = processors.TemplateProcessing(single=f"{SPECIALS[0]} $A", special_tokens=start)
    return made


def save_tokenizer(made: Tokenizer, folder: Path, bos: str = SPECIALS[1]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    made.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": bos, "eos_token": SPECIALS[2],
        "pad_token": SPECIALS[0], "clean_up_tokenization_spaces": False, "chat_template": TEMPLATE,
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def save_base(folder: Path, way: str = "smollm", seed: int = 0, **changes: Any) -> LlamaForCausalLM:
    """Write a model's folder; return the model, fp32."""
    made = tokenizer(way)
    save_tokenizer(made, folder, SPECIALS[0] if way == "llama-bpe" else SPECIALS[1])
    torch.manual_seed(seed)
    sizes = {
        "vocab_size": 368,  # eight more than there are tokens, as in models whose embedding is rounded up
        "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "initializer_range": 0.2,
        "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
    }  # fmt: skip
    model = LlamaForCausalLM(LlamaConfig(**{**sizes, **changes})).eval()
    with torch.no_grad():  # norms of random models are all one, and would hide a mistake
        for name, weight in model.named_parameters():
            if name.endswith("norm.weight"):
                weight.uniform_(0.5, 1.5)
    model.save_pretrained(folder)
    return model
