"""Edge: `auzolan deliberate kit`: from proposals with counts to a survey inside a stock Decidim."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import Commons, find_commons, read_user_file, write_file
from auzolan.cli.counting import today
from auzolan.cli.decidim.checking import verify_import
from auzolan.cli.decidim.planning import (
    FILE,
    USUAL_BY,
    USUAL_LEAST,
    USUAL_PER_PERSON,
    USUAL_STATEMENTS,
    Plan,
    choose_by,
    new_plan,
    read_plan,
)
from auzolan.cli.decidim.store import import_with_proposals, read_proposals
from auzolan.cli.govern import CommonsOption, KeyOption, choose_key, propose_within
from auzolan.cli.output import JsonDict, JsonOption, handled, hint, out, plain, print_json, progress_bar, short
from auzolan.cli.records import named
from auzolan.core.kinds.proposals import Proposals, Shortlist
from auzolan.core.record.errors import UsageError
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView
from auzolan.deliberate.shortlist.candidates import BYS

if TYPE_CHECKING:
    from auzolan.deliberate.decidim.entities import Key
    from auzolan.deliberate.shortlist.choosing import Choice
    from auzolan.deliberate.shortlist.likes import Like
    from auzolan.deliberate.shortlist.plan import Kit

STATEMENTS = "statements.csv"
_OF_SURVEYS = re.compile(r"survey-[1-9][0-9]{0,2}\.(?:json|[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\.txt)")


_LangOption = Annotated[str | None, typer.Option("--lang", metavar="ca,es", help="Languages, the main one first.")]
_StatementsOption = Annotated[
    int | None, typer.Option("--statements", min=1, max=500, help=f"How many; default: {USUAL_STATEMENTS}.")
]
_PerPersonOption = Annotated[
    int | None, typer.Option("--per-person", min=2, help=f"That each person is asked; default: {USUAL_PER_PERSON}.")
]
_ByOption = Annotated[
    str | None, typer.Option("--by", metavar="|".join(BYS), help=f"What places are shared by; default: {USUAL_BY}.")
]
_LeastOption = Annotated[
    int | None, typer.Option("--least", min=0, help=f"Places for each group at least; default: {USUAL_LEAST}.")
]
_SeedOption = Annotated[
    str | None, typer.Option("--seed", metavar="TEXT", help="Of lots; default: the import's name and date.")
]
_ParticipantsOption = Annotated[
    int | None, typer.Option("--participants", min=1, help="How many people could support, if that is known.")
]
_ImportOption = Annotated[
    str | None, typer.Option("--proposals", metavar="ID", help="Which import; default: the newest.")
]
_FinalOption = Annotated[
    bool, typer.Option("--final", help="The words are right: sign the shortlist and write the files anew.")
]
_ForceOption = Annotated[bool, typer.Option("--force", help=f"Choose anew: write over {STATEMENTS}, edited or not.")]


@handled
def kit(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where its files go, or a kit to go on with.")] = Path(
        "kit"
    ),
    lang: _LangOption = None,
    statements: _StatementsOption = None,
    per_person: _PerPersonOption = None,
    by: _ByOption = None,
    least: _LeastOption = None,
    seed: _SeedOption = None,
    participants: _ParticipantsOption = None,
    record_id: _ImportOption = None,
    final: _FinalOption = False,
    force: _ForceOption = False,
    key: KeyOption = None,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a kit: statements shortlisted by quota, and the survey that asks everybody about them in a stock Decidim.

    First it writes DIR with `statements.csv`, in the words of the proposals. Edit that file: shorten, translate, merge
    what says the same. Then --final signs the shortlist and writes the survey again, in the edited words.
    """
    place = find_commons(commons)
    given = {
        "--lang": lang, "--statements": statements, "--per-person": per_person, "--by": by, "--least": least,
        "--seed": seed, "--participants": participants, "--proposals": record_id,
    }  # fmt: skip
    going_on = _is_going_on(folder, final, force, [option for option, value in given.items() if value is not None])
    with place.reading() as ledger:
        if going_on:
            plan = read_plan(folder)
            imported = named(ledger, plan.imported, Proposals.KIND)
        else:
            imported = import_with_proposals(ledger, record_id)
            plan = new_plan(
                imported,
                _languages(lang),
                statements=statements,
                per_person=per_person,
                by=by,
                least=least,
                seed=seed,
                participants=participants,
            )
        name = ledger.chain.current.rules.name
    from auzolan.deliberate.shortlist.likes import likes_of

    evidence = Evidence(place.public, place.private)
    with progress_bar("choosing"):
        choice = choose_by(plan, evidence, verify_import(evidence, imported))
        made = _kit(plan, choice, evidence, imported, folder if going_on else None, name)
    with place.reading() as ledger:
        signed = _signed_before(ledger, _shortlist(plan, made))
    record = _sign(place, _shortlist(plan, made), key, as_json) if final else signed
    likes = None if going_on else likes_of(choice, read_proposals(evidence, imported), plan.languages[0])
    files = _write(folder, plan, made, record, likes)
    _print(folder, files, made, plan, record, as_json)


