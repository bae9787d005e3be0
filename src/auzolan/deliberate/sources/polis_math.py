"""Polis' data as JSON: votes.json, statements.json, math-pca2.json.

votes.json is a list of votes, statements.json (optional) one of statements,
math-pca2.json (optional) what Polis' mathematics made of them; of the last,
the opinion groups, their counts and the lists of moderated and meta statements
are used, to see how agree is written and which groups were published.

Checks: files of at most `source.MAX_WHOLE` bytes; whole numbers, written as such or as text or as 17.0; no key twice in
one object; nobody in two groups; group counts that fit the votes.
Does not check: anything else that the mathematics says.
JSON has no lines to speak of: an error names file, entry and field.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NoReturn

from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.conversation import Moderation, Statement
from auzolan.deliberate.sources.cells import MAX_ID, shown
from auzolan.deliberate.sources.polis_raw import LATEST, MODERATION, Names, Progress, RawConversation, step
from auzolan.deliberate.sources.sign import ASSUMED, Comparison, Sign, as_told, sign_from
from auzolan.deliberate.sources.source import Source
from auzolan.deliberate.sources.texts import Texts
from auzolan.deliberate.votes import Rows, pack

VOTES, STATEMENTS, MATH = "votes.json", "statements.json", "math-pca2.json"
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)


def read_math(
    source: Source, roles: Mapping[str, str], names: Names, told: int | None, progress: Progress
) -> RawConversation:
    """Read JSON files.

    Args:
        source: where the files are.
        roles: usual name of a file -> its name here; votes.json is among them.
        names: pseudonyms.
        told: how agree is written, if whoever imports has stated it.
        progress: is shown the rows read.

    Raises:
        MalformedError: a file has not the form that Polis gives it.
    """
    texts = Texts()
    rows = _read_votes(_read_json(source, roles[VOTES]), roles[VOTES], names, progress)
    math = _as_object(_read_json(source, roles[MATH]), roles[MATH]) if MATH in roles else {}
    listing = _read_json(source, roles[STATEMENTS]) if STATEMENTS in roles else []
    statements = _read_statements(listing, roles.get(STATEMENTS, STATEMENTS), math, texts)
    groups = _read_groups(math, names) if "group-clusters" in math else {}
    sign = as_told(told) if told else _sign(rows, math, groups)
    return RawConversation(
        layout=", ".join(roles[role] for role in (VOTES, STATEMENTS, MATH) if role in roles),
        rows=rows,
        sign=sign,
        statements=statements,
        texts=texts,
        listed=frozenset(name for members in groups.values() for name in members),
        groups=groups,
    )


def _read_json(source: Source, member: str) -> object:
    try:
        return json.loads(
            source.whole(member).decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError as error:
        raise MalformedError(f"{member}: not UTF-8 (byte {error.start + 1:,} of the file)") from None
    except json.JSONDecodeError as error:
        what = "begins with a byte-order mark" if "BOM" in error.msg else f"not JSON: {error.msg}"
        raise MalformedError(f"{member}, line {error.lineno:,}, column {error.colno:,}: {what}") from None
    except RecursionError:
        raise MalformedError(f"{member}: nested too deep") from None
    except ValueError as error:
        raise MalformedError(
            f"{member}: {error if isinstance(error, _JsonError) else 'a number is too long'}"
        ) from None


class _JsonError(ValueError):
    """JSON that Python's reader would let pass."""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _JsonError("a key is there twice in one object")
    return result


def _refuse_constant(text: str) -> NoReturn:
    raise _JsonError(f"{text} is no JSON number")


