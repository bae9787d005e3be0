"""`auzolan deliberate import`: proposals, or votes, become a signed record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auzolan.cli import reading
from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import Commons, find_commons
from auzolan.cli.counting import refuse_name_in_use, take_snapshot
from auzolan.cli.decidim.importing import DecidimOptions, import_decidim, is_address
from auzolan.cli.govern import CommonsOption, KeyOption, choose_key, propose_within
from auzolan.cli.output import JsonOption, handled, hint
from auzolan.cli.shelf import Shelf
from auzolan.core.kinds.deliberate import Snapshot
from auzolan.core.record.errors import MalformedError, UsageError, VerificationError
from auzolan.core.record.record import Record

if TYPE_CHECKING:
    from auzolan.deliberate.conversation import Conversation

_NAME_ADVICE = (
    "add --again if this is a later export of the same one, else give it another --name: "
    "its participants would be taken for the same people"
)


_NameOption = Annotated[
    str | None,
    typer.Option("--name", help="What this commons calls it; default: the name of the folder, file or host."),
]
_AgainOption = Annotated[bool, typer.Option("--again", help="It is a later export of what has that name.")]
_LicenceOption = Annotated[
    str | None,
    typer.Option("--licence", help="Of the data, such as 'CC BY 4.0'; default: as Decidim says, or 'not stated'."),
]
_IdentityOption = Annotated[
    str | None,
    typer.Option("--identity", help="Of votes: how participants were told apart: 'none', 'e-mail', 'census' ..."),
]

_OF_DECIDIM = (b"participatory_space/id", b"commentable_type", b"IP Hash", b"open-data-", b'"participatory_space"')


@handled
def import_(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A folder, a zip or a file; of Decidim also https://HOST/api.")
    ],
    tool: reading.FromOption = "polis",
    name: _NameOption = None,
    again: _AgainOption = False,
    licence: _LicenceOption = None,
    identity: _IdentityOption = None,
    agree_is: reading.SignOption = None,
    xids: reading.XidsOption = None,
    strata: reading.StrataOption = None,
    id_column: reading.IdOption = None,
    statement: reading.StatementOption = None,
    stratum: reading.StratumOption = None,
    skip: reading.SkipOption = None,
    delimiter: reading.DelimiterOption = None,
    agree: reading.AgreeOption = None,
    disagree: reading.DisagreeOption = None,
    passed: reading.PassOption = None,
    shortlist: reading.ShortlistOption = None,
    weights: reading.WeightsOption = None,
    host: reading.HostOption = None,
    component: reading.ComponentOption = None,
    without_comments: reading.WithoutCommentsOption = False,
    card: reading.CardOption = None,
    token_file: reading.TokenOption = None,
    client_id: reading.ClientOption = None,
    drop_missing: reading.DropOption = False,
    other_words: reading.OtherWordsOption = False,
    key: KeyOption = None,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read proposals or votes and propose a signed record of them. Names and e-mails stay in the source.

    --from decidim reads what people proposed and discussed: counts, no ballots. The others read votes.
    """
    place = find_commons(commons)
    listed = tuple(component or ()), not without_comments, tuple(card or ())
    decidim = DecidimOptions(host, *listed, token_file, client_id, drop_missing)
    words = reading.words_of(agree, disagree, passed)
    options = reading.SourceOptions(
        tool, agree_is, strata, id_column, statement or [], stratum or [], delimiter, words, skip or [], xids,
        shortlist, weights, decidim, other_words,
    )  # fmt: skip
    reading.refuse_options_of_another(options)
    name = name or _usual_name(source)
    if tool == reading.DECIDIM:
        if identity is not None:
            raise UsageError("--identity is about votes; proposals with counts have no participants to tell apart")
        import_decidim(
            place, source, options.decidim, name=name, again=again, licence=licence or "", key=key, as_json=as_json
        )
        return
    _import_votes(place, Path(source), options, name, again, licence, identity, key, as_json)


