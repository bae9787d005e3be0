"""What answers: llama.cpp in a sandboxed child, or any OpenAI-compatible server by its address."""
