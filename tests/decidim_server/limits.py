"""The limits of Decidim's API, counted over the parsed query as graphql-ruby and Decidim count them.

A field counts 1 and what is below it; what is below a connection's items counts as often as the page asks for.
A field with fields below it may stand in itself once (`RecursionAnalyzer`), `node`, `nodes` and `edges` apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

MAX_PAGE, MAX_DEPTH, MAX_COMPLEXITY, MAX_NESTED = 50, 15, 5000, 2
_IGNORED = frozenset({"node", "nodes", "edges", "ofType"})


class Counted:
    """A query with the values of its variables.

    Attributes:
        complexity, depth: of it.
        nested: name of a field that stands in itself too often, or "".
        introspects: whether it asks about the schema.
    """

    def __init__(self, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        operation = next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))
        self._variables = variables
        self._top = list(self._fields(operation.selection_set))
        self.complexity = sum(map(self._complexity, self._top))
        self.depth = max(map(self._depth, self._top), default=0)
        self.nested = next((name for each in self._top if (name := self._nested(each, {}))), "")
        self.introspects = any(each.name.value in ("__schema", "__type") for each in self._top)

    def _fields(self, selections: SelectionSetNode | None) -> Iterator[FieldNode]:
        for each in selections.selections if selections else ():
            if isinstance(each, FieldNode):
                yield each
            elif isinstance(each, FragmentSpreadNode):
                yield from self._fields(self._fragments[each.name.value].selection_set)
            else:
                yield from self._fields(each.selection_set)  # type: ignore[attr-defined]

    def _complexity(self, field: FieldNode) -> int:
        below = list(self._fields(field.selection_set))
        names = {each.name.value for each in below}
        if not names & {"edges", "nodes"}:
            return 1 + sum(map(self._complexity, below))
        info = [each for each in below if each.name.value == "pageInfo"]
        apart = sum(map(self._complexity, info))
        lists = len(names & {"edges", "nodes"})
        items = sum(map(self._complexity, below)) - apart - lists
        return 1 + apart + lists + self._page(field) * items

    def _page(self, field: FieldNode) -> int:
        for argument in field.arguments or ():
            if argument.name.value in ("first", "last"):
                value: Any = argument.value
                found = self._variables.get(value.name.value) if isinstance(value, VariableNode) else value.value
                if found is not None:
                    return min(int(found), MAX_PAGE)
        return MAX_PAGE

    def _depth(self, field: FieldNode) -> int:
        return 1 + max(map(self._depth, self._fields(field.selection_set)), default=0)

    def _nested(self, field: FieldNode, above: Mapping[str, int]) -> str:
        name = field.name.value
        if field.selection_set is None or name in _IGNORED:
            here = dict(above)
        else:
            here = {**above, name: above.get(name, 0) + 1}
            if here[name] > MAX_NESTED:
                return name
        return next((found for each in self._fields(field.selection_set) if (found := self._nested(each, here))), "")


def refusal(counted: Counted, generation: str) -> dict[str, Any] | None:
    """Return the error that the API answers with, or None."""
    if counted.complexity > MAX_COMPLEXITY:
        return {"message": f"Query has complexity of {counted.complexity}, which exceeds max complexity of 5000"}
    if counted.depth > MAX_DEPTH:
        return {"message": f"Query has depth of {counted.depth}, which exceeds max depth of 15"}
    if generation == "0.32" and counted.nested:
        return {
            "message": f"Recursive query - too many of fields '[{counted.nested!r}]' in one branch of the query",
            "extensions": {"code": "TOO_MANY_RECURSIONS"},
        }
    if generation == "0.32" and counted.introspects:
        return {"message": "Introspection is disabled", "extensions": {"code": "INTROSPECTION_DISABLED_ERROR"}}
    return None
