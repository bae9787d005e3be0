"""What a Decidim's API knows, found by asking: newer ones refuse to tell their schema.

The question of each generation is asked about a component that there cannot
be. A server checks a question against its schema first, so that a refusal tells which fields are unknown, and "there is
no such component" that all are known. The version, where told, only says which generation is tried first.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.errors import MalformedError
from auzolan.deliberate.decidim.api.asking import Api, Said, is_object
from auzolan.deliberate.decidim.api.queries import GENERATIONS, KINDS, VERSION, Listed, page

NO_COMPONENT = "0"
_VERSION = re.compile(r"0\.(\d{1,3})(\.[0-9A-Za-z.+-]{1,40})?")
_MOST_ROUNDS = 12


class Known(NamedTuple):
    """What an API knows.

    Attributes:
        layout: name of the generation.
        version: of the Decidim, as it says itself, or "".
        fields: of proposals, beside those that every generation has.
    """

    layout: str
    version: str
    fields: tuple[str, ...]


def probe(api: Api) -> Known:
    """Return the generation of an API.

    Raises:
        MalformedError: it is of none.
        AuzolanError: as `Api.ask`.
    """
    version = _version(api.ask(VERSION, {}))
    found = _VERSION.fullmatch(version)
    refused: Said | None = None
    for layout in _in_order(int(found[1]) if found else None):
        fields, refused = _known(api, "proposal", KINDS["proposal"].optional, GENERATIONS[layout])
        if refused is None:
            return Known(layout, version, fields)
    raise MalformedError(
        f"{api.address}: its API has none of the forms of Decidim 0.27 to 0.32{refused.why if refused else ''}"
    )


def known_fields(api: Api, kind: Listed) -> tuple[str, ...]:
    """Return the fields of a class that not all generations have and this API has.

    Raises:
        MalformedError: it does not have those that all have.
        AuzolanError: as `Api.ask`.
    """
    fields, refused = _known(api, kind, KINDS[kind].optional)
    if refused is not None:
        raise MalformedError(f"{api.address}: its API does not tell of {kind}s as Decidim 0.27 to 0.32 do{refused.why}")
    return fields


def _known(
    api: Api, kind: Listed, optional: tuple[str, ...], required: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], Said | None]:
    """Return the required fields and those of the others that are known, or the refusal that remains without these."""
    fields = (*required, *optional)
    for _ in range(_MOST_ROUNDS):
        said = api.ask(page(KINDS[kind], fields), {"component": NO_COMPONENT, "first": 1, "after": None})
        if said.data is not None:
            return fields, None
        unknown = {each.unknown for each in said.refusals} & set(fields)
        if not unknown or unknown & set(required):
            break
        fields = tuple(name for name in fields if name not in unknown)
    return fields, said


def _in_order(minor: int | None) -> list[str]:
    layouts = list(GENERATIONS)
    if minor is None or minor >= 31:
        return layouts
    first = layouts[1] if minor == 30 else layouts[2]
    return [first, *(each for each in layouts if each != first)]


def _version(said: Said) -> str:
    told: JsonObject = said.data or {}
    decidim = told.get("decidim")
    version = decidim.get("version") if is_object(decidim) else None
    return version if isinstance(version, str) and _VERSION.fullmatch(version) else ""
