"""One question each: a page of a list, a thread of comments, what there is; as what is kept of the answer.

What is kept (`kept`) is JSON without names, and numbers that lead to the next question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from auzolan.core.record.canonical import JsonObject, JsonValue, as_object
from auzolan.core.record.errors import MalformedError, MissingError
from auzolan.deliberate.decidim.api.asking import Api, Said, TooMuchError, is_object
from auzolan.deliberate.decidim.api.kept import TOO_MUCH, UNTOLD, keep
from auzolan.deliberate.decidim.api.nodes import FromNode, Place, count_of, id_of, items_of, token_of
from auzolan.deliberate.decidim.api.queries import COMPONENT, KINDS, SPACES, Listed, page, slug, spaces, thread
from auzolan.deliberate.decidim.cards import Cards
from auzolan.deliberate.decidim.entities import Entity, EntityClass

COMMENTABLE = "Decidim::Comments::Comment"
_KIND_OF = {kind.typename: name for name, kind in KINDS.items()}


class Fetching:
    """Questions to one Decidim, with what its answers are read by."""

    def __init__(self, api: Api, host: str, pseudonym: Callable[[str], str], cards: Cards) -> None:
        self._api, self._host, self._pseudonym, self._cards = api, host, pseudonym, cards

    def spaces(self, class_name: str) -> JsonObject:
        """Return the components of all public spaces of a class, none where the Decidim has no such class."""
        field, _, folder = SPACES[class_name]
        said = self._api.ask(spaces(field), {})
        if said.data is None:
            if any(each.unknown == field for each in said.refusals):
                return {"components": []}
            raise MalformedError(f"{self._api.address}: its API does not list {field}{said.why}")
        told = said.data.get(field)
        if not isinstance(told, list):
            raise MalformedError(f"{self._api.address}: its API told no list of {field}{said.why}")
        found: list[JsonValue] = []
        for space in items_of(told):
            name = space.get("slug")
            path = f"{folder}/{name}" if isinstance(name, str) and name else ""
            locale = _first_locale(space)
            found.extend(
                {"id": id_of(each), "kind": _kind_of(each), "path": path, "locale": locale}
                for each in items_of(space.get("components"))
            )
        return {"components": found}

    def component(self, number: int, needs_path: bool) -> JsonObject:
        """Return what a component is, with where its pages are if that is needed."""
        said = self._api.ask(COMPONENT, {"id": str(number)})
        told = (said.data or {}).get("component")
        if not is_object(told):
            raise MissingError(f"{self._api.address}: it has no public component {number}{said.why}")
        space = as_object(told.get("participatorySpace") or {}, "participatorySpace")
        return {
            "id": number,
            "kind": _kind_of(told),
            "path": self._path(space) if needs_path else "",
            "locale": _first_locale(space),
        }

    def _path(self, space: JsonObject) -> str:
        found = SPACES.get(str(space.get("type")))
        if found is None:
            return ""
        _, field, folder = found
        said = self._api.ask(slug(field), {"id": str(space.get("id"))})
        told = (said.data or {}).get(field)
        name = told.get("slug") if is_object(told) else None
        return f"{folder}/{name}" if isinstance(name, str) and name else ""

    def page(
        self, kind: Listed, place: Place, fields: Sequence[str], after: str | None, size: int, with_threads: bool
    ) -> JsonObject:
        """Return a page of a list, with two levels of the comments on each entity if that is wanted."""
        form = KINDS[kind]
        variables: JsonObject = {"component": str(place.component), "first": size, "after": after}
        try:
            said = self._api.ask_for_less(page(form, fields, with_threads), variables)
        except TooMuchError:
            return dict(TOO_MUCH)
        told = _connection(said, form.field, f"component {place.component}")
        edges: list[JsonValue] = []
        entities: list[JsonValue] = []
        amendments: list[JsonValue] = []
        for edge in items_of(told.get("edges")):
            node = edge.get("node")
            edges.append([_cursor(edge), id_of(node) if is_object(node) else None])
            if is_object(node):
                entities.append(self._entity(kind, place, node))
                amendments += _amendments(node)
        more = as_object(told.get("pageInfo"), "pageInfo").get("hasNextPage") is True
        return {"edges": edges, "more": more, "entities": entities, "amendments": amendments}

    def _entity(self, kind: Listed, place: Place, node: JsonObject) -> JsonObject:
        reader = FromNode(place, self._pseudonym, self._cards)
        make: Callable[[JsonObject], Entity] = getattr(reader, kind)
        kept = keep(make(node), reader.left)
        if isinstance(node.get("comments"), list):
            kept["thread"] = self._comments(place, node, (kind, id_of(node)), None, 0, 2)
        return kept

    def thread(
        self,
        place: Place,
        on: tuple[str, int],
        about: tuple[EntityClass, int],
        levels: Literal[1, 2],
        locale: str,
        depth: int,
    ) -> JsonObject:
        """Return the comments on something, one or two levels of them.

        Args:
            place: where that is.
            on: its class, as Decidim calls it, and number.
            about: what the whole discussion is about.
            levels: how many.
            locale: a language that the Decidim has.
            depth: of the first level.
        """
        variables: JsonObject = {"id": str(on[1]), "type": on[0], "locale": locale}
        try:
            said = self._api.ask_for_less(thread(levels), variables)
        except TooMuchError:
            return dict(UNTOLD)
        told = (said.data or {}).get("commentable")
        if not is_object(told) or not isinstance(told.get("comments"), list):
            return dict(UNTOLD)
        return self._comments(place, told, about, on[1] if on[0] == COMMENTABLE else None, depth, levels)

    def _comments(
        self,
        place: Place,
        told: JsonObject,
        about: tuple[EntityClass, int],
        parent: int | None,
        depth: int,
        levels: Literal[1, 2],
    ) -> JsonObject:
        """Return the comments below a node, and which of them others answer that did not come."""
        found: list[JsonValue] = []
        deeper: list[JsonValue] = []

        def take(node: JsonObject, parent: int | None, depth: int, is_last: bool) -> int:
            reader = FromNode(place, self._pseudonym, self._cards)
            comment = reader.comment(node, about, parent, depth, told)
            found.append(keep(comment, reader.left))
            if is_last and node.get("hasComments") is True:
                deeper.append([comment.key.id, depth + 1])
            return comment.key.id

        for first in items_of(told.get("comments")):
            number = take(first, parent, depth, levels == 1)
            for second in items_of(first.get("comments")):
                take(second, number, depth + 1, True)
        return {"comments": found, "deeper": deeper}


def _connection(said: Said, field: str, what: str) -> JsonObject:
    if said.data is None:
        raise MalformedError(f"{what}: the Decidim refuses the question for its {field}{said.why}")
    component = said.data.get("component")
    if component is None:
        raise MissingError(f"{what}: the Decidim does not show it{said.why}")
    told = component.get(field) if is_object(component) else None
    if not is_object(told) or not isinstance(told.get("edges"), list) or not is_object(told.get("pageInfo")):
        raise MalformedError(f"{what}: the Decidim told no list of its {field}{said.why}")
    return told


def _cursor(edge: JsonObject) -> str:
    cursor = edge.get("cursor")
    if not isinstance(cursor, str) or not cursor:
        raise MalformedError("the API told of a page without a cursor")
    return cursor


def _kind_of(component: JsonObject) -> str:
    return _KIND_OF.get(str(component.get("__typename")), "")


def _first_locale(space: JsonObject) -> str:
    title = space.get("title")
    for each in items_of(title.get("translations") if is_object(title) else None):
        locale, text = each.get("locale"), each.get("text")
        if isinstance(locale, str) and locale and text:
            return locale
    return "en"


def _amendments(node: JsonObject) -> list[JsonValue]:
    """Return the number of each amendment of a proposal, of the proposal, and its state."""
    found: list[JsonValue] = []
    for each in items_of(node.get("amendments")):
        emendation, state = each.get("emendation"), token_of(each.get("state"))
        number = count_of(emendation.get("id")) if is_object(emendation) else None
        if number:
            found.append([number, id_of(node), state or ""])
    return found
