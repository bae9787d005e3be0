"""`teach`: a constitution becomes a small LoRA adapter for an open-weight model.

Built so far: the training loop, and what goes out of it.

    packing         rows side by side, so that no step computes padding
    sft             supervised fine-tuning of a LoRA adapter (edge; needs torch)
    tensors         safetensors, read strictly and written the same every time
    peft_folder     an adapter as PEFT's two files (edge)
    model_folder    digests of a base model's weights, tokenizer and chat template (edge)
    llama           what a Llama configuration says      gguf_tokenizer  its tokenizer, as GGUF says it
    gguf_llama      base and adapter as GGUF (edge)      export          all of it in one folder (edge; needs torch)
"""