def _is_going_on(folder: Path, final: bool, force: bool, given: list[str]) -> bool:
    """Whether a kit is gone on with, and not a new one made.

    Raises:
        UsageError: the options do not go with that.
    """
    going_on = (folder / FILE).exists() and not force
    if going_on and given:
        raise UsageError(
            f"{folder} holds a kit already, and its options stand: leave out {', '.join(given)} to go on with it, take "
            "another folder, or add --force to choose anew (the edited file is kept as statements.csv.old)"
        )
    if final and not going_on:
        raise UsageError(f"{folder} holds no kit; make it without --final and edit its {STATEMENTS} first")
    return going_on


def _sign(place: Commons, shortlist: Shortlist, key: str | None, as_json: bool) -> Record:
    """Sign a shortlist and, if nothing is lacking, commit it; one that says the same already is taken for it."""
    with place.writing() as ledger:
        signing = choose_key(key, ledger)
        record = _signed_before(ledger, shortlist) or shortlist.to_record()
        if not ledger.index.find(record.id):
            propose_within(place, ledger, [record], [signing], as_json, commit_at_once=True, quiet=as_json)
    return record


def _languages(lang: str | None) -> tuple[str, ...]:
    found = tuple(part.strip() for part in (lang or "").split(",") if part.strip())
    if not found:
        raise UsageError("say the languages of the kit, the main one first, such as --lang ca,es")
    return found


def _kit(plan: Plan, choice: Choice, evidence: Evidence, imported: Record, folder: Path | None, name: str) -> Kit:
    """Return what the kit is made from: the edited words where there are any, else those of the proposals."""
    from auzolan.deliberate.shortlist.blocks import lay_out
    from auzolan.deliberate.shortlist.kit import kit_files
    from auzolan.deliberate.shortlist.listing import drafted, listed
    from auzolan.deliberate.shortlist.plan import Kit
    from auzolan.deliberate.shortlist.statement_file import read_statements

    if folder is None:
        statements = drafted(choice, plan.languages)
    else:
        data = read_user_file(folder / STATEMENTS)
        sheet = read_statements(STATEMENTS, data.splitlines(keepends=True), plan.languages)
        statements = listed(sheet, choice, read_proposals(evidence, imported))
    made = Kit(name, plan.languages, choice, statements, lay_out(len(statements), plan.per_person))
    kit_files(made)  # refuses what cannot be written, before anything is signed
    return made


def _shortlist(plan: Plan, made: Kit) -> Shortlist:
    method = {**made.choice.method, "language": plan.languages[0], "least": str(plan.least), "seed": plan.seed}
    return Shortlist(plan.imported, today(), method, made.choice.quotas, made.statements, made.surveys)


