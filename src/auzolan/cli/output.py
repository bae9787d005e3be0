"""Printing: data to stdout, talk to stderr, and nothing that can fool a terminal.

Text from records is shown with control and invisible direction characters made
visible, because whoever wrote a record must not be able to write on the screen
of whoever checks it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import IO, Annotated, Any, NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from auzolan.core.record.errors import AuzolanError
from auzolan.core.record.findings import plain

__all__ = [
    "JsonDict", "JsonOption", "handled", "hint", "out", "plain", "print_json", "print_json_list", "progress_bar",
    "short", "talk",
]  # fmt: skip

JsonDict = dict[str, Any]
P = ParamSpec("P")
R = TypeVar("R")

_BUG_EXIT = 3
# C1 controls, direction marks and other format characters; C0 controls are escaped by JSON itself.
_INVISIBLE = re.compile("[\x7f-\x9f\xad\u0600-\u0605\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


class _Console(Console):
    """A console whose reader may go away without changing what the command does or returns."""

    def on_broken_pipe(self) -> None:
        _let_go(self.file)


def _let_go(stream: IO[str]) -> None:
    """Send the rest of what goes to `stream` nowhere: whoever read it has gone."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def out() -> Console:
    """Return a console for data; made anew, so that redirected streams are seen."""
    return _Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=False)


def talk() -> Console:
    """Return a console for talk."""
    return _Console(file=sys.stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def short(digest: str) -> str:
    """Return the first 16 digits of a digest, enough to recognise it."""
    return f"{digest[:16]}…"


def print_json(value: object) -> None:
    """Print one JSON document to stdout, with invisible characters escaped as JSON allows."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    try:
        sys.stdout.write(_INVISIBLE.sub(lambda found: json.dumps(found[0])[1:-1], text) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go(sys.stdout)


def print_json_list(head: JsonDict, name: str, items: Iterable[object], tail: Callable[[], JsonDict]) -> None:
    """Print one JSON document with a list of any length, item by item, between what is known before and after it."""

    def inside(fields: JsonDict) -> str:
        return _shown_json(fields)[1:-1]

    try:
        sys.stdout.write(f"{{{inside(head)}, {json.dumps(name)}: [")
        for place, item in enumerate(items):
            sys.stdout.write((",\n" if place else "\n") + _shown_json(item))
        sys.stdout.write(f"\n], {inside(tail())}}}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go(sys.stdout)


def _shown_json(value: object) -> str:
    return _INVISIBLE.sub(lambda found: json.dumps(found[0])[1:-1], json.dumps(value, ensure_ascii=False))


def hint(message: str) -> None:
    """Say something helpful on stderr."""
    talk().print(plain(message), style="dim")


def handled(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the package's errors into one line and an exit code; a traceback never shows."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        as_json = bool(kwargs.get("as_json"))
        try:
            return command(*args, **kwargs)
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise
        except AuzolanError as error:
            _fail(str(error), error.exit_code, as_json)
        except EOFError:
            _fail("the input ended where an answer was needed; nothing was done", 2, as_json)
        except KeyboardInterrupt:
            _fail("interrupted; what was committed stays, nothing is half done", _BUG_EXIT, as_json)
        except OSError as error:
            _fail(f"{error.strerror or error}: {error.filename or 'a file'}", _BUG_EXIT, as_json)
        except Exception as error:
            if os.environ.get("AUZOLAN_DEBUG"):
                raise
            _fail(
                f"a bug in auzolan ({type(error).__name__}); nothing was lost; AUZOLAN_DEBUG=1 shows details",
                _BUG_EXIT,
                as_json,
            )

    return run


def _fail(message: str, code: int, as_json: bool) -> NoReturn:
    if as_json:
        print_json({"error": message, "exit_code": code})
    talk().print(f"auzolan: {plain(message)}", style="red")
    raise typer.Exit(code) from None


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr once the work has lasted a second; yields update(done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = talk()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=None, visible=False)

        def update(done: int, total: int) -> None:
            elapsed = bar.tasks[0].elapsed if bar.tasks else None
            bar.update(task, completed=done, total=total, visible=(elapsed or 0) > 1)

        yield update


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON to stdout.")]
