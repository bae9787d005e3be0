"""Make `recipes/town-votes/`: a synthetic Polis export, to try things out with.

    python recipes/town_votes.py

Nobody here exists: 160 invented voters of three invented habits of mind vote on
what the assistant of a town should do. The same files in every run.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

FOLDER = Path(__file__).parent / "town-votes"
SEED = 20261120
START_MS = 1_788_220_800_000  # 1 September 2026, 00:00 UTC
HABITS = ("cautious", "direct", "local")
SHARES = (0.45, 0.33, 0.22)
# Statement, moderation (1 in, -1 out), and how likely each habit of mind is to agree.
STATEMENTS = (
    ("The assistant should say so when it is not sure.", 1, (0.95, 0.88, 0.93)),
    ("It should answer in the language in which it was asked.", 1, (0.90, 0.86, 0.98)),
    ("It should use plain words, and explain the official ones.", 1, (0.93, 0.84, 0.92)),
    ("It should name the office and the person in charge.", 1, (0.86, 0.90, 0.84)),
    ("It should never pretend to be a human being.", 1, (0.96, 0.79, 0.88)),
    ("It should tell people about help that they did not ask for.", 1, (0.60, 0.85, 0.78)),
    ("It should refuse to talk about medical questions.", 1, (0.72, 0.18, 0.40)),
    ("It should give a clear recommendation and not only list options.", 1, (0.22, 0.90, 0.48)),
    ("It should answer in Basque first, unless asked otherwise.", 1, (0.30, 0.16, 0.93)),
    ("It should point to the source of each fact.", 1, (0.92, 0.74, 0.80)),
    ("It should remember earlier conversations of the same person.", 1, (0.12, 0.72, 0.35)),
    ("Conversations should be deleted after a day.", 1, (0.88, 0.38, 0.62)),
    ("It may make a joke now and then.", 1, (0.34, 0.76, 0.52)),
    ("It should send difficult cases to a person at the desk.", 1, (0.94, 0.72, 0.90)),
    ("It should not take sides between political parties.", 1, (0.93, 0.88, 0.87)),
    ("It should explain both sides when neighbours disagree.", 1, (0.86, 0.70, 0.81)),
    ("It should put local shops first when asked where to buy.", 1, (0.40, 0.28, 0.92)),
    ("It should correct people who repeat false rumours.", 1, (0.50, 0.86, 0.44)),
    ("Children should get other answers than adults.", 1, (0.78, 0.42, 0.70)),
    ("It should cost the town no more than one job at the desk.", 1, (0.62, 0.55, 0.66)),
    ("It should run on the town's own machines.", 1, (0.84, 0.52, 0.91)),
    ("The police should be able to read what people ask.", 1, (0.06, 0.20, 0.08)),
    ("It should be switched off if people stop trusting it.", 1, (0.90, 0.66, 0.86)),
    ("Buy my cousin's printer!", -1, (0.05, 0.05, 0.05)),
)


def main() -> None:
    """Write the four files of a raw export."""
    chance = random.Random(SEED)
    voters = [chance.choices(range(3), SHARES)[0] for _ in range(160)]
    rows: list[tuple[int, int, int, int]] = []
    for voter, habit in enumerate(voters):
        seen = chance.sample(range(len(STATEMENTS)), min(len(STATEMENTS), 4 + int(chance.expovariate(1 / 13))))
        moment = START_MS + chance.randrange(14 * 86_400_000)
        for statement in seen:
            moment += chance.randrange(2_000, 40_000)
            rows.append((moment, statement, voter, _vote(chance, STATEMENTS[statement][2][habit])))
            if chance.random() < 0.01:  # somebody changes their mind
                rows.append((moment + 60_000, statement, voter, _vote(chance, STATEMENTS[statement][2][habit])))
    FOLDER.mkdir(exist_ok=True)
    _write(
        "votes.csv",
        ["timestamp", "datetime", "comment-id", "voter-id", "vote"],
        [(t, "", s, w, v) for t, s, w, v in sorted(rows)],
    )
    _write_comments(rows)
    _write_matrix(rows, len(voters))
    topic = [("topic", "What should our town's assistant do? (synthetic)"), ("url", ""), ("voters", len(voters))]
    _write("summary.csv", list(map(str, topic[0])), topic[1:])


def _vote(chance: random.Random, agree: float) -> int:
    if chance.random() < 0.12:
        return 0
    return 1 if chance.random() < agree else -1


def _write_comments(rows: list[tuple[int, int, int, int]]) -> None:
    header = ["timestamp", "datetime", "comment-id", "author-id", "agrees", "disagrees", "moderated", "comment-body"]
    table = []
    for number, (text, moderation, _) in enumerate(STATEMENTS):
        votes = [vote for _, statement, _, vote in rows if statement == number]
        table.append((START_MS + number, "", number, 0, votes.count(1), votes.count(-1), moderation, text))
    _write("comments.csv", header, table)


def _write_matrix(rows: list[tuple[int, int, int, int]], n_voters: int) -> None:
    last = {(voter, statement): vote for _, statement, voter, vote in sorted(rows)}
    header = ["participant", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree", *range(len(STATEMENTS))]
    table = []
    for voter in range(n_voters):
        own = {statement: vote for (who, statement), vote in last.items() if who == voter}
        votes = list(own.values())
        cells = [own.get(number, "") for number in range(len(STATEMENTS))]
        table.append((voter, "", 0, len(votes), votes.count(1), votes.count(-1), *cells))
    _write("participants-votes.csv", [str(name) for name in header], table)


def _write(name: str, header: list[str], rows: list[tuple[object, ...]]) -> None:
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
