"""Vectors: samples of others (`tests/data`) and signed formats of our own, kept for ever (`v1`)."""
