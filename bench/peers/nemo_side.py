"""NeMo Guardrails' own server, on loopback: `nemoguardrails server` can listen only on all interfaces.

Runs as `.venv-nemo/bin/python bench/peers/nemo_side.py FOLDER PORT`, in the
peer's environment. Does what that command does, but for the address and for
what it writes: that server is always verbose, some kilobytes per request, and
is kept quiet here, in its favour. FOLDER holds one configuration.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import uvicorn
from nemoguardrails.server import api
from nemoguardrails.telemetry import DeploymentTypeEnum, set_deployment_type


def main() -> None:
    """Serve until told to end."""
    folder, port = Path(sys.argv[1]).resolve(), int(sys.argv[2])
    logging.disable(logging.INFO)
    set_deployment_type(DeploymentTypeEnum.API.value)
    api.app.rails_config_path = str(folder)
    api.set_default_config_id(folder.name)
    uvicorn.run(api.app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
