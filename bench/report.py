"""Puts the newest results below bench/results/ into docs/benchmarks.md, between its marks.

Run as `.venv/bin/python -m bench.report` after `bench/run.sh`.
"""

from __future__ import annotations

from bench.measure import RESULTS, ROOT

PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> None:
    """Replace each marked block for which there is a result."""
    page = PAGE.read_text()
    for name in ("merkle", "ledger"):
        place = RESULTS / f"{name}.md"
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        if place.exists():
            before, _, rest = page.partition(begin)
            _, _, after = rest.partition(end)
            page = f"{before}{begin}\n{place.read_text()}\n{end}{after}"
            print(f"{PAGE.name}: {name} replaced")
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
