"""Edge: the options of `auzolan deliberate publish` that are about a Decidim, and what they lead to."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import Commons, PublishedCopy
from auzolan.core.record.errors import UsageError
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView

if TYPE_CHECKING:
    from auzolan.cli.decidim.publishing import PublishOptions
    from auzolan.deliberate.decidim.write_back.answers import Outcome

FILES = "decidim-files"
API = "decidim-api"
_PANEL = "For a Decidim"
_ANSWERS = ("--replace-answers", "--outcome", "--state", "--record-url")
_FIT = {
    FILES: (*_ANSWERS, "--mended-importer"),
    API: (*_ANSWERS, "--yes-notify-participants", "--credentials", "--token-file", "--client-id", "--resend"),
}

ReplaceOption = Annotated[
    bool,
    typer.Option(
        "--replace-answers", help="Also answer proposals that have another official answer.", rich_help_panel=_PANEL
    ),
]
OutcomeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--outcome",
        metavar="adopted|deferred|rejected",
        help="Answer only proposals of which that became; default: all.",
        rich_help_panel=_PANEL,
    ),
]
StateOption = Annotated[
    list[str] | None,
    typer.Option(
        "--state",
        metavar="adopted=TOKEN",
        help="State for adopted, deferred or rejected ones, where the Decidim has its own.",
        rich_help_panel=_PANEL,
    ),
]
MendedOption = Annotated[
    bool,
    typer.Option(
        "--mended-importer",
        help="This Decidim's importer of results reads whole numbers; the shipped one does not.",
        rich_help_panel=_PANEL,
    ),
]
RecordUrlOption = Annotated[
    str | None,
    typer.Option(
        "--record-url",
        metavar="URL",
        help="Where the commons is published, to be linked in answers.",
        rich_help_panel=_PANEL,
    ),
]
NotifyOption = Annotated[
    bool,
    typer.Option(
        "--yes-notify-participants",
        help="With decidim-api: authors and followers may be notified of every answer.",
        rich_help_panel=_PANEL,
    ),
]
CredentialsOption = Annotated[
    Path | None,
    typer.Option(
        "--credentials",
        metavar="FILE",
        help="With decidim-api: key and secret of API credentials, a line each.",
        rich_help_panel=_PANEL,
    ),
]
TokenOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        help="With decidim-api: an access token of an administrator, alone.",
        rich_help_panel=_PANEL,
    ),
]
ResendOption = Annotated[
    bool,
    typer.Option(
        "--resend",
        help="With decidim-api: send again what may have been sent, and may so notify people twice.",
        rich_help_panel=_PANEL,
    ),
]
ClientOption = Annotated[
    str | None,
    typer.Option(
        "--client-id",
        metavar="ID",
        help="Of the OAuth application that the token is of.",
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True)
class Asked:
    """The options about a Decidim, as they were given; the fields are the options of the same names."""

    replace_answers: bool = False
    outcome: list[str] | None = None
    state: list[str] | None = None
    mended_importer: bool = False
    record_url: str | None = None
    yes_notify_participants: bool = False
    credentials: Path | None = None
    token_file: Path | None = None
    client_id: str | None = None
    resend: bool = False

    def refuse_unfit(self, to: str) -> None:
        """Refuse options that do not go with what is published.

        Raises:
            UsageError: one was given.
        """
        given = {f"--{each.name.replace('_', '-')}": getattr(self, each.name) for each in fields(self)}
        unfit = [option for option, value in given.items() if value and option not in _FIT.get(to, ())]
        if unfit:
            raise UsageError(f"{', '.join(unfit)}: not with --to {to}")

    def options(self, lang: str | None) -> PublishOptions:
        """Return what is written back.

        Raises:
            UsageError: there is no such outcome.
        """
        from auzolan.cli.decidim.publishing import PublishOptions
        from auzolan.deliberate.decidim.write_back.answers import OUTCOMES
        from auzolan.deliberate.decidim.write_back.links import record_link

        if self.record_url is not None and record_link(self.record_url) is None:
            raise UsageError("--record-url: expected a plain http or https address, without a user name or password")
        pairs = (pair.partition("=") for pair in self.state or [])
        return PublishOptions(
            locales=tuple(part.strip() for part in (lang or "").split(",") if part.strip()),
            importer="mended" if self.mended_importer else "shipped",
            replace=self.replace_answers,
            outcomes=tuple(_outcome(name, "--outcome") for name in self.outcome or OUTCOMES),
            states={_outcome(name, "--state"): token for name, _, token in pairs},
            record_url=self.record_url,
        )


def _outcome(name: str, option: str) -> Outcome:
    from auzolan.deliberate.decidim.write_back.answers import OUTCOMES

    found = next((each for each in OUTCOMES if each == name), None)
    if found is None:
        raise UsageError(f"{option}: expected one of {', '.join(OUTCOMES)}, got {name[:40]!r}")
    return found


def write_back(
    place: Commons | PublishedCopy,
    ledger: LedgerView,
    record: Record,
    to: str,
    target: str | None,
    lang: str | None,
    asked: Asked,
    as_json: bool,
) -> None:
    """Write files for a Decidim, or answer on it.

    Raises:
        UsageError: it was not said where, or this copy cannot do it.
    """
    from auzolan.cli.decidim.answering import Access, publish_answers
    from auzolan.cli.decidim.publishing import publish_files

    if target is None:
        what = "the folder that the files go into" if to == FILES else "the address of its API"
        raise UsageError(f"--to {to}: name {what}")
    options = asked.options(lang)
    if to == FILES:
        publish_files(ledger, Evidence(place.public, place.private), record, Path(target), options, as_json)
    elif isinstance(place, Commons):
        access = Access(
            asked.token_file, asked.client_id, asked.credentials, asked.yes_notify_participants, asked.resend
        )
        publish_answers(place, ledger, record, target, options, access, as_json)
    else:
        raise UsageError("answers are given from your own copy of the commons, not from a published one")
