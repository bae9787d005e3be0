"""Edge: `auzolan deliberate import --from decidim`: proposals, comments, debates and results become a signed record."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import Commons
from auzolan.cli.counting import today
from auzolan.cli.decidim.store import named_import, read_proposals
from auzolan.cli.govern import choose_key, propose_within, settle
from auzolan.cli.output import JsonDict, hint, print_json, progress_bar, short
from auzolan.cli.shelf import Shelf, pending_envelopes
from auzolan.core.kinds.proposals import Proposals
from auzolan.core.lm.apikey import key_from_file
from auzolan.core.record.disk import DiskFiles
from auzolan.core.record.errors import UsageError
from auzolan.core.record.ledger import Ledger
from auzolan.core.record.record import Record
from auzolan.core.record.tombstone import tombstone
from auzolan.deliberate.decidim.entities import About, Entity, EntityClass

if TYPE_CHECKING:
    from auzolan.deliberate.decidim.cards import Meaning
    from auzolan.deliberate.decidim.gather import Gathered, Gathering

TOOL = "decidim"
_PUBLIC: tuple[tuple[EntityClass, str], ...] = (
    ("proposal", Proposals.PROPOSALS),
    ("debate", Proposals.DEBATES),
    ("result", Proposals.RESULTS),
)


@dataclass(frozen=True)
class DecidimOptions:
    """How a Decidim is read; the fields are the options of the same names."""

    host: str | None = None
    components: tuple[int, ...] = ()
    with_comments: bool = True
    cards: tuple[str, ...] = ()
    token_file: Path | None = None
    client_id: str | None = None
    drop_missing: bool = False


class _Reading(Protocol):
    """A reader of a Decidim."""

    def __iter__(self) -> Iterator[Entity]:
        """Yield what the Decidim holds."""
        ...

    def about(self) -> About:
        """Return what is known of the source when all was read."""
        ...


def import_decidim(
    place: Commons,
    source: str,
    options: DecidimOptions,
    *,
    name: str,
    again: bool,
    licence: str,
    key: str | None,
    as_json: bool,
) -> None:
    """Read a Decidim and propose the signed record of what it held; nothing is kept before all is read.

    Args:
        place: the commons.
        source: the address of an API, or the path of a zip, folder or file.
        options: how it is read.
        name: what the commons calls it.
        again: whether it is read anew, under a name that it has already.
        licence: as the importer states it, "" to take what the source says.
        key: name of the key to sign with.
        as_json: print JSON instead of words.

    Raises:
        UsageError: the name is taken, or an option does not fit.
        MalformedError, VerificationError, NotCheckedError: as the readers say.
    """
    from auzolan.deliberate.decidim.gather import Gathering
    from auzolan.deliberate.pseudonyms import pseudonyms

    with place.writing() as ledger:
        settle(ledger)
        choose_key(key, ledger)
        earlier = _earlier(ledger, name, again)
        secret = Shelf(place, ledger).make_pseudonym_key()
    with Gathering() as gathering:
        with progress_bar("reading") as bar:
            reading = _open_reading(place, source, options, pseudonyms(secret, name), name, bar)
            gathering.add(reading)
        about = reading.about()
        if earlier is not None:
            gathering.compare(read_proposals(Evidence(place.public, place.private), earlier))
            if Proposals.from_record(earlier).source["host"] != about.host:
                raise UsageError(
                    f"--again: {name[:60]!r} was of {Proposals.from_record(earlier).source['host']}, and this is of "
                    f"{about.host or 'an unknown host'}; give it another --name, or say --host"
                )
        gathered = gathering.finish()
        _refuse_missing(earlier, gathered, options)
        if not any(gathered.counts.values()):
            raise UsageError(f"{source[:200]} holds no proposals, comments, debates or results")
        record, is_committed = _commit(place, gathering, gathered, about, name, licence, earlier, key, as_json)
    _print(record, about, as_json, is_committed)


def _commit(
    place: Commons,
    gathering: Gathering,
    gathered: Gathered,
    about: About,
    name: str,
    licence: str,
    earlier: Record | None,
    key: str | None,
    as_json: bool,
) -> tuple[Record, bool]:
    """Keep and sign what was gathered; return the record, and whether it is committed."""
    with place.writing() as ledger:
        if earlier != _earlier(ledger, name, earlier is not None):
            raise UsageError(f"somebody else imported {name[:60]!r} in the meantime; import it again")
        shelf = Shelf(place, ledger)
        _discard_pending(place, ledger, name)
        shelf.sweep()
        record = _keep(shelf, gathering, gathered, about, name, licence, earlier)
        records = [record, *_forget_comments(ledger, earlier)]
        signing = choose_key(key, ledger)
        propose_within(place, ledger, records, [signing], as_json, commit_at_once=True, quiet=as_json)
        shelf.mark_proposed(record.private_blobs.values())
        return record, ledger.index.find(record.id) is not None


def _open_reading(
    place: Commons,
    source: str,
    options: DecidimOptions,
    pseudonym: Callable[[str], str],
    name: str,
    bar: Callable[[int, int], None],
) -> _Reading:
    """Return the reader of a source: of an API by its address, of JSON by its name, else of open data."""
    from auzolan.deliberate.decidim.admin_json import AdminJson
    from auzolan.deliberate.decidim.cards import meanings_of
    from auzolan.deliberate.decidim.open_data import OpenData

    cards = meanings_of(options.cards)
    if is_address(source):
        return _open_live(place, source, options, pseudonym, name, cards, bar)
    if options.components or options.token_file or options.client_id or not options.with_comments:
        raise UsageError(
            "--component, --token-file, --client-id and --without-comments are for the address of an API, such as "
            "https://decidim.example.org/api"
        )

    def progress(_member: str, rows: int) -> None:
        bar(rows, rows)

    reader = AdminJson if source.lower().endswith(".json") else OpenData
    return reader(source, pseudonym, host=options.host, cards=cards, progress=progress)


def is_address(source: str) -> bool:
    """Whether a source is an address on the web and no path."""
    return source.lower().startswith(("https://", "http://"))


def _check_path(source: str) -> None:
    """Refuse the address of a page or a file, which is no API.

    Raises:
        UsageError: it is one.
    """
    path = source.partition("://")[2].partition("/")[2].strip("/")
    if path and not path.endswith("api"):
        raise UsageError(
            f"expected the address of a Decidim's API, https://HOST/api, got one of /{path[:80]}; files are downloaded "
            "first and imported from here"
        )


def _open_live(
    place: Commons,
    source: str,
    options: DecidimOptions,
    pseudonym: Callable[[str], str],
    name: str,
    cards: Mapping[str, Meaning],
    bar: Callable[[int, int], None],
) -> _Reading:
    """Return the reader of a live Decidim; what it got is kept in `private/fetched`, so that it can go on."""
    from auzolan.deliberate.decidim.api.live import LiveDecidim

    _check_path(source)

    def progress(found: Mapping[str, int]) -> None:
        total = sum(found.values())
        bar(total, total)

    return LiveDecidim(
        source,
        pseudonym,
        fetched(place, name),
        time.monotonic,
        time.sleep,
        random.SystemRandom().random,
        started_on=today(),
        components=options.components or None,
        with_comments=options.with_comments,
        headers=headers_of(options.token_file, options.client_id),
        host=options.host,
        cards=cards,
        progress=progress,
    )


def fetched(place: Commons, name: str) -> DiskFiles:
    """Return where answers of an API are kept until all of it is read or written; one folder for each name."""
    folder = sha256(name.encode()).hexdigest()[:16]
    return DiskFiles(place.root / "private" / "fetched" / folder, private=True)


def headers_of(token_file: Path | None, client_id: str | None) -> dict[str, str]:
    """Return the headers with which an API is asked.

    Raises:
        UsageError: an OAuth client is named without a token.
        MissingError, StorageError, MalformedError: the token cannot be read.
    """
    if token_file is None:
        if client_id is not None:
            raise UsageError("--client-id goes with --token-file")
        return {}
    found = {"Authorization": key_from_file(token_file).header()}
    return found | ({"X-Jwt-Aud": client_id} if client_id else {})


def _refuse_missing(earlier: Record | None, gathered: Gathered, options: DecidimOptions) -> None:
    """Refuse a source without a whole class that the earlier import has: what is not read would pass for deleted.

    Raises:
        UsageError: so it is, and nobody said that it is meant.
    """
    if earlier is None or options.drop_missing:
        return
    before = Proposals.from_record(earlier).counts
    for name in ("proposals", "comments", "debates", "results"):
        if before.get(name) and not gathered.counts[name]:
            raise UsageError(
                f"--again: this source holds no {name}, and the import that it continues has {before[name]:,}; import "
                "all files of the Decidim together, or add --drop-missing if they are gone there"
            )


def _discard_pending(place: Commons, ledger: Ledger, name: str) -> None:
    """Take away imports of this name that wait for signatures: committed later, an old state would be the newest."""
    for envelope in pending_envelopes(place):
        record = envelope.claimed
        if record.kind != Proposals.KIND or ledger.index.find(record.id):
            continue
        if Proposals.from_record(record).source["name"] == name:
            place.pending_path(record.id).unlink(missing_ok=True)
            Shelf(place, ledger).drop(list(record.private_blobs.values()))
            hint(f"took back the pending import {short(record.id)}")


def _earlier(ledger: Ledger, name: str, again: bool) -> Record | None:
    """Return the import that a new one of this name replaces.

    Raises:
        UsageError: there is one, and it was not said that this one continues it; or the other way round.
    """
    earlier = named_import(ledger, name)
    if earlier is not None and not again:
        raise UsageError(
            f"an import is called {name[:60]!r} here already; add --again to read it anew, else give another --name"
        )
    if earlier is None and again:
        raise UsageError(f"--again: nothing was imported from Decidim under the name {name[:60]!r} yet")
    return earlier


def _keep(
    shelf: Shelf,
    gathering: Gathering,
    gathered: Gathered,
    about: About,
    name: str,
    licence: str,
    earlier: Record | None,
) -> Record:
    """Keep what was gathered, and return the record to sign."""
    blobs: dict[str, str] = {}
    for kind, blob in _PUBLIC:
        for number, part in enumerate(gathering.parts(kind)):
            blobs[f"{blob}.{number:03d}"] = shelf.ledger.stage_blob(part)
    for number, part in enumerate(gathering.parts("comment")):
        blobs[f"{Proposals.COMMENTS}.{number:03d}"] = shelf.keep_comments(part, name)
    source = {"tool": TOOL, "name": name, "host": about.host, "layout": about.layout, "version": about.version}
    left: dict[str, int] = {}
    for each in (*about.left, *gathered.left):
        left[each.rule] = left.get(each.rule, 0) + each.times
    return Proposals(
        source=source,
        licence=licence or about.licence or "not stated",
        imported_at=today(),
        counts=gathered.counts,
        supports=gathered.supports,
        fingerprints=gathered.fingerprints,
        left=left,
        changes=gathered.changes,
        commons=shelf.ledger.chain.versions[0].id,
        supersedes=earlier.id if earlier else None,
        blobs=blobs,
    ).to_record()


def _forget_comments(ledger: Ledger, earlier: Record | None) -> list[Record]:
    """Return the tombstone of the earlier import's comments: whoever deleted one there is not kept here."""
    if earlier is None:
        return []
    erased = [digest for digest in earlier.private_blobs.values() if ledger.has_private_blob(digest)]
    if not erased:
        return []
    affected = sorted({record_id for digest in erased for record_id, _ in ledger.index.holders(digest)})
    return [tombstone(erased, affected, "comments of an import that a newer one replaces", today())]


