#!/bin/sh
# Makes .venv-litellm and .venv-nemo, the environments of the peers that
# bench/gateway.py measures against, in the folder that is named, or in the root
# of the repository. Nothing of ours is installed in them. All that the peers build
# on is listed and pinned, to what they were measured with, and nothing else is
# taken (--no-deps); 1.1 GB and a minute or two.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"
export PIP_DISABLE_PIP_VERSION_CHECK=1
for peer in litellm nemo; do
  python3 -m venv ".venv-$peer"
  ".venv-$peer/bin/pip" install --quiet --no-deps --requirement "$here/$peer.txt"
done
.venv-litellm/bin/python -c 'from importlib.metadata import version; print("LiteLLM", version("litellm"), "in .venv-litellm")'
.venv-nemo/bin/python -c 'from importlib.metadata import version; print("NeMo Guardrails", version("nemoguardrails"), "in .venv-nemo")'
