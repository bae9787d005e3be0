"""Write the pocket model's card from what was measured.

    python -m recipes.pocket.card OUT

Reads OUT/settings.json, OUT/history.jsonl, OUT/skills.json and OUT/teach.jsonl (what `evaluate` printed), and writes
OUT/final/CARD.md. No number is typed by hand.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from recipes.pocket.evaluate import share

INTRODUCTION = Path(__file__).parent / "card_introduction.md"


def main() -> None:
    """Read, count, write."""
    out = Path(sys.argv[1])
    settings = json.loads((out / "settings.json").read_text(encoding="utf-8"))
    last = json.loads((out / "history.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    weights = (out / "final" / "model.safetensors").read_bytes()
    lines = [INTRODUCTION.read_text(encoding="utf-8"), "## Recipe", ""]
    lines += ["| setting | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in settings.items())]
    lines += [f"| loss of the last step | {last['loss']} |", f"| bytes of weights (fp16) | {len(weights):,} |"]
    lines += [f"| SHA-256 of model.safetensors | `{hashlib.sha256(weights).hexdigest()}` |", ""]
    lines += _skills(json.loads((out / "skills.json").read_text(encoding="utf-8")))
    runs = [
        json.loads(line) for line in (out / "teach.jsonl").read_text(encoding="utf-8").splitlines() if line[0] == "{"
    ]
    lines += _teaching(runs)
    (out / "final" / "CARD.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _skills(report: dict[str, str]) -> list[str]:
    head = [
        "## Before teaching",
        "",
        "Articles of words and days that training never combined; 95 % intervals (Wilson).",
        "",
    ]
    return [*head, "| what | share |", "|---|---|", *(f"| {name} | {share} |" for name, share in report.items()), ""]


def _teaching(runs: list[dict[str, Any]]) -> list[str]:
    """Every run, and all pooled; the intervals treat checks as independent, so they are somewhat too narrow."""
    lines = [
        "## Taught",
        "",
        "Nine articles a run, of words and days that training never combined, taught with the settings of the pocket",
        "model's kit; prompts in wordings that teaching did not use. Checks of one article depend on each other, so",
        "these intervals are too narrow.",
        "",
    ]
    lines += ["| seed, language | what | before | after | n | CPU seconds |", "|---|---|---|---|---|---|"]
    pooled: dict[str, list[int]] = {}
    for run in runs:
        seconds = round(sum(run["cpu_seconds"].values()))
        for name, (before, after, n) in run["counts"].items():
            lines.append(
                f"| {run['seed']}, {run['language']} | {name} | {before / n:.3f} | {after / n:.3f} | {n} | {seconds} |"
            )
            total = pooled.setdefault(name, [0, 0, 0])
            pooled[name] = [total[0] + before, total[1] + after, total[2] + n]
    for name, (before, after, n) in pooled.items():
        lines.append(f"| **all** | {name} | {share(before, n)} | {share(after, n)} | {n} | |")
    return lines


if __name__ == "__main__":
    main()
