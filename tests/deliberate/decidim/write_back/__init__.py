"""Tests of what goes back to a Decidim."""
