"""One script per claim in docs/benchmarks.md, each against its peer in the same run."""
