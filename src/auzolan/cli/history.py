"""`auzolan log` and `auzolan show`: the history of a commons, readable."""

from __future__ import annotations

from typing import Annotated

import typer
from rich import box
from rich.table import Table

from auzolan.cli.commons import find_ledger
from auzolan.cli.govern import LedgerOption
from auzolan.cli.output import JsonOption, handled, hint, out, print_json, short
from auzolan.cli.propose import resolve
from auzolan.cli.words import explain, headline, said_date
from auzolan.core.record.errors import MissingError


@handled
def log(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many of the newest to show.")] = 50,
    kind: Annotated[str | None, typer.Option("--kind", help="Only this kind of record.")] = None,
    commons: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was committed, the newest last. Dates are those that the signers state."""
    with find_ledger(commons).reading() as ledger:
        size = ledger.head.size
        if ledger.checkpoint is None:
            raise MissingError("nothing is committed yet (or the checkpoint is lost: then restore it from a copy)")
        rows = list(ledger.index.rows(kind, 0 if kind else max(size - limit, 0)))[-limit:]
        records = [(row, ledger.envelope(row).claimed) for row in rows]
    if as_json:
        print_json(
            [
                {
                    "entry": row.position,
                    "id": row.id,
                    "kind": row.kind,
                    "headline": headline(record),
                    "dated": said_date(record),
                    "signers": list(row.signers),
                }
                for row, record in records
            ]
        )
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    for name, justify in (
        ("entry", "right"),
        ("id", "left"),
        ("kind", "left"),
        ("what", "left"),
        ("signed by", "left"),
    ):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row, record in records:
        date = said_date(record)
        what = headline(record) + (f" ({date})" if date else "")
        table.add_row(str(row.position), row.id[:8], row.kind, what, ", ".join(row.signers))
    out().print(table)
    if len(records) < size and not kind:
        hint(f"{size - len(records):,} older records are not shown; --limit shows more")


@handled
def show(
    record_id: Annotated[str, typer.Argument(metavar="ID", help="A record, or 8 or more of its first digits.")],
    commons: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one record in full."""
    with find_ledger(commons).reading() as ledger:
        row = ledger.find(resolve(ledger, record_id))
        record, sources = ledger.envelope(row).claimed, ledger.index.sources(row.id)
    if as_json:
        print_json({"id": row.id, "entry": row.position, "signers": list(row.signers), "record": record.as_json()})
        return
    out().print(f"record {row.id}, entry {row.position}, signed by {', '.join(row.signers)}", soft_wrap=True)
    for line in explain(record, None):
        out().print(line, soft_wrap=True)
    for source, name in sources:
        out().print(f"  named by {short(source)} as {name}", soft_wrap=True)
