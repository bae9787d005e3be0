"""Edge: `auzolan deliberate publish --to decidim-files`: what Decidim's own importers read, without any plugin."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from auzolan.cli.ballots import Evidence
from auzolan.cli.check_steps import WRONG, check_record
from auzolan.cli.commons import write_file
from auzolan.cli.decidim.standing import Standing, standing_by
from auzolan.cli.decidim.store import imported_for, read_proposals
from auzolan.cli.output import JsonDict, hint, out, plain, print_json, progress_bar, short
from auzolan.cli.records import linked
from auzolan.core.kinds.constitution import Constitution, Draft, Principle
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.proposals import Cited, ListedStatement, Proposals, Shortlist
from auzolan.core.kinds.selection import Selection
from auzolan.core.record.errors import UsageError, VerificationError
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView
from auzolan.deliberate.decidim.dispositions import Disposition
from auzolan.deliberate.decidim.entities import Proposal
from auzolan.deliberate.decidim.write_back import participatory_text, readme, results_csv
from auzolan.deliberate.decidim.write_back.answers import OUTCOMES, AnswerFiles, AnswerOptions, Outcome
from auzolan.deliberate.decidim.write_back.published import (
    AnsweredProposal,
    CitedProposal,
    Publication,
    PublishedArticle,
    check_publication,
)
from auzolan.deliberate.decidim.write_back.results_csv import Importer

_MOST_LOCALES = 12
_MOST_OPEN = 32  # files; a million answers go into two thousand
_OF_ANSWERS = re.compile(r"proposal-answers-component-(?:[0-9]+|unknown)(?:-part-[0-9]+)?\.(?:csv|json)")


@dataclass(frozen=True)
class PublishOptions:
    """What is written back; the fields are the options of the same names.

    Attributes:
        locales: of the Decidim, its default one first; empty for those of its proposals.
        importer: which importer of results the Decidim has.
        replace: whether official answers of others are replaced.
        outcomes: of which proposals answers are given.
        states: outcome -> token of a state, beside the usual ones.
        record_url: where the record can be seen.
    """

    locales: tuple[str, ...] = ()
    importer: Importer = "shipped"
    replace: bool = False
    outcomes: tuple[Outcome, ...] = OUTCOMES
    states: Mapping[Outcome, str] | None = None
    record_url: str | None = None

    @property
    def of_answers(self) -> AnswerOptions:
        """Which answers are written."""
        usual = AnswerOptions(replace=self.replace)
        return AnswerOptions({**usual.tokens, **(self.states or {})}, self.outcomes, self.replace)


@dataclass(frozen=True)
class WriteBack:
    """What goes back to a Decidim: the publication, and an answer for every proposal that has a disposition."""

    published: Publication
    standing: Standing
    cited: Mapping[str, CitedProposal]
    rivals: Mapping[int, Mapping[str, str]]

    def answers(self, evidence: Evidence) -> Iterator[AnsweredProposal]:
        """Yield the answers, in the order of the proposals."""
        for proposal, found in self.standing.dispositions(evidence):
            yield self._answered(proposal, found)

    def _answered(self, proposal: Proposal, found: Disposition) -> AnsweredProposal:
        facts, host, component = found.fate.facts, proposal.key.host, proposal.key.component
        lead = self.cited.get(f"{host}/{component}/proposal/{facts['lead']}") if "lead" in facts else None
        fate = found.then or found.fate
        rival = fate.facts.get("rival")
        return AnsweredProposal(
            found, lead, self.rivals.get(rival, {}) if isinstance(rival, int) else {}, proposal.state, proposal.answer
        )


def write_back_of(ledger: LedgerView, evidence: Evidence, record: Record, options: PublishOptions) -> WriteBack:
    """Return what goes back to the Decidim from which a constitution comes.

    Raises:
        UsageError: the record is no constitution, or does not come from a Decidim.
        VerificationError: it does not hold, so that nothing is published of it.
    """
    shortlist = _shortlist_behind(ledger, record)
    wrong = [row for row in check_record(ledger, evidence, record).rows if row.result == WRONG]
    if wrong:
        raise VerificationError(f"nothing is published of what does not hold: {wrong[0].remark}")
    imported = imported_for(ledger, shortlist)
    standing = standing_by(ledger, imported, shortlist)
    if standing.constitution != record:
        raise UsageError(
            f"{short(record.id)} was replaced by a newer constitution of these proposals; publish that one"
        )
    listed = {each.id: each for each in Shortlist.from_record(shortlist).statements}
    cited, locales = _look_up(read_proposals(evidence, imported), listed.values())
    locales = options.locales or locales
    said = Constitution.from_record(record)
    published = Publication(
        title={locales[0]: said.title},
        host=Proposals.from_record(imported).source["host"],
        locales=locales,
        constitution=record.id,
        record_url=options.record_url,
        articles=tuple(_articles(said, listed, cited)),
    )
    return WriteBack(check_publication(published), standing, cited, {n: each.text for n, each in listed.items()})


def _shortlist_behind(ledger: LedgerView, record: Record) -> Record:
    """Return the shortlist that a constitution rests on.

    Raises:
        UsageError: there is none.
    """
    if record.kind != Constitution.KIND:
        raise UsageError(f"{short(record.id)} is a {record.kind}; only a ratified constitution goes back to a Decidim")
    selection = linked(ledger, linked(ledger, record, Constitution.DRAFT), Draft.SELECTION)
    snapshot = linked(ledger, linked(ledger, selection, Selection.TALLY), Tally.SNAPSHOT)
    if Snapshot.SHORTLIST not in snapshot.links:
        raise UsageError("this constitution does not come from proposals of a Decidim (no shortlist is behind it)")
    return linked(ledger, snapshot, Snapshot.SHORTLIST)


def _look_up(
    proposals: Iterable[Proposal], statements: Iterable[ListedStatement]
) -> tuple[dict[str, CitedProposal], tuple[str, ...]]:
    """Return the proposals that statements cite, by key, and the locales of all, the commonest first."""
    told = {cited.key: (cited, place) for each in statements for place, cited in enumerate(each.proposals)}
    found: dict[str, CitedProposal] = {}
    locales: Counter[str] = Counter()
    for each in proposals:
        locales.update(list(each.title))
        if str(each.key) in told:
            cited, place = told[str(each.key)]
            found[cited.key] = _cited(each, cited, place > 0)
    order = sorted(locales, key=lambda locale: (-locales[locale], locale))
    return found, tuple(order[:_MOST_LOCALES])


def _cited(proposal: Proposal, cited: Cited, merged: bool) -> CitedProposal:
    return CitedProposal(proposal.key, proposal.title, proposal.url, cited.fingerprint, merged)


def _articles(
    said: Constitution, listed: Mapping[int, ListedStatement], cited: Mapping[str, CitedProposal]
) -> Iterator[PublishedArticle]:
    for principle in said.principles:
        if principle in said.ratified or principle in said.acknowledged:
            proposals = [each.key for n in principle.statements if n in listed for each in listed[n].proposals]
            yield PublishedArticle(
                principle.number,
                _texts(principle),
                tuple(cited[key] for key in proposals if key in cited),
                acknowledged=principle not in said.ratified,
            )


def _texts(principle: Principle) -> Mapping[str, str]:
    return {**principle.translations, principle.language: principle.text}


def publish_files(
    ledger: LedgerView, evidence: Evidence, record: Record, folder: Path, options: PublishOptions, as_json: bool
) -> None:
    """Write the files for a Decidim's importers into a folder.

    Raises:
        UsageError: the folder is a file, or there is nothing to publish.
        VerificationError: the constitution does not hold.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; expected a folder to write into")
    with progress_bar("checking"):
        back = write_back_of(ledger, evidence, record, options)
    answers = AnswerFiles(back.published, back.answers(evidence), options.of_answers)
    folder.mkdir(parents=True, exist_ok=True)
    with progress_bar("writing"):
        names = _append(folder, answers)
    files = {results_csv.FILE: b"".join(results_csv.results_csv(back.published, options.importer))}
    for locale in back.published.locales:
        files[participatory_text.file_name(locale)] = participatory_text.participatory_text(back.published, locale)
    for each in readme.readmes(back.published, answers.about(), options.of_answers, options.importer):
        files[each.name] = each.data
    for name, data in files.items():
        write_file(folder / name, data)
    _print(folder, sorted([*names, *files]), back, answers, as_json)


