"""Edge: `auzolan deliberate why` for a proposal: what became of it, and why."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from auzolan.cli.ballots import Evidence
from auzolan.cli.decidim.standing import Standing, standing_of
from auzolan.cli.decidim.store import read_proposals, shortlists_of
from auzolan.cli.output import JsonDict, hint, out, plain, print_json, print_json_list, short
from auzolan.core.kinds.proposals import Proposals, Shortlist
from auzolan.core.record.errors import MissingError, UsageError
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView
from auzolan.deliberate.decidim.dispositions import NAMES, Disposition, Fate
from auzolan.deliberate.decidim.entities import Proposal
from auzolan.deliberate.decidim.write_back.phrases import phrases_of
from auzolan.deliberate.decidim.write_back.sentences import places_said
from auzolan.deliberate.shortlist.candidates import in_language

_URL = re.compile(r"(?:https?://([^/?#]+))?(?:/.*)?/proposals/(\d{1,19})(?:[/?#].*)?", re.ASCII)
_MARK = "proposal:"


class Named(NamedTuple):
    """What a user named: a statement by its number, or a proposal by one of its names; or a number that may be both."""

    number: int | None
    proposal: str


def read_name(words: str) -> Named:
    """Tell what a user named.

    Raises:
        UsageError: it is no name of either.
    """
    words = words.removeprefix("#")
    bare = words.removeprefix("statement:")
    if bare.isascii() and bare.isdigit() and len(bare) < 20:
        return Named(int(bare), "" if bare != words else words)
    name = words.removeprefix(_MARK)
    if not name or len(words) > 2_000:
        raise UsageError("expected the number of a statement, or a proposal: its number, address, reference or key")
    found = _URL.fullmatch(name)
    if found is None:
        return Named(None, name)
    host, number = (found[1] or "").lower(), found[2]
    return Named(None, _page(host, int(number)) if host else number)


def _page(host: str, number: int) -> str:
    """Return what stands for the page of a proposal, whatever else is in its address."""
    return f"{host}/proposals/{number}"


def why_proposal(ledger: LedgerView, evidence: Evidence, name: str, as_json: bool) -> None:
    """Print what became of a proposal of the newest imports.

    Raises:
        MissingError: no import has one of that name.
        UsageError: several have.
    """
    imported, proposal = _find(ledger, evidence, name)
    standing = standing_of(ledger, imported)
    found = standing.disposition_of(proposal, evidence)
    said = _view(standing, proposal, found)
    if as_json:
        print_json(said)
    else:
        _print(standing, proposal, found)


def knows_proposal(ledger: LedgerView, evidence: Evidence, name: str) -> bool:
    """Whether an import has a proposal of that name."""
    return any(True for _ in _matches(ledger, evidence, name))


def why_all(ledger: LedgerView, evidence: Evidence, as_json: bool) -> None:
    """Print how many proposals of the newest import have which disposition; as JSON each of them."""
    imports = _newest_imports(ledger)
    imported = next((each for each in reversed(imports) if shortlists_of(ledger, each)), imports[-1])
    standing = standing_of(ledger, imported)
    counts = dict.fromkeys(NAMES, 0)

    def counted() -> Iterator[JsonDict]:
        for proposal, found in standing.dispositions(evidence):
            counts[found.fate.name] += 1
            yield _view(standing, proposal, found) if as_json else {}

    def without() -> int:
        return Proposals.from_record(imported).counts["proposals"] - sum(counts.values())

    if as_json:
        tail = lambda: {"counts": counts, "without": without()}  # noqa: E731
        print_json_list({"record": imported.id}, "proposals", counted(), tail)
        return
    deque(counted(), maxlen=0)
    for name, count in counts.items():
        out().print(f"{count:>9,}  {name}")
    out().print(f"{without():>9,}  withdrawn, or an amendment of another one")
    hint("each has exactly one disposition; --json lists them, `auzolan deliberate why PROPOSAL` says why")


def _newest_imports(ledger: LedgerView) -> list[Record]:
    """Return the newest import of each name, the newest last."""
    found: dict[str, Record] = {}
    for row in ledger.index.rows(Proposals.KIND):
        record = ledger.envelope(row).claimed
        name = Proposals.from_record(record).source["name"]
        found.pop(name, None)
        found[name] = record
    if not found:
        raise MissingError("no proposals were imported here yet; `auzolan deliberate import --from decidim` does")
    return list(found.values())


def _matches(ledger: LedgerView, evidence: Evidence, name: str) -> Iterator[tuple[Record, Proposal]]:
    if not list(ledger.index.rows(Proposals.KIND)):
        return
    for imported in _newest_imports(ledger):
        for each in read_proposals(evidence, imported):
            if name in _names(each):
                yield imported, each


def _names(proposal: Proposal) -> Iterator[str | None]:
    key = proposal.key
    yield from (str(key.id), str(key), proposal.reference, _page(key.host, key.id))
    if proposal.url is not None:  # on another host than the key, where whoever imports said which host it is
        yield _page(proposal.url.partition("://")[2].partition("/")[0].lower(), key.id)


def _find(ledger: LedgerView, evidence: Evidence, name: str) -> tuple[Record, Proposal]:
    found = list(_matches(ledger, evidence, name))
    if not found:
        raise MissingError(f"there is no proposal {plain(name, 80)} in what was imported here")
    if len({each.key for _, each in found}) == 1:  # imported under several names: where something became of it counts
        return next((pair for pair in reversed(found) if shortlists_of(ledger, pair[0])), found[-1])
    if len(found) > 1:
        keys = ", ".join(str(each.key) for _, each in found[:3])
        raise UsageError(f"several proposals are called {plain(name, 80)}: {keys}; give one of these keys")
    return found[0]


def _view(standing: Standing, proposal: Proposal, found: Disposition | None) -> JsonDict:
    return {
        "proposal": str(proposal.key),
        "url": proposal.url,
        "title": dict(proposal.title),
        "supports": proposal.supports,
        "fingerprint": proposal.fingerprint.value if proposal.fingerprint else None,
        "fingerprint_from_decidim": proposal.fingerprint.is_from_decidim if proposal.fingerprint else None,
        "disposition": None if found is None else found.fate.name,
        **(_fate(found.fate) if found else {"why": _without(proposal), "facts": {}, "article": None}),
        "statement": None if found is None else found.statement,
        "then": None if found is None or found.then is None else {"disposition": found.then.name, **_fate(found.then)},
        "words": " ".join(_words(standing, proposal, found)),
        "import": standing.imported.id,
        "shortlist": standing.shortlist.id if standing.shortlist else None,
        "constitution": standing.constitution.id if standing.constitution else None,
    }


def _fate(fate: Fate) -> JsonDict:
    return {"why": fate.why, "facts": dict(fate.facts), "article": fate.article}


def _without(proposal: Proposal) -> str:
    return "withdrawn" if proposal.is_withdrawn else "an amendment"


def _words(standing: Standing, proposal: Proposal, found: Disposition | None) -> Iterator[str]:
    """Yield in sentences what became of a proposal."""
    if found is None and proposal.is_withdrawn:
        yield "Its authors withdrew it; nothing was decided about it."
        return
    if found is None:
        yield f"It is an amendment of proposal {proposal.amends or '(not told)'}, and goes where that one goes."
        return
    if standing.shortlist is None:
        yield "Nothing was put to the participants yet."
        return
    if standing.has_ballots and found.fate.why == "not asked":
        yield "People were asked about it; their votes are not counted yet."
        return
    fate = found.fate
    if found.then is not None:
        yield phrases_of("en").say("why_merged", lead=f"proposal {fate.facts['lead']}")
        fate = found.then
    yield _why(standing, fate)
    if lacks := fate.facts.get("lacks"):
        yield phrases_of("en").say("lacks", int(lacks))
    if fate.name == "deferred":
        yield phrases_of("en").say("again")


def _why(standing: Standing, fate: Fate) -> str:
    phrases, facts = phrases_of("en"), fate.facts
    key = f"why_{fate.why.replace(' ', '_')}"
    match fate.why:
        case "ratified" | "acknowledged" | "not ratified":
            return re.sub(":$", ".", phrases.say(key, article=str(facts["article"])))
        case "not listed":
            places = places_said(phrases, facts, lambda group: plain(group, 80))
            return f"{phrases.say(key)} {places}".strip()
        case "left out":
            return phrases.say(key, reason=phrases.quoted(plain(str(facts["reason"]), 300)))
        case "blocked":
            names = str(facts["groups"]).split(", ")
            return phrases.say(key, len(names), groups=plain(phrases.listed(names), 200))
        case "excluded":
            rival = int(facts["rival"])
            other = (
                phrases.say("other_text", rival=f"statement {rival}: {_statement(standing, rival)}") if rival else ""
            )
            return f"{phrases.say(key)} {other}".strip()
    return phrases.say(key)


def _statement(standing: Standing, number: int) -> str:
    assert standing.shortlist is not None, "whoever is excluded was on a shortlist"
    statements = Shortlist.from_record(standing.shortlist).statements
    text = next((next(iter(each.text.values())) for each in statements if each.id == number), "")
    return phrases_of("en").quoted(plain(" ".join(text.split()), 200))


def _print(standing: Standing, proposal: Proposal, found: Disposition | None) -> None:
    title = plain(in_language(proposal.title, "") or "(its text was taken out)", 300)
    out().print(f"Proposal {proposal.key.id}  {title}", style="bold")
    told = "not told" if proposal.supports is None else f"{proposal.supports:,}"
    out().print(f"{plain(str(proposal.key), 200)}, supports: {told}")
    if proposal.fingerprint is not None:
        how = "told by Decidim and checked" if proposal.fingerprint.is_from_decidim else "computed from the export"
        out().print(f"fingerprint {proposal.fingerprint.value}", soft_wrap=True)
        out().print(f"({how}; compare it with the one on the proposal's page)")
    out().print()
    if found is not None:
        with_it = "" if found.then is None else f" with proposal {found.fate.facts['lead']}, which is {found.then.name}"
        out().print(f"{found.fate.name.capitalize()}{with_it}.", style="bold")
    for sentence in _words(standing, proposal, found):
        out().print(sentence)
    if found is not None and found.statement is not None:
        hint(f"how people voted: auzolan deliberate why statement:{found.statement}")
    hint(f"from import {short(standing.imported.id)}; `auzolan trace` checks every step")
