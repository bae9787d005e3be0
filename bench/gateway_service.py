"""Our side of bench/gateway.py: makes a synthetic commons with a service, ready to be served.

Runs as `.venv/bin/python -m bench.gateway_service FOLDER`; the commons is then
at FOLDER/town, the keys at FOLDER/home. Everything in it is real but its
people: records are signed, logged and verified as in any commons. The service
has the default rules and, beside their patterns, 500 more, on questions and
answers; whatever holds one of them is refused.
"""

from __future__ import annotations

import sys
import tomllib
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.town import document, root_record, sign

from auzolan.core.kinds import read_kind
from auzolan.core.kinds.constitution import Constitution, Principle
from auzolan.core.kinds.dataset import Base
from auzolan.core.kinds.run import RuntimePolicy, Service
from auzolan.core.kinds.selection import Article, Outcome
from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.keys import PublicKey
from auzolan.core.record.keystore import PROMISED, KeyStore, Memory
from auzolan.run.rules.table import check_articles, read_rules
from bench.filling import open_log_key
from bench.gateway_ours import N_PATTERNS
from bench.gateway_work import MODEL

N_WORDS = 400
ARTICLE = "1.1"
DATE = "2026-11-20"


def rules_table() -> JsonObject:
    """Return the default rules with 500 more things to look for, none of which is in a question or an answer."""
    table: dict[str, Any] = tomllib.loads(files("auzolan.run.rules").joinpath("default.toml").read_text())
    listed = {
        "id": "listed",
        "in": ["request", "answer"],
        "words": [f"synthetic term {number}" for number in range(N_WORDS)],
        "patterns": [rf"\bcase {number}/[0-9]{{4}}\b" for number in range(N_PATTERNS - N_WORDS)],
    }
    rule = {
        "id": "nothing-listed",
        "effect": "deny",
        "article": ARTICLE,
        "why": "What is on the list of the assembly is not for this service.",
        "when": {"topics": ["listed"]},
    }
    table["topics"].append(listed)
    table["rules"].append(rule)
    table["limits"] |= {"requests_at_once": 64, "requests_waiting": 256}
    check_articles(read_rules(table), {ARTICLE})
    return table


def constitution(made_of: str, rules: str) -> Constitution:
    """Return a constitution of one article, which rests on a document in place of a vote."""
    principle = Principle(ARTICLE, "The service keeps to its list.", "en", "verbatim", "", (0,), "selected", {})
    outcome = Outcome("A", "before", {"seats": 1}, (), (Article(0, "equal-shares", 1),), (), (), (), None)
    return Constitution(made_of, made_of, rules, "Synthetic", DATE, (principle,), {ARTICLE: 0}, outcome)


def service(law: str, rules: str, key: PublicKey) -> Service:
    """Return a service without adapters, whose model is the stand-in."""
    digest = sha256(b"synthetic").hexdigest()
    return Service(
        constitution=law,
        rules=rules,
        adapters=(),
        name=MODEL,
        title="Synthetic service",
        purpose="To be measured.",
        languages=("en",),
        base=Base(MODEL, "llama", digest, digest, "", digest),
        system_prompt="",
        tools=(),
        operator="nobody",
        contact="nowhere",
        review_at="2027-11-20",
        runtime_key=key,
        origin=f"auzolan/town-00000001/run/{MODEL}",
    )


def make(folder: Path) -> None:
    """Make the commons and the key that signs answers."""
    from auzolan.cli.commons import Commons

    town = Commons(folder / "town")
    (town.root / "private").mkdir(parents=True)
    town.governance_file.write_text("# synthetic; the rules in force stand in the ledger\n")
    home = folder / "home"
    home.mkdir(mode=0o700)
    key = KeyStore(home).create("demo/stand-in-runtime", b"")
    root, minutes = root_record(demo=True), None
    with town.writing() as ledger:
        minutes = document("Minutes (synthetic)", commons=root.id)
        law = constitution(minutes.id, root.id).to_record()
        policy = RuntimePolicy(law.id, "Synthetic rules", rules_table()).to_record()
        served = service(law.id, policy.id, key).to_record()
        for record in (root, minutes, law, policy, served):
            read_kind(record)
            ledger.commit([sign(record)], open_log_key, Memory(home, PROMISED))


if __name__ == "__main__":
    make(Path(sys.argv[1]))