def _append(folder: Path, answers: AnswerFiles) -> list[str]:
    """Write the answers beside their places and move them there when all are whole."""
    names: dict[str, None] = {}
    opened: OrderedDict[str, IO[bytes]] = OrderedDict()
    try:
        for chunk in answers:
            if chunk.name not in opened:
                if len(opened) == _MOST_OPEN:
                    opened.popitem(last=False)[1].close()
                opened[chunk.name] = open(_part(folder, chunk.name), "ab" if chunk.name in names else "wb")  # noqa: SIM115
                names[chunk.name] = None
            opened[chunk.name].write(chunk.data)
            opened.move_to_end(chunk.name)
    except BaseException:
        for name in names:
            _part(folder, name).unlink(missing_ok=True)
        raise
    finally:
        for stream in opened.values():
            stream.close()
    for name in names:
        _part(folder, name).replace(folder / name)
    for path in list(folder.iterdir()):
        # Of an earlier run with more answers; who uploads it would notify people again.
        if _OF_ANSWERS.fullmatch(path.name) and path.name not in names:
            path.unlink()
    return list(names)


def _part(folder: Path, name: str) -> Path:
    return folder / f".{name}.part"


def _print(folder: Path, files: list[str], back: WriteBack, answers: AnswerFiles, as_json: bool) -> None:
    about = answers.about()
    if as_json:
        said: JsonDict = {
            "folder": str(folder),
            "files": files,
            "constitution": back.published.constitution,
            "host": back.published.host,
            "locales": list(back.published.locales),
            "articles": len(back.published.articles),
            "answers": {str(component): dict(counts) for component, counts in about.written.items()},
            "left_out": dict(about.left),
        }
        print_json(said)
        return
    for name in files:
        out().print(plain(str(folder / name)), soft_wrap=True)
    hint(f"{len(back.published.articles):,} articles; answers to {about.total:,} proposals of {back.published.host}")
    for why, count in about.left.items():
        hint(f"  {count:,} proposals left out: {_LEFT[why]}")
    if back.published.record_url is None:
        hint("answers name the record and link it nowhere: publish ledger/ and say where with --record-url")
    hint(f"{folder / 'README.md'} says where each file goes; importing answers notifies people, writing these did not")


_LEFT = {
    "answered": "they have an official answer that is not ours; --replace-answers replaces it",
    "unchanged": "their page says the same already",
    "unchosen": "not chosen (--outcome)",
}
