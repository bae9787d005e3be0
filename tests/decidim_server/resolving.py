"""What each field of the schema tells of an `Instance`."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from tests.decidim_server.instance import TYPES, Instance, Node
from tests.decidim_server.limits import MAX_PAGE

_SPACES = {
    "participatoryProcesses": "processes",
    "assemblies": "assemblies",
    "conferences": "conferences",
    "initiatives": "initiatives",
}
_SPACE = {"participatoryProcess": "processes", "assembly": "assemblies", "conference": "conferences"}
_SPACE_NAMES = {"processes": "ParticipatoryProcess", "assemblies": "Assembly", "conferences": "Conference"}


@dataclass
class Context:
    """What resolvers look at.

    Attributes:
        instance: what is there.
        generation: how newer errors are told.
        is_admin: whether the request may answer proposals.
        nulls: (type, field) that are told as null.
        answered: (component, proposal) -> appended for each answer that was given, as each notifies people.
    """

    instance: Instance
    generation: str
    is_admin: bool
    nulls: set[tuple[str, str]]
    answered: list[tuple[int, str]]


def type_of(value: Any, _info: GraphQLResolveInfo[Any], _type: Any) -> str:
    """Return the name of a node's type."""
    return str(value["__typename"])


def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    """Return what a field tells."""
    context: Context = info.context
    parent, name = info.parent_type.name, info.field_name
    if (parent, name) in context.nulls:
        return None
    special = _SPECIAL.get(parent, {}).get(name) or _ANY.get(name)
    if special:
        return special(source, context, arguments)
    found = source.get(name) if isinstance(source, Mapping) else None
    if str(info.return_type).rstrip("!") == "TranslatedField":
        return None if found is None else {"texts": found, "machine": (source.get("machine") or {}).get(name, {})}
    return found


def _translations(source: Node, _context: Context, arguments: Mapping[str, Any]) -> list[Node]:
    told = [{"locale": at, "text": text, "machineTranslated": False} for at, text in source["texts"].items()]
    return told + [{"locale": at, "text": text, "machineTranslated": True} for at, text in source["machine"].items()]


def _component(_source: Any, context: Context, arguments: Mapping[str, Any]) -> Node | None:
    found = context.instance.components.get(int(arguments["id"]))
    if found is None and context.generation == "0.32":
        raise GraphQLError("Component not found", extensions={"code": "NOT_FOUND_ERROR"})
    return found and {**found, "name": {"ca": "Component"}, "weight": 1, "url": _component_url(context, found)}


def _component_url(context: Context, component: Node) -> str:
    kind, space = component["space"]
    locale = "/ca" if context.generation == "0.32" else ""
    return f"https://{context.instance.host}{locale}/{kind}/{space['slug']}/f/{component['id']}/"


def _space_of(source: Node, _context: Context, _arguments: Mapping[str, Any]) -> Node:
    kind, space = source["space"]
    return {"__typename": "ParticipatorySpace", "id": space["id"], "title": space["title"], "type": TYPES[kind]}


def _spaces(kind: str) -> Callable[..., list[Node]]:
    def resolve_them(_source: Any, context: Context, _arguments: Mapping[str, Any]) -> list[Node]:
        return [_space(context, kind, each) for each in context.instance.spaces.get(kind, ())]

    return resolve_them


def _one_space(kind: str) -> Callable[..., Node | None]:
    def resolve_it(_source: Any, context: Context, arguments: Mapping[str, Any]) -> Node | None:
        row = context.instance.spaces.get(kind, ())
        return next((_space(context, kind, each) for each in row if each["id"] == arguments.get("id")), None)

    return resolve_it


def _space(context: Context, kind: str, space: Node) -> Node:
    components = [context.instance.components.get(number) for number in space["components"]]
    return {**space, "__typename": _SPACE_NAMES[kind], "type": TYPES[kind], "components": components}


def _connection(source: Node, context: Context, arguments: Mapping[str, Any]) -> Node:
    """Return a page, as Relay connections over a list do: the cursor is the place in the list, as it is now."""
    items = source["items"]
    if (arguments.get("order") or {}).get("id") == "asc":
        items = sorted(items, key=lambda each: int(each["id"]))
    after = arguments.get("after")
    begin = int(base64.b64decode(after + "==")) if after else 0
    asked = arguments.get("first")
    size = MAX_PAGE if asked is None else min(int(asked), MAX_PAGE)
    shown = items[begin : begin + size]
    kind, space = source["space"]
    nodes = [None if each.get("hidden") else {**each, "of": source, "where": (kind, space["slug"])} for each in shown]
    cursors = [base64.b64encode(str(begin + n + 1).encode()).decode().rstrip("=") for n in range(len(shown))]
    return {
        "pageInfo": {
            "hasNextPage": begin + size < len(items),
            "hasPreviousPage": begin > 0,
            "endCursor": cursors[-1] if cursors else None,
            "startCursor": cursors[0] if cursors else None,
        },
        "nodes": nodes,
        "edges": [{"cursor": at, "node": node} for at, node in zip(cursors, nodes, strict=True)],
    }


def _url(folder: str) -> Callable[..., str]:
    def resolve_it(source: Node, context: Context, _arguments: Mapping[str, Any]) -> str:
        if "of" not in source:
            return f"https://{context.instance.host}/x"
        return f"{_component_url(context, source['of'])}{folder}/{source['id']}"

    return resolve_it


