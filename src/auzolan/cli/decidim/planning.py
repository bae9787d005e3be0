"""Edge: how a kit is made: the plan that is kept beside its files, and the choice that it gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import read_user_file
from auzolan.cli.decidim.store import read_proposals
from auzolan.core.kinds.proposals import Proposals, Shortlist
from auzolan.core.record.canonical import as_int, as_list, as_object, as_text, canonical_bytes, only_keys, read_json
from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.core.record.record import Record
from auzolan.deliberate.shortlist.candidates import BYS, By, Candidate, candidates_of

if TYPE_CHECKING:
    from auzolan.deliberate.shortlist.choosing import Choice

FILE = "plan.json"
USUAL_STATEMENTS = USUAL_PER_PERSON = 25  # one survey: least to type, and it shows groups best (`blocks`)
USUAL_LEAST, USUAL_BY = 1, "origin"
_FORMAT = "auzolan-kit/v1"
_MOST_DIGITS = 9  # Python refuses to read very long numbers


@dataclass(frozen=True)
class Plan:
    """How a kit is made; kept beside its files, so that what is signed is what was shown.

    Attributes:
        imported: id of the proposals.
        languages: the main one first.
        statements: how many places.
        per_person: statements that one participant is asked about, at most.
        by: what quotas are by.
        least: places for each group.
        seed: of the lots.
        participants: how many could support; 0 where it is not known.
    """

    imported: str
    languages: tuple[str, ...]
    statements: int
    per_person: int
    by: By
    least: int
    seed: str
    participants: int

    def to_bytes(self) -> bytes:
        """Return the file."""
        said = asdict(self) | {"languages": list(self.languages), "format": _FORMAT}
        return canonical_bytes(said) + b"\n"


def new_plan(
    imported: Record,
    languages: tuple[str, ...],
    *,
    statements: int | None = None,
    per_person: int | None = None,
    by: str | None = None,
    least: int | None = None,
    seed: str | None = None,
    participants: int | None = None,
) -> Plan:
    """Return a plan for an import; what is not said is as usual.

    Raises:
        UsageError: there are no such quotas.
    """
    return Plan(
        imported.id,
        languages,
        statements or USUAL_STATEMENTS,
        per_person or USUAL_PER_PERSON,
        _by(by or USUAL_BY),
        USUAL_LEAST if least is None else least,
        seed or _usual_seed(imported),
        participants or 0,
    )


def plan_of(shortlist: Shortlist, imported: Record) -> Plan:
    """Return the plan by which a signed shortlist was chosen.

    Raises:
        MalformedError: its method is none that a plan has.
        UsageError: there are no such quotas.
    """
    method = shortlist.method
    if not method["least"].isdecimal() or len(method["least"]) > _MOST_DIGITS:
        raise MalformedError(f"shortlist: least: expected a whole number, got {method['least'][:20]!r}")
    return new_plan(
        imported,
        (method["language"],),
        statements=sum(each.places for each in shortlist.quotas),
        by=method["by"],
        least=int(method["least"]),
        seed=method["seed"],
    )


def _usual_seed(imported: Record) -> str:
    """Return a seed that everybody can foresee: the name and date of the import."""
    said = Proposals.from_record(imported)
    return f"{said.source['name']}, {said.imported_at}"


def _by(words: str) -> By:
    found = next((each for each in BYS if each == words), None)
    if found is None:
        raise UsageError(f"--by: expected one of {', '.join(BYS)}, got {words[:40]!r}")
    return found


def read_plan(folder: Path) -> Plan:
    """Return the plan of the kit in a folder.

    Raises:
        MissingError: there is none.
        MalformedError: it has another form.
    """
    where = str(folder / FILE)
    said = as_object(read_json(read_user_file(folder / FILE), where), where)
    only_keys(said, frozenset({*Plan.__dataclass_fields__, "format"}), where)
    if said.get("format") != _FORMAT:
        raise MalformedError(f"{where}: expected format {_FORMAT}")
    if not as_list(said.get("languages"), f"{where}: languages"):
        raise MalformedError(f"{where}: languages: expected one at least")
    return Plan(
        as_text(said.get("imported"), f"{where}: imported"),
        tuple(as_text(each, f"{where}: languages") for each in as_list(said.get("languages"), f"{where}: languages")),
        as_int(said.get("statements"), f"{where}: statements", 1),
        as_int(said.get("per_person"), f"{where}: per_person", 2),
        _by(as_text(said.get("by"), f"{where}: by")),
        as_int(said.get("least"), f"{where}: least"),
        as_text(said.get("seed"), f"{where}: seed"),
        as_int(said.get("participants"), f"{where}: participants"),
    )


@dataclass(frozen=True)
class Candidates:
    """The candidates of an import, read again each time, so that a million need no memory."""

    evidence: Evidence
    imported: Record
    by: By
    main: str

    def __iter__(self) -> Iterator[Candidate]:
        """Yield them in their order."""
        return candidates_of(read_proposals(self.evidence, self.imported), self.by, self.main)


def choose_by(plan: Plan, evidence: Evidence, imported: Record) -> Choice:
    """Return the choice that a plan gives.

    Raises:
        UsageError: there is nothing to choose from.
        MissingError, VerificationError, MalformedError: as `read_proposals` says.
    """
    from auzolan.deliberate.shortlist.choosing import check_choice, choose

    candidates = Candidates(evidence, imported, plan.by, plan.languages[0])
    choice = choose(candidates, plan.statements, plan.by, plan.seed, plan.least, plan.participants or None)
    check_choice(choice)
    return choice
