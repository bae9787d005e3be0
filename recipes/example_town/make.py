"""Make the votes of the example town: synthetic throughout, the same files in every run.

    python recipes/example_town/make.py votes FOLDER            a Polis export, strata, conflicts, translations
    python recipes/example_town/make.py wording POLL.csv FILE   the people's vote on the wording, as a survey

Nobody here exists. About 1,500 invented people of three invented habits of mind
vote on the statements of `statements.csv`, which says how likely each habit is
to agree and to disagree. Most see few statements, some see all. Forty false
accounts vote within minutes, all alike.

It is not a model of how people vote; it has what a deliberation can have, so
that the demo can show what becomes of it.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

STATEMENTS = Path(__file__).parent / "statements.csv"
TOPIC = "How should our town's public assistant behave? (synthetic)"
SEED, SECOND_SEED = 20261121, 20261134
START_MS = 1_788_220_800_000  # 1 September 2026, 00:00 UTC
DAY_MS = 86_400_000
HABITS = ("careful", "practical", "villages")
SHARES = (0.36, 0.31, 0.33)
WAVERING = 0.04  # of the people have no habit: they vote as anybody might
HURRIED = 0.16  # see only two to six statements
N_PEOPLE, N_FALSE, N_SECOND = 1_500, 40, 1_100
DISTRICTS = ("Old town", "Station quarter", "New quarter", "Villages")
# Of each habit, how many of 100 live in each district; the rest did not say.
LIVE_IN = ((42, 29, 20, 4), (18, 30, 42, 5), (3, 5, 7, 80))
TRANSLATIONS = ("es", "ca", "eu")
AGREE, PASS, DISAGREE = 1, 0, -1


@dataclass(frozen=True)
class Statement:
    """A row of `statements.csv`.

    Attributes:
        id: as in the export.
        texts: language -> text; English is the original, the others are translations.
        kind: what it is here for.
        tendencies: per habit, how likely it agrees and disagrees; else it passes.
    """

    id: int
    texts: dict[str, str]
    kind: str
    tendencies: tuple[tuple[float, float], ...]


class Vote(NamedTuple):
    """A row of `votes.csv`."""

    at: int
    statement: int
    voter: int
    vote: int


def main(arguments: Sequence[str]) -> None:
    """Write the files of one of the two votes."""
    match arguments:
        case ["votes", folder]:
            make_votes(Path(folder))
        case ["wording", poll, out]:
            make_wording(Path(poll), Path(out))
        case _:
            sys.exit(__doc__)


def read_statements() -> list[Statement]:
    """Return the statements of the example town, by id."""
    with STATEMENTS.open(encoding="utf-8", newline="") as stream:
        return [_statement(row) for row in csv.DictReader(stream)]


def _statement(row: dict[str, str]) -> Statement:
    tendencies = []
    for habit in HABITS:
        agree, disagree = (int(number) / 100 for number in row[habit].split("/"))
        tendencies.append((agree, disagree))
    return Statement(int(row["id"]), {tag: row[tag] for tag in ("en", *TRANSLATIONS)}, row["kind"], tuple(tendencies))


def make_votes(folder: Path) -> None:
    """Write a raw export, and beside it who lives where, what cannot both hold, and the translations."""
    chance, statements = random.Random(SEED), read_statements()
    habits = _habits(chance, N_PEOPLE)
    votes = _honest_votes(chance, statements, habits)
    votes += _false_votes(chance, statements, N_PEOPLE)
    votes.sort()
    folder.mkdir(parents=True, exist_ok=True)
    note = f"SYNTHETIC: nobody here exists, and nobody voted.\n{TOPIC}\n"
    (folder / "SYNTHETIC.txt").write_text(f"{note}Made by recipes/example_town/make.py of Auzolan.\n", encoding="utf-8")
    rows = ((vote.at, "", vote.statement, vote.voter, vote.vote) for vote in votes)
    _write(folder / "votes.csv", ["timestamp", "datetime", "comment-id", "voter-id", "vote"], rows)
    _write_comments(folder, statements, votes)
    _write_matrix(folder, len(statements), votes, N_PEOPLE + N_FALSE)
    _write(folder / "summary.csv", ["topic", TOPIC], [("url", ""), ("voters", N_PEOPLE + N_FALSE)])
    where = ((voter, _district(chance, habit)) for voter, habit in enumerate(habits))
    _write(folder / "strata.csv", ["participant", "district"], where)
    pair = [each.id for each in statements if each.kind == "conflict"]
    (folder / "conflicts.json").write_text(json.dumps([pair]) + "\n", encoding="utf-8")
    texts = ((each.id, tag, each.texts[tag]) for each in statements for tag in TRANSLATIONS)
    _write(folder / "translations.csv", ["statement", "language", "text"], texts)


def _habits(chance: random.Random, n: int) -> list[int]:
    """Draw everybody's habit of mind; one more than there are stands for none."""
    return [len(HABITS) if chance.random() < WAVERING else chance.choices(range(3), SHARES)[0] for _ in range(n)]


def _vote(chance: random.Random, tendencies: Sequence[tuple[float, float]], habit: int) -> int:
    if habit == len(HABITS):
        habit = chance.choices(range(3), SHARES)[0]
    agree, disagree = tendencies[habit]
    drawn = chance.random()
    return AGREE if drawn < agree else DISAGREE if drawn < agree + disagree else PASS


