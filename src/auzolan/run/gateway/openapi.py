"""The description of the HTTP surface for programs (OpenAPI 3.1), as it stands in `openapi.json`.

Written by hand and compared with the gateway by the tests' fuzzing; nothing is decided by it.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


@cache
def description() -> dict[str, object]:
    """Return the description; not to be changed."""
    text = files("auzolan.run.gateway").joinpath("openapi.json").read_text(encoding="utf-8")
    found = json.loads(text)
    assert isinstance(found, dict), "it is part of the package"
    return found