def _print(record: Record, about: About, as_json: bool, is_committed: bool) -> None:
    imported = Proposals.from_record(record)
    if as_json:
        said: JsonDict = {
            "record": record.id,
            "committed": is_committed,
            "host": imported.source["host"],
            "layout": about.layout,
            "version": about.version,
            "licence": imported.licence,
            "counts": dict(imported.counts),
            "rows": dict(about.rows),
            "supports": dict(imported.supports),
            "fingerprints": dict(imported.fingerprints),
            "left": dict(imported.left),
            "changes": dict(imported.changes),
            "grade": "C",
        }
        print_json(said)
        return
    for line in _lines(imported):
        hint(line)


def _lines(imported: Proposals) -> Iterator[str]:
    """Yield in words what was read."""
    counts, supports = imported.counts, imported.supports
    yield f"read from {imported.source['host']} ({imported.source['layout']}):"
    others = f", of which {counts['withdrawn']:,} withdrawn" if counts["withdrawn"] else ""
    others += f", {counts['amendments']:,} amendments" if counts["amendments"] else ""
    yield f"  {counts['proposals']:,} proposals{others}"
    if counts["proposals"]:
        hidden = f"; hidden or not told for {supports['hidden']:,}" if supports["hidden"] else ""
        yield f"  {supports['total']:,} supports on {supports['known']:,} proposals{hidden}"
        prints = imported.fingerprints
        yield (
            f"  fingerprints: {prints['checked']:,} told by Decidim and checked, "
            f"{prints['recomputed']:,} computed from the export"
        )
    for name in ("comments", "debates", "results", "participants"):
        if counts[name]:
            noun = name[:-1] if counts[name] == 1 else name
            yield f"  {counts[name]:,} {noun}" + (" wrote them; nobody is named" if name == "participants" else "")
    for rule, times in imported.left.items():
        if times:
            yield f"  {rule}: {times:,}"
    if imported.changes:
        yield "  since the last import: " + ", ".join(f"{n:,} {what}" for what, n in imported.changes.items())
    yield f"licence: {imported.licence}"
    if counts["proposals"]:
        yield "evidence grade C, counts only: `auzolan deliberate ratify` says what that can show and what it cannot"
        yield "next: `auzolan deliberate kit DIR` makes a survey of a shortlist, with ballots (grade A)"
