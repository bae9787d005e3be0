"""The schemas of five generations: three shipped, two derived from them.

0.27 is 0.29 without what came between, and without decidim_awesome; 0.30 has taxonomies like 0.31 and endorsements
like 0.29. No schema of a live 0.27 or 0.30 is at hand.
"""

from __future__ import annotations

import re
from functools import cache

from graphql import GraphQLSchema, build_schema

from tests.shared_data import copied

GENERATIONS = ("0.27", "0.29", "0.30", "0.31", "0.32")
_FILES = {
    "0.29": "decidim-0.29.4+awesome-0.12.5.schema.graphql",
    "0.31": "decidim-0.31.1-core.schema.graphql",
    "0.32": "decidim-0.32.1+awesome-0.15.0.schema.graphql",
}
_TAXONOMY = """
type Taxonomy { children: [Taxonomy!]! id: ID! isRoot: Boolean! name: TranslatedField! parent: Taxonomy }
"""


@cache
def schema_of(generation: str) -> GraphQLSchema:
    """Return the schema of a generation."""
    return build_schema(_sdl(generation))


def _sdl(generation: str) -> str:
    if generation == "0.27":
        return _without(_sdl("0.29"), "Proposal", "withdrawn", "withdrawnAt", "voteWeights", "bodyFields")
    if generation == "0.30":
        text = _sdl("0.29")
        for name in ("Proposal", "Debate", "Result"):
            text = _without(text, name, "category", "voteWeights")
            text = re.sub(rf"(type {name} implements [^{{]*\{{)", r"\1\n  taxonomies: [Taxonomy!]", text)
            text = re.sub(rf"(type {name} implements [^{{]*?)CategorizableInterface & (?=[^{{]*\{{)", r"\1", text)
        return text + _TAXONOMY
    return copied(f"decidim/api/{_FILES[generation]}").decode()


def _without(text: str, name: str, *fields: str) -> str:
    """Return a schema without some fields of a type."""
    begins = text.index(f"type {name} ")
    ends = text.index("\n}", begins)
    kept = [line for line in text[begins:ends].split("\n") if line.strip().split(":")[0].split("(")[0] not in fields]
    return text[:begins] + "\n".join(kept) + text[ends:]
