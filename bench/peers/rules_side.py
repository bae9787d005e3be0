"""The peers' side of bench/rules.py: abcvoting and pabutools, in their own environment.

Runs as `.venv-bench/bin/python -m bench.peers.rules_side WHAT FILE ... PROGRESS`
and prints one JSON object. Imports nothing of auzolan.

Each is called as its documentation says. Making its profile is not timed.
abcvoting completes equal shares by sequential Phragmén unless it is told not
to; pabutools never completes it. abcvoting breaks ties by the lower number, and
pabutools by the name, which here is the number with leading zeros.
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from abcvoting import abcrules, properties
from abcvoting.preferences import Profile
from pabutools.election import ApprovalBallot, ApprovalProfile, Cost_Sat, Instance, Project
from pabutools.rules import method_of_equal_shares

from bench.bounded import note
from bench.conversations import load
from bench.measure import timed

EXACT, FLOAT = "standard-fractions", "float-fractions"


def abc_profile(ballots: Sequence[Sequence[int]], n_candidates: int) -> Profile:
    """Return ballots as abcvoting holds them."""
    profile = Profile(n_candidates)
    profile.add_voters(ballots)
    return profile


def pabu(ballots: Sequence[Sequence[int]], n_candidates: int, seats: int) -> tuple[Instance, ApprovalProfile]:
    """Return ballots as pabutools holds them: each candidate a project that costs 1, and one unit a seat."""
    projects = [Project(f"{number:06d}", 1) for number in range(n_candidates)]
    profile = ApprovalProfile([ApprovalBallot([projects[c] for c in ballot]) for ballot in ballots])
    return Instance(projects, budget_limit=seats), profile


def numbers(projects: Sequence[Project]) -> list[int]:
    """Return projects by number, in the order of their election."""
    return [int(project.name) for project in projects]


def check(place: Path) -> dict[str, object]:
    """Count small elections: one outcome by the lower number, and all that ties allow."""
    found = []
    for ballots, n_candidates, seats in json.loads(place.read_text()):
        profile = abc_profile(ballots, n_candidates)
        instance, approvals = pabu(ballots, n_candidates, seats)
        rules = {
            "abcvoting, equal shares": (abcrules.compute_equal_shares, {"completion": None}),
            "abcvoting, completed": (abcrules.compute_equal_shares, {}),
            "abcvoting, phragmen": (abcrules.compute_seqphragmen, {}),
        }
        one: dict[str, object] = {}
        for name, (rule, options) in rules.items():
            lowest = rule(profile, seats, algorithm=EXACT, resolute=True, **options)
            allowed = rule(profile, seats, algorithm=EXACT, resolute=False, **options)
            one[name] = [sorted(lowest[0]), [sorted(each) for each in allowed]]
        lowest = method_of_equal_shares(instance, approvals, Cost_Sat)
        allowed = method_of_equal_shares(instance, approvals, Cost_Sat, resoluteness=False)
        one["pabutools, equal shares"] = [sorted(numbers(lowest)), [sorted(numbers(each)) for each in allowed]]
        one["ejr+"] = bool(properties.check_EJR_plus(profile, range(seats)))
        found.append(one)
    return {
        "version": f"abcvoting {version('abcvoting')}, pabutools {version('pabutools')}, gmpy2 {version('gmpy2')}",
        "found": found,
    }


def ballots_of(place: Path) -> tuple[list[list[int]], int]:
    """Return who agrees with what in a conversation, and how many statements there are."""
    conversation = load(place)
    rows = [conversation.packed[a:b] for a, b in zip(conversation.starts[:-1], conversation.starts[1:], strict=True)]
    return [(row[(row & 3) == 2] >> 2).tolist() for row in rows], conversation.n_statements


def measure(what: str, place: Path, seats: int, progress: Path) -> dict[str, object]:
    """Run one rule on a whole conversation."""
    ballots, n_candidates = ballots_of(place)
    results: list[list[int]] = []
    if what == "pabutools":
        instance, approvals = pabu(ballots, n_candidates, seats)
        note(progress, "equal shares")
        cost = timed(1, lambda: results.append(numbers(method_of_equal_shares(instance, approvals, Cost_Sat))))
    else:
        profile = abc_profile(ballots, n_candidates)
        note(progress, "equal shares")
        cost = timed(
            1,
            lambda: results.append(
                list(abcrules.compute_equal_shares(profile, seats, algorithm=FLOAT, completion=None)[0])
            ),
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"total": cost, "stages": {"equal shares": cost}, "winners": results[0], "peak": peak}


def main() -> None:
    """Run what is asked for."""
    warnings.simplefilter("ignore")
    what, place, *rest, progress = sys.argv[1:]
    if what == "check":
        print(json.dumps(check(Path(place))))
    else:
        print(json.dumps(measure(what, Path(place), int(rest[0]), Path(progress))))


if __name__ == "__main__":
    main()