def _as_object(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise MalformedError(f"{where}: expected an object")
    return value


def _as_list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise MalformedError(f"{where}: expected a list")
    return value


def _as_whole(value: object, where: str, least: int = 0, most: int = MAX_ID) -> int:
    number = None
    if isinstance(value, str):
        number = int(value) if _WHOLE.fullmatch(value) else None
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    if number is None or not least <= number <= most:
        got = shown(value) if isinstance(value, str) else "a number out of bounds" if number is not None else "none"
        raise MalformedError(f"{where}: expected a whole number from {least:,} to {most:,}, got {got}")
    return number


def _field(entry: dict[str, object], where: str, *spellings: str) -> tuple[object, str]:
    """Return the value of a field that has several spellings, and its place."""
    for name in spellings:
        if name in entry:
            return entry[name], f"{where}, field {name}"
    raise MalformedError(f"{where}: the field “{spellings[0]}” is missing")


def _read_votes(data: object, member: str, names: Names, progress: Progress) -> Rows:
    rows = Rows()
    for number, item in enumerate(_as_list(data, member), start=1):
        where = f"{member}, entry {number:,}"
        entry = _as_object(item, where)
        who = _as_whole(*_field(entry, where, "participant_id", "pid"))
        statement = _as_whole(*_field(entry, where, "statement_id", "tid"))
        vote = _as_whole(*_field(entry, where, "vote"), least=-1, most=1)
        at = _as_whole(*_field(entry, where, "modified"), most=LATEST)
        rows.add(names[str(who)], statement, vote, at)
        step(progress, member, number)
    return rows


def _read_statements(data: object, member: str, math: dict[str, object], texts: Texts) -> dict[int, Statement]:
    """Return what the two files say of statements; Polis lists meta statements under mod-out too."""
    out, meta, known = (frozenset(_ids(math, key)) for key in ("mod-out", "meta-tids", "tids"))
    statements: dict[int, Statement] = {}
    for number, item in enumerate(_as_list(data, member), start=1):
        where = f"{member}, entry {number:,}"
        entry = _as_object(item, where)
        key = _as_whole(*_field(entry, where, "statement_id", "tid"))
        if key in statements:
            raise MalformedError(f"{where}: this statement is there twice")
        is_meta = _flag(entry, where, "is_meta") or key in meta
        moderation = _moderation(entry, where)
        if key in out and not is_meta:
            moderation = "out"
        text = _text(entry, where, texts, moderation == "out")
        statements[key] = Statement(key, text, moderation, is_meta, _flag(entry, where, "is_seed"))
    for key in sorted((out | meta | known) - set(statements)):
        statements[key] = Statement(key, "", "out" if key in out - meta else "open", key in meta)
    return statements


def _ids(math: dict[str, object], key: str) -> Iterator[int]:
    for item in _as_list(math.get(key) or [], f"{MATH}, {key}"):
        yield _as_whole(item, f"{MATH}, {key}")


def _moderation(entry: dict[str, object], where: str) -> Moderation:
    if "moderated" not in entry and "mod" not in entry:
        return "open"
    return MODERATION[_as_whole(*_field(entry, where, "moderated", "mod"), least=-1, most=1)]


def _flag(entry: dict[str, object], where: str, name: str) -> bool:
    value = entry.get(name)
    if value is not None and not isinstance(value, bool):
        raise MalformedError(f"{where}, field {name}: expected true or false")
    return bool(value)


def _text(entry: dict[str, object], where: str, texts: Texts, is_out: bool) -> str:
    text = entry.get("txt", entry.get("text", ""))
    if not isinstance(text, str):
        raise MalformedError(f"{where}: expected a text")
    return texts.clean(text, lambda why: MalformedError(f"{where}, text: {why}"), is_out)


def _read_groups(math: dict[str, object], names: Names) -> dict[int, list[str]]:
    """Return group id -> pseudonyms; members of a group are base clusters, whose members are participants."""
    base = _as_object(math.get("base-clusters"), f"{MATH}, base-clusters")
    ids, lists = (_as_list(base.get(key), f"{MATH}, base-clusters, {key}") for key in ("id", "members"))
    if len(ids) != len(lists):
        raise MalformedError(f"{MATH}, base-clusters: {len(ids):,} ids for {len(lists):,} lists of members")
    clusters = {
        _as_whole(key, f"{MATH}, base-clusters, id"): [
            _as_whole(who, f"{MATH}, base-clusters, members")
            for who in _as_list(members, f"{MATH}, base-clusters, members")
        ]
        for key, members in zip(ids, lists, strict=True)
    }
    groups: dict[int, list[str]] = {}
    for item in _as_list(math["group-clusters"], f"{MATH}, group-clusters"):
        where = f"{MATH}, group-clusters"
        group = _as_object(item, where)
        key = _as_whole(*_field(group, where, "id"))
        if key in groups:
            raise MalformedError(f"{where}: group {key} is there twice")
        members = [_as_whole(member, where) for member in _as_list(group.get("members"), f"{where}, members")]
        if unknown := set(members) - set(clusters):
            raise MalformedError(f"{where}, group {key}: {min(unknown)} is no base cluster")
        groups[key] = [names[str(who)] for member in members for who in clusters[member]]
    everyone = [name for members_of in groups.values() for name in members_of]
    if len(everyone) != len(set(everyone)):
        raise MalformedError(f"{MATH}, group-clusters: somebody is in two groups, or twice in one")
    return groups


def _sign(rows: Rows, math: dict[str, object], groups: Mapping[int, list[str]]) -> Sign:
    if "group-votes" in math and groups:
        found = sign_from(_count(rows, math, groups), "groups and statements", f"A and D of group-votes in {MATH}")
        if found:
            return found
    return Sign(1, ASSUMED)


def _count(rows: Rows, math: dict[str, object], groups: Mapping[int, list[str]]) -> Iterator[Comparison]:
    ballots = pack(rows).table.to_ballots()
    published = _as_object(math["group-votes"], f"{MATH}, group-votes")
    for key, members in groups.items():
        where = f"{MATH}, group-votes, {key}"
        cast = Counter(cell for who in members for cell in ballots.get(who, {}).items())
        votes = _as_object(_as_object(published.get(str(key)), where).get("votes"), f"{where}, votes")
        for name, item in votes.items():
            statement = _as_whole(name, f"{where}, votes")
            counts = _as_object(item, f"{where}, votes, {statement}")
            stated = (_as_whole(*_field(counts, f"{where}, votes, {statement}", part)) for part in "AD")
            yield Comparison(cast[statement, 1], cast[statement, -1], *stated)