def _honest_votes(chance: random.Random, statements: Sequence[Statement], habits: Sequence[int]) -> list[Vote]:
    """Let everybody see some of the statements, the early ones rather than the late."""
    votes = []
    weights = [_weight(each) for each in statements]
    for voter, habit in enumerate(habits):
        few = chance.random() < HURRIED
        many = 2 + chance.randrange(5) if few else min(len(statements), 7 + int(chance.lognormvariate(3.1, 0.85)))
        # The largest of u ** (1 / weight) are a sample without replacement (Efraimidis & Spirakis 2006).
        keys = sorted((chance.random() ** (1 / weight), number) for number, weight in enumerate(weights))
        at = START_MS + chance.randrange(14 * DAY_MS)
        for _, number in keys[-many:]:
            at += chance.randrange(2_000, 40_000)
            each = statements[number]
            votes.append(Vote(at, each.id, voter, _vote(chance, each.tendencies, habit)))
            if chance.random() < 0.01:  # somebody changes their mind
                votes.append(Vote(at + 60_000, each.id, voter, _vote(chance, each.tendencies, habit)))
    return votes


def _weight(statement: Statement) -> float:
    """Return how readily a statement was shown: what came late less, what was taken out soon hardly."""
    return {"spam": 0.05, "duplicate": 0.25, "pushed": 0.8, "minority": 3.0}.get(statement.kind, 1.0)


def _false_votes(chance: random.Random, statements: Sequence[Statement], first: int) -> list[Vote]:
    """Let false accounts push one statement and vote down its rivals, all within twelve minutes of one night."""
    (pushed,) = (each.id for each in statements if each.kind == "pushed")
    sides = {pushed: AGREE} | {each.id: DISAGREE for each in statements if each.kind == "rival"}
    votes = []
    for voter in range(first, first + N_FALSE):
        at = START_MS + 9 * DAY_MS + 3 * 3_600_000 + chance.randrange(700_000)
        votes += [Vote(at + 1_000 * step, each, voter, side) for step, (each, side) in enumerate(sides.items())]
    return votes


def _district(chance: random.Random, habit: int) -> str:
    if habit == len(HABITS):
        return chance.choice(DISTRICTS)
    shares = LIVE_IN[habit]
    return chance.choices((*DISTRICTS, ""), (*shares, 100 - sum(shares)))[0]


def _write_comments(folder: Path, statements: Sequence[Statement], votes: Sequence[Vote]) -> None:
    header = ["timestamp", "datetime", "comment-id", "author-id", "agrees", "disagrees", "moderated", "comment-body"]
    sides: dict[int, list[int]] = {each.id: [] for each in statements}
    for vote in votes:
        sides[vote.statement].append(vote.vote)
    rows = (
        (
            START_MS + each.id * 3_600_000,
            "",
            each.id,
            0,
            sides[each.id].count(AGREE),
            sides[each.id].count(DISAGREE),
            -1 if each.kind == "spam" else 1,
            each.texts["en"],
        )
        for each in statements
    )
    _write(folder / "comments.csv", header, rows)


def _write_matrix(folder: Path, n_statements: int, votes: Sequence[Vote], n_voters: int) -> None:
    header = ["participant", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree"]
    own: list[dict[int, int]] = [{} for _ in range(n_voters)]
    for vote in votes:  # by time, so that the last one counts
        own[vote.voter][vote.statement] = vote.vote
    rows = []
    for voter, last in enumerate(own):
        sides = list(last.values())
        cells = [last.get(number, "") for number in range(n_statements)]
        rows.append((voter, "", 0, len(sides), sides.count(AGREE), sides.count(DISAGREE), *cells))
    _write(folder / "participants-votes.csv", header + [str(number) for number in range(n_statements)], rows)


def make_wording(poll: Path, out: Path) -> None:
    """Write how the people vote on drafted wording: nearly everybody on everything."""
    with poll.open(encoding="utf-8-sig", newline="") as stream:
        texts = [text for _, text in list(csv.reader(stream))[1:]]  # number, text
    statements, habits = read_statements(), _habits(random.Random(SECOND_SEED), N_SECOND)
    words = {AGREE: "agree", DISAGREE: "disagree", PASS: "pass"}
    columns = []
    for text in texts:
        # Each text has its own chance, so that the order of the poll changes nobody's vote.
        chance, asked = random.Random(f"{SECOND_SEED} {text}"), _tendencies_of(text, statements)
        columns.append(["" if chance.random() < 0.02 else words[_vote(chance, asked, habit)] for habit in habits])
    chance = random.Random(f"{SECOND_SEED} district")
    ballots = zip((_district(chance, habit) for habit in habits), *columns, strict=True)
    rows = ((f"synthetic-{number:04}", *cells) for number, cells in enumerate(ballots, 1))
    out.parent.mkdir(parents=True, exist_ok=True)
    _write(out, ["id", "district", *texts], rows)


def _tendencies_of(text: str, statements: Sequence[Statement]) -> Sequence[tuple[float, float]]:
    """Return those of the statement that a wording came from: the same text, else the most similar one."""
    plain = " ".join(text.split()).casefold()
    found = max(statements, key=lambda each: SequenceMatcher(None, plain, each.texts["en"].casefold()).ratio())
    return found.tendencies


def _write(path: Path, header: list[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main(sys.argv[1:])
