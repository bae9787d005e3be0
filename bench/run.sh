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
.venv/bin/python -m bench.decidim_import --json
[ -x .venv-teach/bin/python ] || make .venv-teach/.made
.venv-trl/bin/python -c 'import trl' 2>/dev/null || bench/trl.sh
.venv/bin/python -m bench.sft --json
.venv/bin/python -m bench.sft_memory --json
{ [ -x .venv-litellm/bin/litellm ] && [ -x .venv-nemo/bin/python ]; } || bench/peers/gateway.sh
.venv/bin/python -m bench.gateway --json
