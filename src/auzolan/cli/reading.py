"""Edge: the options that say how a source is read, shared by `import` and `stats`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auzolan.cli.output import progress_bar
from auzolan.core.record.errors import UsageError

if TYPE_CHECKING:
    from auzolan.deliberate.conversation import Conversation, Pseudonym

SOURCES = ("polis", "survey")
_SURVEY = "How a survey is laid out"

FromOption = Annotated[str, typer.Option("--from", metavar="|".join(SOURCES), help="What exported it.")]
SignOption = Annotated[
    int | None,
    typer.Option("--agree-is", metavar="1|-1", help="How a Polis export writes agree; default: told from it."),
]
StrataOption = Annotated[
    Path | None,
    typer.Option("--strata", metavar="FILE", help="CSV: a participant per row, a column per stratum (district, ...)."),
]
IdOption = Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="Who it is.", rich_help_panel=_SURVEY)]
StatementOption = Annotated[
    list[str] | None,
    typer.Option("--statement", metavar="COLUMN", help="A statement; default: all others.", rich_help_panel=_SURVEY),
]
StratumOption = Annotated[
    list[str] | None,
    typer.Option("--stratum", metavar="COLUMN", help="A stratum, such as district.", rich_help_panel=_SURVEY),
]
SkipOption = Annotated[
    list[str] | None, typer.Option("--skip", metavar="COLUMN", help="Left out.", rich_help_panel=_SURVEY)
]
DelimiterOption = Annotated[
    str | None,
    typer.Option("--delimiter", metavar=",|;|tab", help="Between cells; default: a comma.", rich_help_panel=_SURVEY),
]
AgreeOption = Annotated[
    list[str] | None,
    typer.Option("--agree", metavar="WORD", help="Means agree, beside the known words.", rich_help_panel=_SURVEY),
]
DisagreeOption = Annotated[
    list[str] | None,
    typer.Option("--disagree", metavar="WORD", help="Means disagree, beside the known words.", rich_help_panel=_SURVEY),
]
PassOption = Annotated[
    list[str] | None,
    typer.Option("--pass", metavar="WORD", help="Means pass, beside the known words.", rich_help_panel=_SURVEY),
]


@dataclass(frozen=True)
class SourceOptions:
    """How to read a source; the fields are the options of the same names."""

    tool: str = "polis"
    agree_is: int | None = None
    strata: Path | None = None
    id_column: str | None = None
    statements: list[str] = field(default_factory=list)
    stratum_columns: list[str] = field(default_factory=list)
    delimiter: str | None = None
    words: dict[str, int] | None = None
    skip_columns: list[str] = field(default_factory=list)


def words_of(agree: list[str] | None, disagree: list[str] | None, passed: list[str] | None) -> dict[str, int] | None:
    """Return what words mean, or None when none was given.

    Raises:
        UsageError: a word is given two meanings.
    """
    words: dict[str, int] = {}
    for listed, vote in ((agree, 1), (disagree, -1), (passed, 0)):
        for word in listed or []:
            if words.setdefault(word, vote) != vote:
                raise UsageError(f"the word {word[:40]!r} is given two meanings")
    return words or None


def read_source(path: Path, options: SourceOptions, pseudonym: Pseudonym) -> Conversation:
    """Read a source, with a progress bar.

    Raises:
        UsageError: an option does not fit.
        MalformedError, VerificationError, NotCheckedError: as the readers say.
    """
    from auzolan.deliberate.sources.polis import read_polis
    from auzolan.deliberate.sources.survey import read_survey

    if options.tool not in SOURCES:
        raise UsageError(f"--from must be one of {', '.join(SOURCES)}, got {options.tool[:40]!r}")
    _refuse_options_of_another(options)
    with progress_bar("reading") as bar:

        def progress(_member: str, rows: int) -> None:
            bar(rows, rows)

        if options.tool == "survey":
            conversation = read_survey(
                path,
                pseudonym,
                words=options.words,
                id_column=options.id_column,
                statement_columns=options.statements or None,
                strata_columns=options.stratum_columns,
                skip_columns=options.skip_columns,
                delimiter=_delimiter(options.delimiter),
                progress=progress,
            )
        else:
            conversation = read_polis(path, pseudonym, options.agree_is, progress)
        return _with_strata(conversation, options.strata, pseudonym) if options.strata else conversation


def _delimiter(given: str | None) -> str:
    return "," if given is None else "\t" if given == "tab" else given


def _refuse_options_of_another(options: SourceOptions) -> None:
    """Refuse options that the reader of this source would not look at.

    Raises:
        UsageError: one was given.
    """
    if options.tool == "survey":
        if options.agree_is is not None:
            raise UsageError("--agree-is is for Polis exports; what words or numbers mean in a survey, --agree tells")
        return
    words = set((options.words or {}).values())
    given = {
        "--id": options.id_column is not None,
        "--statement": options.statements,
        "--stratum": options.stratum_columns,
        "--skip": options.skip_columns,
        "--delimiter": options.delimiter is not None,
        "--agree": 1 in words,
        "--disagree": -1 in words,
        "--pass": 0 in words,
    }
    if unfit := [option for option, is_given in given.items() if is_given]:
        raise UsageError(f"{', '.join(unfit)}: for surveys only (--from survey), and this is read as {options.tool}")


def _with_strata(conversation: Conversation, table: Path, pseudonym: Pseudonym) -> Conversation:
    """Add the strata that a table declares.

    Raises:
        UsageError: a stratum that the survey has too.
    """
    from dataclasses import replace

    from auzolan.deliberate.conversation import Cleaning
    from auzolan.deliberate.sources.strata import read_strata

    declared = read_strata(table, pseudonym, conversation.table.participants)
    if double := sorted(set(declared.strata) & set(conversation.strata)):
        raise UsageError(f"--strata: {double[0][:40]!r} is a stratum of the survey already")
    passed_over = Cleaning("people in the table of strata who did not vote", others=declared.unmatched)
    return replace(
        conversation,
        strata={**conversation.strata, **declared.strata},
        cleaning=(*conversation.cleaning, passed_over),
    )
