"""The first `governance.toml` of a commons, with comments for whoever edits it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from auzolan.core.record.errors import UsageError
from auzolan.core.record.keys import PublicKey

_HEAD = """\
# Who may say what in this commons, and how many must agree.
# Edit it, run `auzolan propose governance`, and let the others sign: it counts
# once it is committed, when the rules in force and these new ones are both met.
format = "governance/v1"
name = {name}
{demo}
# Rights that no vote lowers. More can be added, none can be taken away:
# rights_floor = [{{ id = "floor.1", text = "Nobody is refused an answer because of who they are." }}]
rights_floor = []

[log]
# The log's name for ever, and the key that signs its checkpoints.
origin = {origin}
key = {key}

[witnesses]
# Neighbours who cosign checkpoints, so that all see the same history
# (their keys: `auzolan key show NAME --witness`). 0 asks for none.
quorum = 0
keys = []

# A principal is a person or a body. It may hold several keys and counts once.
"""

_TAIL = """\
[roles]
steward = {stewards}

[thresholds]
# How many principals of a role must sign a kind of record.
default = {{ role = "steward", count = 1 }}
"governance/v1" = {{ role = "steward", count = {majority} }}

[constitution]
# Articles that a constitution has room for, and the rule that selects them.
seats = 7
rule = "equal-shares"

[ballots]
# Who may see single ballots: "public", "auditors" or "private"; and, unless they are
# public, how many people must stand behind a count of votes that is published.
privacy = "auditors"
min_cell = 5
"""


def governance_toml(
    name: str, origin: str, log_key: PublicKey, principals: Mapping[str, Sequence[PublicKey]], demo: bool
) -> str:
    """Return the text of a first `governance.toml`: all principals are stewards, a majority changes the rules."""
    parts = [
        _HEAD.format(
            name=_quoted(name),
            demo="demo = true # throw-away keys: signatures here prove nothing\n" if demo else "",
            origin=_quoted(origin),
            key=_quoted(str(log_key)),
        )
    ]
    for who, keys in principals.items():
        label = who.replace("-", " ").capitalize()
        listed = ", ".join(_quoted(str(key)) for key in keys)
        parts.append(f"[principals.{who}]\nname = {_quoted(label)}\nkeys = [{listed}]\n\n")
    stewards = ", ".join(_quoted(who) for who in principals)
    parts.append(_TAIL.format(stewards=f"[{stewards}]", majority=len(principals) // 2 + 1))
    return "".join(parts)


def _quoted(text: str) -> str:
    """Return a TOML basic string; JSON's escapes are a subset of TOML's once DEL is refused."""
    if "\x7f" in text:
        raise UsageError("a name must not hold control characters")
    return json.dumps(text, ensure_ascii=False)
