"""Tests of `auzolan.run.rules`."""
