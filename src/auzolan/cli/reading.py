"""Edge: the options that say how a source is read, shared by `import` and `stats`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auzolan.cli.ballots import Evidence
from auzolan.cli.decidim.importing import DecidimOptions
from auzolan.cli.output import progress_bar
from auzolan.cli.records import named, newest
from auzolan.core.kinds.proposals import Proposals, Shortlist
from auzolan.core.record.errors import UsageError
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView

if TYPE_CHECKING:
    from auzolan.deliberate.conversation import Conversation, Pseudonym

DECIDIM = "decidim"
DECIDIM_SURVEY = "decidim-survey"
DECIDIM_VOTES = "decidim-votes"
VOTES = ("polis", "survey", DECIDIM_SURVEY, DECIDIM_VOTES)
SOURCES = (*VOTES, DECIDIM)
_SURVEY = "How a survey is laid out"
_DECIDIM = "How a Decidim is read"

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
XidsOption = Annotated[
    Path | None,
    typer.Option("--xids", metavar="FILE", help="CSV: participant and xid, of a Polis that stands in Decidim."),
]
ShortlistOption = Annotated[
    str | None,
    typer.Option(
        "--shortlist",
        metavar="ID",
        help="What a decidim-survey asked about; default: the newest shortlist.",
        rich_help_panel=_DECIDIM,
    ),
]
WeightsOption = Annotated[
    str | None,
    typer.Option(
        "--weights",
        metavar="cards|supports",
        help="What weights of decidim-votes are; default: told from them.",
        rich_help_panel=_DECIDIM,
    ),
]
HostOption = Annotated[
    str | None,
    typer.Option("--host", metavar="NAME", help="Of the Decidim; default: as its files say.", rich_help_panel=_DECIDIM),
]
ComponentOption = Annotated[
    list[int] | None,
    typer.Option("--component", metavar="N", help="Only these components; default: all.", rich_help_panel=_DECIDIM),
]
WithoutCommentsOption = Annotated[
    bool,
    typer.Option("--without-comments", help="Leave comments unread: much faster by API.", rich_help_panel=_DECIDIM),
]
CardOption = Annotated[
    list[str] | None,
    typer.Option(
        "--card",
        metavar="LABEL=agree",
        help="What a voting card means: agree, neutral, disagree or abstain.",
        rich_help_panel=_DECIDIM,
    ),
]
TokenOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file", metavar="FILE", help="Holds the access token of an API, alone.", rich_help_panel=_DECIDIM
    ),
]
ClientOption = Annotated[
    str | None,
    typer.Option(
        "--client-id", metavar="ID", help="Of the OAuth application that the token is of.", rich_help_panel=_DECIDIM
    ),
]
DropOption = Annotated[
    bool,
    typer.Option(
        "--drop-missing",
        help="With --again: what the source has none of any more is gone here too.",
        rich_help_panel=_DECIDIM,
    ),
]
OtherWordsOption = Annotated[
    bool,
    typer.Option(
        "--other-words",
        help="Count responses though most rows have other words than the shortlist.",
        rich_help_panel=_DECIDIM,
    ),
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
    xids: Path | None = None
    shortlist: str | None = None
    weights: str | None = None
    decidim: DecidimOptions = field(default_factory=DecidimOptions)
    other_words: bool = False


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


@dataclass(frozen=True)
class Asked:
    """What people were asked about, where the source itself does not say so reliably.

    Attributes:
        shortlist: of a survey inside Decidim.
        texts: number -> words of a statement.
        translations: number -> its words in every language.
    """

    shortlist: Record | None = None
    texts: Mapping[int, str] | None = None
    translations: Mapping[int, Collection[str]] | None = None


def asked_of(ledger: LedgerView, evidence: Evidence, options: SourceOptions) -> Asked:
    """Return what people were asked about: the statements of a shortlist, or the titles of imported proposals.

    Raises:
        UsageError: the shortlist that was named is another record.
        MissingError: there is none.
        VerificationError, MalformedError: the proposals cannot be read.
    """
    if options.tool == DECIDIM_SURVEY:
        shortlist = named(ledger, options.shortlist, Shortlist.KIND)
        listed = Shortlist.from_record(shortlist).statements
        words = {each.id: tuple(each.text.values()) for each in listed}
        return Asked(shortlist, {number: each[0] for number, each in words.items()}, words)
    if options.tool == DECIDIM_VOTES and list(ledger.index.rows(Proposals.KIND)):
        from auzolan.cli.decidim.store import read_proposals
        from auzolan.deliberate.shortlist.candidates import in_language, is_candidate

        proposals = read_proposals(evidence, newest(ledger, Proposals.KIND))
        return Asked(None, {each.key.id: in_language(each.title, "") for each in proposals if is_candidate(each)})
    return Asked()


def read_source(path: Path, options: SourceOptions, pseudonym: Pseudonym, asked: Asked | None = None) -> Conversation:
    """Read votes, with a progress bar.

    Args:
        path: of a folder, zip or file.
        options: as the user gave them.
        pseudonym: of a participant.
        asked: what people were asked about, None to take it from the source.

    Raises:
        UsageError: an option does not fit.
        MalformedError, VerificationError, NotCheckedError: as the readers say.
    """
    refuse_options_of_another(options)
    if options.tool not in VOTES:
        raise UsageError(f"--from {options.tool}: expected votes, from one of {', '.join(VOTES)}")
    with progress_bar("reading") as bar:

        def progress(_member: str, rows: int) -> None:
            bar(rows, rows)

        conversation = _READERS[options.tool](path, options, pseudonym, progress, asked or Asked())
        return _with_strata(conversation, options.strata, pseudonym) if options.strata else conversation


_Progress = Callable[[str, int], None]


def _read_polis(
    path: Path, options: SourceOptions, pseudonym: Pseudonym, progress: _Progress, _asked: Asked
) -> Conversation:
    from auzolan.deliberate.sources.polis import read_polis
    from auzolan.deliberate.sources.xids import by_xid, read_xids

    if options.xids is None:
        return read_polis(path, pseudonym, options.agree_is, progress)
    known = by_xid(pseudonym, read_xids(options.xids))
    return known.join(read_polis(path, known, options.agree_is, progress))


def _read_survey(
    path: Path, options: SourceOptions, pseudonym: Pseudonym, progress: _Progress, _asked: Asked
) -> Conversation:
    from auzolan.deliberate.sources.survey import read_survey

    return read_survey(
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


def _read_decidim_survey(
    path: Path, options: SourceOptions, pseudonym: Pseudonym, progress: _Progress, asked: Asked
) -> Conversation:
    from auzolan.deliberate.sources.decidim_survey import read_decidim_survey

    return read_decidim_survey(
        path, pseudonym, asked.texts, translations=asked.translations, words=options.words, progress=progress
    )


def _read_decidim_votes(
    path: Path, options: SourceOptions, pseudonym: Pseudonym, progress: _Progress, asked: Asked
) -> Conversation:
    from auzolan.deliberate.sources.rest_full import read_vote_proposals

    return read_vote_proposals(path, pseudonym, asked.texts, with_cards=_WEIGHTS[options.weights], progress=progress)


_READERS = {
    "polis": _read_polis,
    "survey": _read_survey,
    DECIDIM_SURVEY: _read_decidim_survey,
    DECIDIM_VOTES: _read_decidim_votes,
}
_WEIGHTS: dict[str | None, bool | None] = {None: None, "cards": True, "supports": False}


def _delimiter(given: str | None) -> str:
    return "," if given is None else "\t" if given == "tab" else given


def refuse_options_of_another(options: SourceOptions) -> None:
    """Refuse options that the reader of this source would not look at.

    Raises:
        UsageError: one was given, or the source is not known.
    """
    tool = options.tool
    if tool not in SOURCES:
        raise UsageError(f"--from must be one of {', '.join(SOURCES)}, got {tool[:40]!r}")
    if options.weights is not None and options.weights not in _WEIGHTS:
        raise UsageError(f"--weights: expected cards or supports, got {options.weights[:40]!r}")
    if tool == "survey" and options.agree_is is not None:
        raise UsageError("--agree-is is for Polis exports; what words or numbers mean in a survey, --agree tells")
    words, decidim = set((options.words or {}).values()), options.decidim
    surveys, layout = ("survey", DECIDIM_SURVEY), ("survey",)
    given: dict[str, tuple[bool, tuple[str, ...]]] = {
        "--agree-is": (options.agree_is is not None, ("polis",)),
        "--xids": (options.xids is not None, ("polis",)),
        "--strata": (options.strata is not None, VOTES),
        "--id": (options.id_column is not None, layout),
        "--statement": (bool(options.statements), layout),
        "--stratum": (bool(options.stratum_columns), layout),
        "--skip": (bool(options.skip_columns), layout),
        "--delimiter": (options.delimiter is not None, layout),
        "--agree": (1 in words, surveys),
        "--disagree": (-1 in words, surveys),
        "--pass": (0 in words, surveys),
        "--shortlist": (options.shortlist is not None, (DECIDIM_SURVEY,)),
        "--weights": (options.weights is not None, (DECIDIM_VOTES,)),
        "--host": (decidim.host is not None, (DECIDIM,)),
        "--component": (bool(decidim.components), (DECIDIM,)),
        "--without-comments": (not decidim.with_comments, (DECIDIM,)),
        "--card": (bool(decidim.cards), (DECIDIM,)),
        "--token-file": (decidim.token_file is not None, (DECIDIM,)),
        "--other-words": (options.other_words, (DECIDIM_SURVEY,)),
        "--drop-missing": (decidim.drop_missing, (DECIDIM,)),
        "--client-id": (decidim.client_id is not None, (DECIDIM,)),
    }
    unfit = {option: tools for option, (is_given, tools) in given.items() if is_given and tool not in tools}
    if unfit:
        fit = " or ".join(dict.fromkeys(f"--from {each}" for tools in unfit.values() for each in tools))
        raise UsageError(f"{', '.join(unfit)}: for {fit} only, and this is read as {tool}")


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
