"""The command line: parse, call, print. One module per stage.

Exit codes everywhere: 0 verified or done, 1 a check failed, 2 usage, 3 could
not check. stdout is data (`--json` on every command), stderr is talk.
"""

from __future__ import annotations

from auzolan.cli.app import main

__all__ = ["main"]
