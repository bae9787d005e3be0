#!/bin/sh
# Measures everything that docs/benchmarks.md reports; see bench/README.md.
set -eu
cd "$(dirname "$0")/.."
[ -x .venv-bench/bin/python ] || bench/peers.sh
.venv/bin/python -m bench.merkle --json "$@"
.venv/bin/python -m bench.ledger --json
