"""Edge: `auzolan run doctor`: the start checklist on the terminal."""

from __future__ import annotations

from collections.abc import Callable

import typer
from rich.table import Table
from rich.text import Text

from auzolan.cli.commons import find_ledger
from auzolan.cli.output import out, plain, print_json
from auzolan.cli.run.checklist import AGAINST, OK, WARNING, Choices, check_all
from auzolan.cli.run.declared import Declared
from auzolan.core.record.errors import VerificationError

_MARKS = {OK: ("✓", "green"), WARNING: ("!", "yellow"), AGAINST: ("✗", "bold red")}


def show(service: str | None, choices: Callable[[Declared], Choices], commons: str | None, as_json: bool) -> None:
    """Print the checklist; exit code 1 if something stands against serving."""
    lines = list(check_all(find_ledger(commons), service, choices))
    against = [line for line in lines if line.state == AGAINST]
    if as_json:
        print_json({"ready": not against, "checks": [line._asdict() for line in lines]})
        if against:
            raise typer.Exit(VerificationError.exit_code)
        return
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for line in lines:
        mark, style = _MARKS[line.state]
        table.add_row(Text(mark, style=style), Text(line.name), Text(plain(line.said)))
    out().print(table)
    n_warnings = sum(line.state == WARNING for line in lines)
    if against:
        raise typer.Exit(_verdict(f"not ready: {len(against)} against it", "bold red"))
    _verdict(f"ready{f', {n_warnings} to know of' if n_warnings else ''}", "bold green" if not n_warnings else "yellow")


def _verdict(text: str, style: str) -> int:
    out().print(text, style=style)
    return VerificationError.exit_code
