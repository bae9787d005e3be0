"""Make SYNTHETIC responses to the surveys of a kit, in the layout in which Decidim exports them.

    python recipes/decidim_responses.py KIT-DIR OUT-DIR --people 400 --lang ca
    python recipes/decidim_responses.py poll.csv OUT-DIR --lang ca

The second makes responses to a survey that asks about a wording, as
`auzolan deliberate put-to-vote` lists it, each row with its place in front.

Nobody here exists: invented people of three invented habits of mind answer the
surveys that `auzolan deliberate kit` laid out (survey-1.json ...), each one
survey, as they are told to, and some of them a second one. For each survey
there are responses-N.json and responses-N.csv, as an administrator gets them:
with the columns about the respondent, a question that is no matrix, options
with empty places, rows without an answer. The names of those columns are in
English, which Decidim would translate.

As in Decidim since 0.24, a person has another ID in each survey; with
--shared-ids the same in all, as before. The same files in every run with the
same --seed.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEED = 20261121
SHARES = (0.45, 0.33, 0.22)  # of the habits of mind
ANSWERS_TWICE = 0.03
LEAVES_OUT = 0.12
PASSES = 0.10
TEMPERS = (0.92, 0.84, 0.35, 0.12)  # how likely a habit of mind is to agree with a statement
AGREE, PASS, DISAGREE = 1, 0, -1  # as the kit writes them beside the options
HEADINGS = ("ID", "Answered on", "IP Hash", "User status")
OF_POLL = {
    "en": ("Do you agree that this becomes an article?", "Agree", "Disagree", "Pass"),
    "ca": ("Esteu d'acord que això sigui un article?", "D'acord", "En desacord", "M'abstinc"),
    "es": ("¿Está de acuerdo en que esto sea un artículo?", "De acuerdo", "En desacuerdo", "Me abstengo"),
    "eu": ("Ados zaude hau artikulu izan dadin?", "Ados", "Ez nago ados", "Abstenitzen naiz"),
}
LABEL = "SYNTHETIC: invented people, made with recipes/decidim_responses.py. No evidence of anything.\n"


@dataclass(frozen=True)
class Survey:
    """One survey of the kit.

    Attributes:
        number: of the survey.
        question: the title of its matrix.
        options: what each means and is called, in their order.
        rows: statement and row, such as "[12] Text".
    """

    number: int
    question: str
    options: tuple[tuple[int, str], ...]
    rows: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Response:
    """One response: the ID, when, and a vote per row, None where it was left out."""

    person: str
    minute: int
    votes: tuple[int | None, ...]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the responses to all surveys of a kit."""
    parser = argparse.ArgumentParser(description="Make synthetic responses to the surveys of a kit.")
    parser.add_argument("kit", type=Path, help="folder with survey-1.json, survey-2.json ...; or a poll.csv")
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--lang", default="", help="language of the export; by default the first of the kit")
    parser.add_argument("--form", choices=("json", "csv", "both"), default="both", help="of the export")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--shared-ids", action="store_true", help="one ID per person in all surveys")
    options = parser.parse_args(arguments)
    read = read_poll if options.kit.suffix == ".csv" else read_kit
    surveys = read(options.kit, options.lang)
    options.out.mkdir(parents=True, exist_ok=True)
    for survey, responses in answer(surveys, options.people, options.seed, options.shared_ids):
        write(options.out, survey, responses, options.form)
    (options.out / "SYNTHETIC.txt").write_text(LABEL, encoding="utf-8")


def read_kit(folder: Path, language: str) -> list[Survey]:
    """Return the surveys of a kit in one language."""
    paths = sorted(folder.glob("survey-*.json"))
    if not paths:
        raise SystemExit(f"{folder} holds no survey-N.json; make a kit first")
    surveys = [_survey(json.loads(path.read_text(encoding="utf-8")), language, path) for path in paths]
    return sorted(surveys, key=lambda survey: survey.number)


