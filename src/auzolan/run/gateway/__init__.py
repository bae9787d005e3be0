"""The HTTP surface: OpenAI-compatible, on loopback, with everything else behind it."""
