#!/bin/sh
# Makes .venv-bench, the environment of the peers that bench/ measures against.
# It is separate on purpose: pymerkle is GPLv3+, and nothing of ours imports it
# or is installed beside it. Only bench/peers/ runs in it.
set -eu
cd "$(dirname "$0")/.."
python3 -m venv .venv-bench
.venv-bench/bin/pip install --quiet --disable-pip-version-check pymerkle==7.0.0 cachetools==7.2.1
.venv-bench/bin/python -c 'import pymerkle; print("pymerkle", pymerkle.__version__, "in .venv-bench")'
