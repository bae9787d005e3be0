"""What the default rules of ratifying let through in published conversations, at three strengths of the group rule.

    .venv/bin/python -m bench.yield_of_rules [FOLDER]

FOLDER holds Polis exports, one folder each; default: ../shared/data/polis, read if it is beside this clone.
Prints the table of docs/ratify.md. Nothing is timed; the figures are the same on every machine.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from statistics import median

from auzolan.core.rules.core_certificate import CoreCertificate
from auzolan.deliberate.conversation import Conversation
from auzolan.deliberate.grouping import group_opinions
from auzolan.deliberate.ratify.eligibility import Standing, opinion_groups
from auzolan.deliberate.ratify.parameters import GROUP_RULES, Parameters
from auzolan.deliberate.ratify.selection import Selected, select
from auzolan.deliberate.sources.polis import read_polis

SEATS = 7
_COLUMNS = (
    "conversation", "people", "statements", "rule", "eligible", "contested", "articles", "to vote", "heard", "EJR+",
    "core", "block", "admit",
)  # fmt: skip
_HEADER = (f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|")


def rows(folder: Path) -> list[str]:
    """Return the table's rows for one conversation."""
    conversation = read_polis(folder, lambda participant: participant)
    table, aside = conversation.table, conversation.left_out_of_statistics
    found = group_opinions(table, aside)
    groups = opinion_groups(table, found.labels, found.sizes)
    return [
        _row(folder.name, conversation, rule, select(table, groups, aside, [], Parameters(SEATS, group_rule=rule)))
        for rule in GROUP_RULES
    ]


def _row(name: str, conversation: Conversation, rule: str, found: Selected) -> str:
    standings = [each.standing for each in found.judged.values()]
    block = [each.block_margin for each in found.judged.values() if each.block_margin]
    admit = [
        each.admit_margin
        for each in found.judged.values()
        if each.admit_margin and each.standing in (Standing.CONTESTED, Standing.UNSUPPORTED)
    ]
    ratio = "–" if found.proportional is None else f"{float(found.proportional.ratio):.2f}"
    core = "–" if found.core is None else "none found"
    if isinstance(found.core, CoreCertificate):
        core = f"{float(found.core.margin):.2f}"
    cells = (
        re.sub(r"\.\d{4}-\d\d-\d\d$", "", name),
        f"{len(conversation.table.participants):,}",
        f"{len(found.judged) - standings.count(Standing.MODERATED_OUT):,}",
        rule,
        f"{len(found.candidates):,}",
        f"{standings.count(Standing.CONTESTED):,}",
        f"{len(found.elected)}",
        f"{len(found.put_to_vote)}",
        f"{len(found.clauses)}",
        ratio,
        core,
        f"{median(block):.0f}" if block else "–",
        f"{median(admit):.0f}" if admit else "–",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared" / "data" / "polis"
    folders = sorted(each for each in place.iterdir() if (each / "participants-votes.csv").exists())
    print("\n".join([*_HEADER, *(row for folder in folders for row in rows(folder))]))


if __name__ == "__main__":
    main()
