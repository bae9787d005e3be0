#!/bin/sh
# Makes .venv-bench, the environment of the peers that bench/ measures against.
# It is separate on purpose: pymerkle, pabutools and preflibtools, which abcvoting
# imports, are GPLv3+, and nothing of ours imports them or is installed beside
# them. Only bench/peers/ runs in it.
# What the peers build on is pinned too, to what they were measured with.
set -eu
cd "$(dirname "$0")/.."
python3 -m venv .venv-bench
.venv-bench/bin/pip install --quiet --disable-pip-version-check pymerkle==7.0.0 cachetools==7.2.1 \
  red-dwarf==0.4.0 numpy==2.4.6 pandas==3.1.1 scikit-learn==1.9.1 scipy==1.17.1 \
  abcvoting==2.19.2 pabutools==1.2.3 preflibtools==2.0.33 gmpy2==2.3.2
.venv-bench/bin/python -c 'import pymerkle; print("pymerkle", pymerkle.__version__, "in .venv-bench")'
.venv-bench/bin/python -c 'from importlib.metadata import version; print("red-dwarf", version("red-dwarf"), "in .venv-bench")'
.venv-bench/bin/python -c 'from importlib.metadata import version; print("abcvoting", version("abcvoting"), "and pabutools", version("pabutools"), "in .venv-bench")'
