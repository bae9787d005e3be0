"""The peer's side of bench/decidim_import.py: pandas, in its own environment.

Runs as `.venv-bench/bin/python -m bench.peers.pandas_side CASE FILE OUTPUT` and
prints one JSON object; CASE is "whole", "parts" or "version". Imports nothing of auzolan.

What somebody who works with data would write: read the CSV file, make dates
dates, write JSON lines. "parts" does so by 10,000 rows, in little memory.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

PART = 10_000
DATES = ("published_at", "answered_at", "withdrawn_at", "created_at", "updated_at", "state_published_at")


def write(frame: pd.DataFrame, out) -> tuple[int, int]:  # noqa: ANN001 - a text file
    """Write rows as JSON lines; return how many they are, and the supports they tell."""
    for column in DATES:
        if column in frame:
            frame[column] = pd.to_datetime(frame[column], utc=True, format="mixed")
    frame.to_json(out, orient="records", lines=True, force_ascii=False)
    return len(frame), int(frame["votes"].sum())


def main(case: str, file: str, output: str) -> None:
    """Read, write, say how much it was."""
    told = pd.read_csv(file, sep=";", chunksize=PART) if case == "parts" else [pd.read_csv(file, sep=";")]
    rows = supports = 0
    with Path(output).open("w", encoding="utf-8") as out:
        for frame in told:
            more, votes = write(frame, out)
            rows, supports = rows + more, supports + votes
    print(json.dumps({"rows": rows, "supports": supports}))


if __name__ == "__main__":
    if sys.argv[1] == "version":
        print(json.dumps({"version": f"pandas {pd.__version__}, numpy {np.__version__}"}))
    else:
        main(*sys.argv[1:])