def _signed_before(ledger: LedgerView, shortlist: Shortlist) -> Record | None:
    """Return a committed record that says the same but for its date."""
    for row in ledger.index.rows(Shortlist.KIND):
        record = ledger.envelope(row).claimed
        other = Shortlist.from_record(record)
        same = (shortlist.proposals, shortlist.statements, shortlist.surveys, dict(shortlist.method))
        if (other.proposals, other.statements, other.surveys, dict(other.method)) == same:
            return record
    return None


def _write(
    folder: Path, plan: Plan, made: Kit, record: Record | None, likes: Mapping[Key, Sequence[Like]] | None
) -> list[str]:
    """Write the files; `statements.csv` only where there are `likes` to write beside its rows: then people edit it."""
    from dataclasses import replace

    from auzolan.deliberate.shortlist.kit import kit_files
    from auzolan.deliberate.shortlist.statement_file import write_statements

    files = kit_files(replace(made, record=record.id if record else None))
    if likes is not None:
        files |= {STATEMENTS: write_statements(made.choice, plan.languages, likes), FILE: plan.to_bytes()}
    folder.mkdir(parents=True, exist_ok=True)
    if likes is not None and (folder / STATEMENTS).exists():
        (folder / STATEMENTS).replace(folder / f"{STATEMENTS}.old")
    gone = {path.name for path in folder.iterdir() if _OF_SURVEYS.fullmatch(path.name)} - set(files)
    for name, data in files.items():
        write_file(folder / name, data)
    for name in gone:  # of surveys that there were before rows were taken out; nobody else's files are touched
        (folder / name).unlink()
    return sorted(files)


def _print(folder: Path, files: list[str], made: Kit, plan: Plan, record: Record | None, as_json: bool) -> None:
    from auzolan.deliberate.shortlist.listing import lacking, long

    balance = made.balance()
    untranslated = {language: list(lacking(made.statements, language)) for language in plan.languages[1:]}
    if as_json:
        said: JsonDict = {
            "folder": str(folder),
            "files": files,
            "record": record.id if record else None,
            "statements": len(made.statements),
            "surveys": [list(each) for each in made.surveys],
            "pairs_never_together": balance.pairs_never_together,
            "quotas": [asdict(each) for each in made.choice.quotas],
            "untranslated": untranslated,
            "long": list(long(made.statements)),
        }
        print_json(said)
        return
    out().print(plain(str(folder)), soft_wrap=True)
    _hint_choice(made, plan)
    for language, numbers in untranslated.items():
        if numbers:
            hint(f"{len(numbers):,} statements have no text in {language} yet, and are asked in {plan.languages[0]}")
    if too_long := long(made.statements):
        hint(f"long for a row of a table: {_listed(too_long)}; shorten them")
    if record is None:
        hint(f"edit {folder / STATEMENTS}: shorten, translate, merge; then `auzolan deliberate kit {folder} --final`")
    else:
        hint(f"signed as {short(record.id)}; {folder / 'README.md'} says how to load the survey into Decidim")
        hint("what comes back: `auzolan deliberate import RESPONSES --from decidim-survey --name NAME`")


def _hint_choice(made: Kit, plan: Plan) -> None:
    choice = made.choice
    hint(f"{len(made.statements):,} statements out of {choice.n_candidates:,} proposals, places by {plan.by}:")
    for quota, left in list(zip(choice.quotas, made.quotas, strict=True))[:12]:
        edited = "" if left.places == quota.places else f", {left.places:,} of these places used"
        hint(f"  {quota.name}: {quota.places:,} of {quota.proposals:,} proposals{edited}")
    if len(made.statements) < len(choice.chosen):
        n = len(choice.chosen) - len(made.statements)
        hint(f"{n:,} that had a place were merged or left out; everybody can see that, and `trace` calls it asserted")
    if len(choice.quotas) > 12:
        hint(f"  and {len(choice.quotas) - 12:,} more groups; --json has all")
    n = len(made.surveys)
    hint(f"{n:,} survey{'s' if n > 1 else ''}, each participant is asked about {max(map(len, made.surveys)):,} at most")


def _listed(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(f"#{each}" for each in numbers[:8])
    return shown + (" …" if len(numbers) > 8 else "")
