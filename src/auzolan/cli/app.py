"""The `auzolan` command: the story in seven stages, and what of it is built."""

from __future__ import annotations

import io
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import auzolan
from auzolan.cli import deliberate, forgetting, govern, history, keys, mending, oversee, propose, tracing
from auzolan.cli.commons import use_passphrase_descriptor
from auzolan.cli.run import command as run
from auzolan.cli.teach import command as teach

STORY = """Democratic governance for local AI: from votes to answers, and back.


1 deliberate  proposals and votes become a signed constitution
2 teach       the constitution becomes a small adapter for an open model
3 share       communities publish adapters and build on each other
4 run         the model answers locally, under the community's rules
5 oversee     anyone checks any of it, from answer to vote and back
6 govern      who may say what, and how many must agree
7 plan        what it takes, and what it costs

This version has the spine under all seven (signed records in a log that anyone can check), \
and stages 1, 2 and 4.
"""

DELIBERATE = "1 deliberate: from votes to a constitution"
TEACH = "2 teach: from a constitution to a model"
RUN = "4 run: from a model to answers"
GOVERN = "6 govern: make a commons, say something together"
OVERSEE = "5 oversee: check it yourself"
_HELP = {"help_option_names": ["-h", "--help"]}

ORDER = ("deliberate", "teach", "run", "key", "init", "propose", "sign", "commit", "pending", "forget")


class _InOrderOfUse(TyperGroup):
    """Lists commands as a newcomer meets them."""

    def list_commands(self, ctx: Any) -> list[str]:
        names = super().list_commands(ctx)
        return sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


app = typer.Typer(
    cls=_InOrderOfUse,
    help=STORY,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings=_HELP,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"auzolan {auzolan.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    passphrase_fd: Annotated[
        int | None, typer.Option("--passphrase-fd", metavar="N", help="Read the passphrase from file descriptor N.")
    ] = None,
    version: Annotated[  # noqa: ARG001  # typer calls it through its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    use_passphrase_descriptor(passphrase_fd)


app.add_typer(deliberate.app, name="deliberate", rich_help_panel=DELIBERATE)
app.add_typer(teach.app, name="teach", rich_help_panel=TEACH)
app.add_typer(run.app, name="run", rich_help_panel=RUN)
app.add_typer(keys.app, name="key", rich_help_panel=GOVERN)
app.command("init", rich_help_panel=GOVERN)(govern.init)
app.add_typer(propose.app, name="propose", rich_help_panel=GOVERN)
app.command("sign", rich_help_panel=GOVERN)(govern.sign)
app.command("commit", rich_help_panel=GOVERN)(govern.commit)
app.command("pending", rich_help_panel=GOVERN)(govern.pending)
app.command("forget", rich_help_panel=GOVERN)(forgetting.forget)
app.command("verify", rich_help_panel=OVERSEE)(oversee.verify)
app.command("trace", rich_help_panel=OVERSEE)(tracing.trace)
app.command("log", rich_help_panel=OVERSEE)(history.log)
app.command("show", rich_help_panel=OVERSEE)(history.show)
app.command("prove", rich_help_panel=OVERSEE)(oversee.prove)
app.command("cosign", rich_help_panel=OVERSEE)(oversee.cosign)
app.command("fsck", rich_help_panel=OVERSEE)(mending.fsck)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Where the terminal knows fewer letters than a record has, show an escape rather than fail.
            stream.reconfigure(errors="backslashreplace")
    app()
