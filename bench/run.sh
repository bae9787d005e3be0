#!/bin/sh
# Measures everything that docs/benchmarks.md reports; see bench/README.md.
set -eu
cd "$(dirname "$0")/.."
.venv-bench/bin/python -c 'import pymerkle, reddwarf, abcvoting, pabutools' 2>/dev/null || bench/peers.sh
.venv/bin/python -m bench.merkle --json "$@"
.venv/bin/python -m bench.ledger --json
.venv/bin/python -m bench.opinion --json
.venv/bin/python -m bench.rules --json
.venv/bin/python -m bench.ratify --json
