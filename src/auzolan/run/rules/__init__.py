"""The community's rules for running a model: read from TOML, decided on facts, explained."""