def read_poll(path: Path, language: str) -> list[Survey]:
    """Return one survey that asks about a wording."""
    question, *options = OF_POLL[language or "en"]
    with path.open(encoding="utf-8", newline="") as stream:
        words = [row["comment_text"] for row in csv.DictReader(stream)]
    rows = tuple((place, f"[{place}] {text}") for place, text in enumerate(words, 1))
    return [Survey(1, question, tuple(zip((AGREE, DISAGREE, PASS), options, strict=True)), rows)]


def _survey(data: dict[str, Any], language: str, path: Path) -> Survey:
    chosen = language or next(iter(data["question"]))
    if chosen not in data["question"]:
        raise SystemExit(f"{path.name} is in {', '.join(data['question'])}, not in {chosen}")
    options = tuple((option["vote"], option["text"][chosen]) for option in data["options"])
    rows = tuple((row["statement"], row["text"][chosen]) for row in data["rows"])
    return Survey(data["survey"], data["question"][chosen], options, rows)


def answer(
    surveys: Sequence[Survey], people: int, seed: int, has_shared_ids: bool
) -> list[tuple[Survey, list[Response]]]:
    """Let people answer: each one survey, a few two."""
    chance = random.Random(seed)
    ids = sorted({key for survey in surveys for key, _ in survey.rows})
    tempers = {key: [chance.choice(TEMPERS) for _ in SHARES] for key in ids}
    for key in ids[::3]:  # a third of the statements unite
        tempers[key] = [chance.uniform(0.78, 0.96) for _ in SHARES]
    found: dict[int, list[Response]] = {survey.number: [] for survey in surveys}
    for person in range(people):
        habit = chance.choices(range(len(SHARES)), SHARES)[0]
        own = chance.sample(list(surveys), 2 if len(surveys) > 1 and chance.random() < ANSWERS_TWICE else 1)
        for survey in own:
            votes = tuple(_vote(chance, tempers[key][habit]) for key, _ in survey.rows)
            token = _token(seed, person, 0 if has_shared_ids else survey.number)
            found[survey.number].append(Response(token, chance.randrange(14 * 1440), votes))
    return [(survey, sorted(found[survey.number], key=lambda each: each.minute)) for survey in surveys]


def _vote(chance: random.Random, agree: float) -> int | None:
    if chance.random() < LEAVES_OUT:
        return None
    if chance.random() < PASSES:
        return PASS
    return AGREE if chance.random() < agree else DISAGREE


def _token(*parts: int) -> str:
    """Return a number of 24 digits, as IDs are."""
    return str(10**23 + int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()) % (9 * 10**23))


def _about(response: Response) -> list[str]:
    day, minute = divmod(response.minute, 1440)
    return [
        response.person,
        f"2026-10-{day + 1:02} {minute // 60:02}:{minute % 60:02}:00 UTC",
        _token(7, response.minute),
        "Registered",
    ]


def write(folder: Path, survey: Survey, responses: Sequence[Response], form: str = "both") -> None:
    """Write the responses to one survey as JSON, as CSV, or as both."""
    first, matrix = "1. How did you hear of this survey?", f"2. {survey.question}"
    rows = [row for _, row in survey.rows]

    def cells(response: Response) -> list[list[str | None]] | None:
        """Return the options of each row, None for those that were not chosen; nothing where no row was answered."""
        if all(vote is None for vote in response.votes):
            return None
        return [[word if vote == meant else None for meant, word in survey.options] for vote in response.votes]

    listed = []
    for response in responses:
        about, answered = dict(zip(HEADINGS, _about(response), strict=True)), cells(response)
        answers = dict(zip(rows, answered, strict=True)) if answered else ""
        listed.append({**about, first: ["Friends"], matrix: answers})
    path = folder / f"responses-{survey.number}.json"
    if form != "csv":
        path.write_text(json.dumps(listed, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if form == "json":
        return
    with (folder / f"responses-{survey.number}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=";", lineterminator="\n")
        writer.writerow([*HEADINGS, first, *(f"{matrix}/{row}" for row in rows)])
        for response in responses:
            joined = [", ".join(word or "" for word in words) for words in cells(response) or [[]] * len(rows)]
            writer.writerow([*_about(response), "Friends", *joined])


if __name__ == "__main__":
    main()
