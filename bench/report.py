"""Puts the newest results below bench/results/ into docs/benchmarks.md, between its marks.

Run as `.venv/bin/python -m bench.report` after `bench/run.sh`.
"""

from __future__ import annotations

from bench.measure import RESULTS, ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
SECTIONS = {
    "merkle": "The Merkle log against pymerkle",
    "ledger": "A ledger of a million entries",
    "opinion": "Opinion groups and statistics against red-dwarf",
    "rules": "Counting rules against abcvoting and pabutools",
    "ratify": "The whole of ratifying, and its verifier",
    "decidim_import": "Importing proposals of a Decidim beside pandas",
    "sft": "Training an adapter against TRL",
    "sft_memory": "One step of a model of 2.25 billion parameters on a CPU",
    "gateway": "The gateway against a bare proxy, LiteLLM and NeMo Guardrails",
    "sft_cuda": "Training adapters on a GPU against TRL",
}
LAST = "## What measuring has changed\n"  # new sections are put before it


def main() -> None:
    """Replace each marked block for which there is a result; make the section that is not there yet."""
    page = PAGE.read_text()
    for name, title in SECTIONS.items():
        place = RESULTS / f"{name}.md"
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        if place.exists():
            if begin not in page:
                before, last, after = page.partition(LAST)
                page = f"{before}## {title}\n\n{begin}{end}\n\n{last}{after}"
            before, _, rest = page.partition(begin)
            _, _, after = rest.partition(end)
            page = f"{before}{begin}\n{place.read_text()}\n{end}{after}"
            print(f"{PAGE.name}: {name} replaced")
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
