"""The peers' sides; they run in .venv-bench and import nothing of auzolan."""