def _fingerprint(source: Node, _context: Context, _arguments: Mapping[str, Any]) -> Node:
    texts = {}
    for name in ("title", "body"):
        machine = source["machine"].get(name)
        texts[name] = {**source[name], **({"machine_translations": machine} if machine else {})}
    text = json.dumps(texts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    value = sha256(text.encode()).hexdigest()
    return {"value": source.get("wrong_fingerprint", value), "source": text}


def _comments(source: Node, _context: Context, arguments: Mapping[str, Any]) -> list[Node | None]:
    return [None if each.get("deleted") else each for each in source["comments"] if not each.get("hidden")]


def _count(source: Node, _context: Context, _arguments: Mapping[str, Any]) -> int:
    return source["n_comments"] if "n_comments" in source else _n_shown(source["comments"])


def _n_shown(comments: list[Node]) -> int:
    return sum(1 + _n_shown(each["comments"]) for each in comments if not each.get("hidden"))


def _commentable(_source: Any, context: Context, arguments: Mapping[str, Any]) -> Node | None:
    if arguments["locale"] not in ("ca", "es", "eu", "en"):
        raise GraphQLError("Invalid locale", extensions={"code": "INVALID_LOCALE_ERROR"})
    return context.instance.find(str(arguments["type"]).rsplit("::", 1)[-1], arguments["id"])


def _votes(source: Node, _context: Context, _arguments: Mapping[str, Any]) -> int | None:
    return None if source["of"].get("votes_hidden") else source["votes"]


def _linked(source: Node, context: Context, _arguments: Mapping[str, Any]) -> list[Node | None]:
    return [context.instance.find("Proposal", number) for number in source["proposals"]]


def _parent(source: Node, context: Context, _arguments: Mapping[str, Any]) -> Node | None:
    return context.instance.find("Result", source["parent"]) if source["parent"] else None


def _amendments(source: Node, _context: Context, _arguments: Mapping[str, Any]) -> list[Node]:
    return [{**each, "emendation": {"__typename": "Proposal", **each["emendation"]}} for each in source["amendments"]]


def _decidim(_source: Any, context: Context, _arguments: Mapping[str, Any]) -> Node:
    version = context.instance.version
    return {"version": version, "applicationName": "Decidim de prova"}


def _changed(source: Any, context: Context, arguments: Mapping[str, Any]) -> Node | None:
    found = context.instance.components.get(int(arguments["id"]))
    if found is None:
        raise GraphQLError("Component not found", extensions={"code": "NOT_FOUND_ERROR"})
    if not context.is_admin:
        raise GraphQLError("Not authorized", extensions={"code": "MUTATION_NOT_AUTHORIZED_ERROR"})
    return {**found, "__typename": "ProposalsMutation"}


def _to_change(source: Node, _context: Context, arguments: Mapping[str, Any]) -> Node | None:
    found = [each for each in source["items"] if each["id"] == arguments["id"]]
    return {"__typename": "ProposalMutation", "item": found[0], "of": source} if found else None


def _answer(source: Node, context: Context, arguments: Mapping[str, Any]) -> Node:
    said, item = arguments["input"]["attributes"], source["item"]
    if said["state"] not in ("accepted", "rejected", "evaluating"):
        text = '[{"path":["attributes","state"],"message":"is not included in the list"}]'
        raise GraphQLError(text, extensions={"code": "ATTRIBUTE_VALIDATION_ERROR"})
    item |= {"state": said["state"], "answer": dict(said["answerContent"]), "answeredAt": "2026-05-01T10:00:00Z"}
    context.answered.append((int(source["of"]["id"]), item["id"]))
    return {**item, "of": source["of"]}


def _one_proposal(source: Node, _context: Context, arguments: Mapping[str, Any]) -> Node | None:
    found = next((each for each in source["items"] if each["id"] == arguments["id"]), None)
    return found and {**found, "of": source}


_Resolver = Callable[[Any, Context, Mapping[str, Any]], Any]
_ANY: Mapping[str, _Resolver] = {
    "translations": _translations,
    "totalCommentsCount": _count,
    "hasComments": lambda source, *_: any(not each.get("hidden") for each in source["comments"]),
    "comments": _comments,
    "commentsHaveAlignment": lambda source, *_: source.get("aligned", True),
    "commentsHaveVotes": lambda source, *_: source.get("voted", True),
    "likesCount": lambda source, *_: source["likes"],
    "endorsementsCount": lambda source, *_: source["likes"],
    "category": lambda source, *_: (source["taxonomies"] or [None])[0],
    "participatorySpace": _space_of,
    "proposals": _connection,
    "debates": _connection,
    "results": _connection,
    "type": lambda source, *_: source.get("type", source["__typename"]),
}
_SPECIAL: Mapping[str, Mapping[str, _Resolver]] = {
    "Query": {
        "component": _component,
        "commentable": _commentable,
        "decidim": _decidim,
        **{name: _spaces(kind) for name, kind in _SPACES.items()},
        **{name: _one_space(kind) for name, kind in _SPACE.items()},
    },
    "Mutation": {"component": _changed},
    "Proposals": {"proposal": _one_proposal},
    "ProposalsMutation": {"proposal": _to_change},
    "ProposalMutation": {"answer": _answer},
    "Proposal": {
        "url": _url("proposals"),
        "fingerprint": _fingerprint,
        "voteCount": _votes,
        "voteWeights": lambda source, *_: source.get("weights"),
        "authorsCount": lambda source, *_: max(1, len(source["authors"])),
        "amendments": _amendments,
    },
    "Debate": {"url": _url("debates")},
    "Result": {"url": _url("results"), "proposals": _linked, "parent": _parent},
}
