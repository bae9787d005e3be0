"""Reads the open data of a Decidim, 0.22 to 0.32: the zip as downloaded, a folder of it, or one of its CSV files.

Read: proposals, debates, results, and the comments on them. A list of people,
where there is one (0.30 and newer), is read only for who deleted the account. Other files are
passed over, except for the licence. Two exports in one folder are read one after the other.

Checks: the bounds of `source`, the form of `columns`, what `from_row` checks.
Does not check: that an export is complete; Decidim makes it about once a day,
and tells supports only where they are not hidden.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.decidim.cards import Meaning
from auzolan.deliberate.decidim.columns import Columns
from auzolan.deliberate.decidim.entities import About, Entity, EntityClass, Left
from auzolan.deliberate.decidim.from_row import FromRow
from auzolan.deliberate.decidim.row import MAX_KEY
from auzolan.deliberate.sources.cells import shown_name
from auzolan.deliberate.sources.polis_raw import Progress, no_progress, step
from auzolan.deliberate.sources.source import AnyPath, Source, open_source

LICENCE = "ODbL 1.0 (database), DbCL 1.0 (contents)"
_MAX_LICENCE = 2**20
_ENTITIES: Mapping[str, EntityClass] = {
    "proposals": "proposal",
    "debates": "debate",
    "results": "result",
    "proposal_comments": "comment",
    "debate_comments": "comment",
    "result_comments": "comment",
}
_USERS = "users"
_OTHER_NAMES = (
    "user_groups metrics moderations moderated_users participatory_processes assemblies conferences initiatives "
    "meetings meeting_comments projects project_comments posts post_comments pages budgets sortitions "
    "collaborative_drafts elections surveys collaborative_texts"
)
_OTHERS = frozenset(_OTHER_NAMES.split())
_NAME = re.compile(r"(?:(?P<host>.+)-)?open-data-(?P<entity>[a-z_]+)|(?P<alone>[a-z_]+)")
_COPY = " _-()0123456789"  # what browsers and dates add at the end of a name
_HOST = re.compile(r"(?=.{3,253}$)[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d{1,5})?", re.IGNORECASE)
_IN_LICENCE = (re.compile(r"Open Database License|ODbL"), re.compile(r"Database Contents License|DbCL"))
_NEEDED: Mapping[EntityClass, tuple[str, ...]] = {
    "proposal": ("title", "body"),
    "debate": ("title",),
    "result": ("title",),
    "comment": ("body",),
}
_ORDER: tuple[EntityClass, ...] = ("proposal", "debate", "result", "comment")


class OpenData:
    """The entities of an open-data export, in the order in which it holds them."""

    def __init__(
        self,
        path: AnyPath,
        pseudonym: Callable[[str], str],
        *,
        host: str | None = None,
        cards: Mapping[str, Meaning] | None = None,
        progress: Progress = no_progress,
    ) -> None:
        """Say what to read; nothing is opened yet.

        Args:
            path: of a zip, a folder or a CSV file.
            pseudonym: turns the id of a person into a pseudonym.
            host: of the Decidim; by default as its pages, or the names of its files, tell.
            cards: label of a voting card -> what it means, beside the known ones.
            progress: called now and then with the name of the file and how many of its rows were read.
        """
        self._path, self._progress = path, progress
        self._pseudonym, self._host, self._cards = pseudonym, host, cards
        self._about: About | None = None

    def __iter__(self) -> Iterator[Entity]:
        """Yield the entities.

        Raises:
            UsageError: the path cannot be read or holds no open data, or host or cards must be said.
            MalformedError: a file has not the form of open data, or the pages are of different hosts.
            NotCheckedError: a file could not be read to its end.
        """
        self._about = None
        reading = FromRow(self._pseudonym, self._host, self._cards)
        with open_source(self._path) as source:
            run = _Run(source, reading, self._progress)
            yield from run.entities()
            self._about = run.about()

    def about(self) -> About:
        """Return what is known of the source, once all of it is read.

        Raises:
            UsageError: it is not.
        """
        if self._about is None:
            raise UsageError("the open data was not read to its end yet")
        return self._about


class _Run:
    """One reading of a source, from its first to its last file."""

    def __init__(self, source: Source, reading: FromRow, progress: Progress) -> None:
        self._source, self._reading, self._progress = source, reading, progress
        self._rows: dict[str, int] = {}
        self._layouts: dict[str, EntityClass] = {}  # of the first class that is there, which tells best
        self._others = self._repeated = self._machine = 0
        self._licence = ""

    def entities(self) -> Iterator[Entity]:
        """Yield the entities of all files, people first, as comments of deleted accounts are emptied."""
        files, people = self._sorted()
        hosts = sorted({host for member, _ in files if (host := _host_in(member))})
        if len(hosts) > 1 and self._reading.host is None:
            raise UsageError(
                f"{self._source.name}: files of {shown_name(hosts[0])} and of {shown_name(hosts[1])}; import each "
                f"instance on its own, or say which host it is"
            )
        self._reading.fallback = hosts[0] if hosts else None
        for member in people:
            self._read_people(member)
        for member, kind in files:
            yield from self._read(member, kind)

    def about(self) -> About:
        """Return what is known now."""
        left = (
            *self._reading.left,
            Left("columns of machine translations left out", self._machine),
            Left("columns whose name came before left out", self._repeated),
            Left("files of other classes passed over", self._others),
        )
        layout = f"open-data CSV of Decidim {' and '.join(self._layouts)}" if self._layouts else "open-data CSV, empty"
        return About(self._reading.host or self._reading.fallback or "", layout, "", self._rows, left, self._licence)

    def _sorted(self) -> tuple[list[tuple[str, EntityClass]], list[str]]:
        """Return the files that are read, proposals first, and the lists of people."""
        files: list[tuple[str, EntityClass]] = []
        people: list[str] = []
        for member in self._source.members:
            base = member.rpartition("/")[2]
            if not base.lower().endswith((".csv", ".tsv")) and not self._source.is_single:
                self._read_licence(member, base)
                continue
            entity = _entity_in(base)
            if entity == _USERS:
                people.append(member)
                continue
            kind = _ENTITIES.get(entity) or (None if entity in _OTHERS else self._kind_by_header(member))
            if kind is None:
                self._others += 1
            else:
                files.append((member, kind))
        if not files:
            raise UsageError(
                f"{self._source.name}: no proposals, debates, results or comments on them; expected the zip of a "
                f"Decidim's open data, a folder of it, or one of its CSV files"
            )
        return sorted(files, key=lambda file: _ORDER.index(file[1])), people

    def _read_licence(self, member: str, base: str) -> None:
        if not base.upper().startswith("LICEN"):
            return
        text = self._source.whole(member, _MAX_LICENCE).decode("utf-8", "replace")
        self._licence = LICENCE if all(mark.search(text) for mark in _IN_LICENCE) else ""

    def _kind_by_header(self, member: str) -> EntityClass | None:
        """Return what a file holds whose name does not tell, by the names of its columns."""
        try:
            columns = Columns(member, self._source.lines(member))
        except MalformedError:
            if self._source.is_single:
                raise
            return None  # some other file that lies in the same folder
        if columns.has("commentable_type"):
            return "comment"
        if columns.has("is_amend") or (columns.begins("body") and (columns.begins("votes") or columns.has("supports"))):
            return "proposal"
        if columns.has("proposal_urls") or columns.has("status/key"):
            return "result"
        return "debate" if columns.begins("information_updates") or columns.begins("conclusions") else None

    def _read_people(self, member: str) -> None:
        """Learn who deleted the account; nothing else of a person is looked at."""
        for row in Columns(member, self._source.lines(member)):
            if row.text("deleted") == "true" and len(row.text("id")) <= MAX_KEY:
                self._reading.deleted.add(row.text("id"))

    def _read(self, member: str, kind: EntityClass) -> Iterator[Entity]:
        columns = Columns(member, self._source.lines(member))
        self._repeated += columns.repeated
        self._machine += columns.machine
        self._rows.setdefault(kind, 0)
        for name in _NEEDED[kind] if columns.header else ():
            if not columns.has(name) and not columns.begins(name):
                raise MalformedError(
                    f"{member}, line 1: expected a column {name}, or {name}/XX for each language, as a Decidim exports "
                    f"{kind}s; was it deleted, or does the file come from another program?"
                )
        if columns.header and set(self._layouts.values()) <= {kind}:
            self._layouts.setdefault(layout_of(columns, kind), kind)
        if kind == "proposal":
            self._reading.check_cards(columns.labels("votes"))
        for number, row in enumerate(columns, start=1):
            self._rows[kind] += 1
            if entity := self._reading.entity(row, kind):
                yield entity
            step(self._progress, member, number)


def layout_of(columns: Columns, kind: EntityClass) -> str:
    """Return which versions write a file with these columns."""
    if kind == "comment":
        if not columns.has("locale"):
            return "0.22 or older"
        return "0.23 to 0.30" if columns.has("user_group/id") else "0.31 or newer"
    if columns.begins("likes"):
        return "0.31 or newer"
    if columns.begins("taxonomies/"):
        return "0.30 or newer" if kind != "proposal" else "0.30"
    if kind != "proposal":
        return "0.29 or older"
    if columns.has("title"):
        return "0.22 or older"
    if columns.has("withdrawn") or (columns.begins("votes") and not columns.has("supports")):
        return "0.29"
    if columns.has("author/id"):
        return "0.27 or 0.28"
    return "0.26 to 0.28" if columns.has("address") else "0.23 to 0.25"


def _entity_in(base: str) -> str:
    """Return the name of the entity in the name of a file, "" where there is none."""
    found = _NAME.fullmatch(base.rpartition(".")[0].lower().rstrip(_COPY))
    return (found["entity"] or found["alone"] or "") if found else ""


def _host_in(member: str) -> str | None:
    """Return the host in the name of a file, None where there is none."""
    found = _NAME.fullmatch(member.rpartition("/")[2].rpartition(".")[0].lower().rstrip(_COPY))
    host = found["host"] if found else None
    return host if host and _HOST.fullmatch(host) else None