def _usual_name(source: str) -> str:
    if is_address(source):
        return source.split("/")[2] or source
    path = Path(source)
    return path.resolve().name if path.is_dir() else path.resolve().stem


def _import_votes(
    place: Commons,
    path: Path,
    options: reading.SourceOptions,
    name: str,
    again: bool,
    licence: str | None,
    identity: str | None,
    key: str | None,
    as_json: bool,
) -> None:
    from auzolan.deliberate.pseudonyms import pseudonyms

    with place.writing() as ledger:
        choose_key(key, ledger)
        if not again:
            refuse_name_in_use(ledger, name, _NAME_ADVICE)
        asked = reading.asked_of(ledger, Evidence(place.public, place.private), options)
        secret = Shelf(place, ledger).make_pseudonym_key()
    try:
        conversation = reading.read_source(path, options, pseudonyms(secret, name), asked)
    except (UsageError, MalformedError) as error:
        if options.tool == "polis" and _looks_like_decidim(path):
            raise UsageError(
                f"{error}; this looks like files of a Decidim, which --from decidim reads, and responses to a survey "
                "--from decidim-survey"
            ) from None
        raise
    if asked.shortlist is not None and not options.other_words:
        _refuse_other_words(conversation)
    with place.writing() as ledger:
        shelf = Shelf(place, ledger)
        if not again:
            refuse_name_in_use(ledger, name, _NAME_ADVICE)  # somebody else may have imported it in the meantime
        shelf.sweep()
        shortlist = asked.shortlist.id if asked.shortlist else None
        said = licence or "not stated", identity or "not stated"
        record, _ = take_snapshot(shelf, conversation, name, *said, shortlist)
        _say_what_was_read(record, conversation, as_json)
        propose_within(place, ledger, [record], [choose_key(key, ledger)], as_json, commit_at_once=True)
        shelf.mark_proposed(record.private_blobs.values())


def _looks_like_decidim(path: Path) -> bool:
    """Whether files look like those of a Decidim, for whoever forgot to say so."""
    if path.is_dir():
        return any("open-data-" in each.name for each in path.iterdir())
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        head = stream.read(2_000)
    return "open-data" in path.name or any(mark in head for mark in _OF_DECIDIM)


def _refuse_other_words(conversation: Conversation) -> None:
    """Refuse responses of which most rows have other words than the statements that they are counted for.

    Raises:
        VerificationError: so it is.
    """
    from auzolan.deliberate.sources.decidim_survey import OTHER_WORDS

    others = sum(each.others for each in conversation.cleaning if each.rule == OTHER_WORDS)
    if 2 * others > len(conversation.statements):
        raise VerificationError(
            f"{others:,} rows have other words than the {len(conversation.statements):,} statements of the shortlist: "
            "this looks like another survey, or the draft; --other-words counts them by their numbers all the same"
        )


def _say_what_was_read(record: Record, conversation: Conversation, as_json: bool) -> None:
    snapshot = Snapshot.from_record(record)
    if as_json:
        return
    counts = snapshot.counts
    agree, disagree, passed = conversation.table.totals().sum(axis=0).tolist()
    line = (
        f"read {counts['participants']:,} participants, {counts['statements']:,} statements, "
        f"{counts['votes']:,} votes ({agree:,} agree, {disagree:,} disagree, {passed:,} pass)"
    )
    hint(line)
    hint(f"agree: {snapshot.sign_evidence}")
    for rule in snapshot.cleaning:
        if rule.votes or rule.others:
            hint(f"cleaned: {rule.rule}: {rule.votes:,} votes removed" + (f", {rule.others:,}" if rule.others else ""))
    kept = {
        "public": "the ballots will be published",
        "auditors": "the ballots stay in private/; auditors get them with `auzolan deliberate hand-over`",
        "private": "the ballots stay in private/",
    }
    hint(kept[snapshot.privacy])
    hint("next: `auzolan deliberate tally` finds opinion groups and counts")
