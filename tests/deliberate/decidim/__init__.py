"""Tests of `auzolan.deliberate.decidim`."""
