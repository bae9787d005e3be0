"""What may be loaded: files are read strictly, hashed and matched to signed records before any engine sees them.

    files              what stands in a model's or adapter's folder, or in a GGUF (edge)
    digests            SHA-256 of files, remembered while they are the same (edge)
    safetensors_file   a strict look at a safetensors file
    gguf_file          a strict look at a GGUF file; `gguf_bytes` reads it, `gguf_types` has its tables
    strict_json        settings without a key twice, or code
    chat_template      which template is used, and which tokens mark roles in it
    revoked            what the log knows to be revoked or replaced
    admit              files against records: what may be loaded, or why not
    lease              what the engine gets is what was hashed, and stays so (edge)

In this order: `find_base`, `find_adapter` -> `standings_of` -> `admit` -> `pin` (and `stored` or `derived`) -> the
engine starts -> `still_same` at once, and then again and again.
"""
