"""What the Decidim of the tests holds, as plain data: synthetic people who are only numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Node = dict[str, Any]
AT = "2026-03-01T10:00:00Z"
TYPES = {
    "processes": "Decidim::ParticipatoryProcess",
    "assemblies": "Decidim::Assembly",
    "conferences": "Decidim::Conference",
    "initiatives": "Decidim::Initiative",
}


def an_author(number: int, *, deleted: bool = False, group: bool = False) -> Node:
    """Return a participant; the name is there so that tests can look for it where it must not be."""
    return {
        "__typename": "UserGroup" if group else "User",
        "id": str(number),
        "name": f"Secret Name {number}",
        "nickname": f"secret_nick_{number}",
        "deleted": deleted,
    }


def a_comment(number: int, body: str, *answers: Node, author: Node | None = None, **more: Any) -> Node:
    """Return a comment with the comments that answer it."""
    return {
        "__typename": "Comment",
        "id": str(number),
        "body": body,
        "alignment": 0,
        "upVotes": 0,
        "downVotes": 0,
        "createdAt": AT,
        "author": author or an_author(number % 7 + 1),
        "comments": list(answers),
        **more,
    }


def a_proposal(number: int, title: str = "", body: str = "", **more: Any) -> Node:
    """Return a proposal of one participant, in Catalan."""
    return {
        "__typename": "Proposal",
        "id": str(number),
        "reference": f"TOWN-PROP-2026-03-{number}",
        "title": {"ca": title or f"Proposta {number}"},
        "body": {"ca": body or f"El text de la proposta {number}."},
        "machine": {},
        "answer": None,
        "state": "not_answered",
        "official": False,
        "createdInMeeting": False,
        "withdrawn": False,
        "authors": [an_author(number % 7 + 1)],
        "votes": number % 11,
        "likes": number % 3,
        "taxonomies": [],
        "scope": None,
        "amendments": [],
        "comments": [],
        "publishedAt": AT,
        "createdAt": AT,
        "updatedAt": AT,
        "answeredAt": None,
        **more,
    }


def a_debate(number: int, **more: Any) -> Node:
    """Return a debate."""
    return {
        "__typename": "Debate",
        "id": str(number),
        "title": {"ca": f"Debat {number}"},
        "description": {"ca": "<p>Parlem-ne.</p>"},
        "conclusions": {"ca": "<p>Fet.</p>"},
        "reference": f"TOWN-DEBA-2026-03-{number}",
        "likes": 2,
        "taxonomies": [],
        "scope": None,
        "comments": [],
        "createdAt": AT,
        "updatedAt": AT,
        "closedAt": None,
        **more,
    }


def a_result(number: int, **more: Any) -> Node:
    """Return a result."""
    return {
        "__typename": "Result",
        "id": str(number),
        "title": {"ca": f"Resultat {number}"},
        "description": {"ca": "<p>Fet</p>"},
        "reference": f"TOWN-RESU-2026-03-{number}",
        "progress": 66.5,
        "status": {"__typename": "Status", "id": "1", "key": "ongoing"},
        "proposals": [],
        "parent": None,
        "taxonomies": [],
        "scope": None,
        "comments": [],
        "createdAt": AT,
        "updatedAt": AT,
        **more,
    }


@dataclass
class Instance:
    """A whole Decidim; tests change it as they like, also while it is read.

    Attributes:
        spaces: kind -> list of spaces, each with "id", "slug", "title" and "components" (numbers).
        components: number -> {"__typename", "items", "space": (kind, position), "votes_hidden", ...}.
        host: that URLs are on.
        version: disclosed, or None.
        deleted_hidden: whether comments without a "body" are told as null, which takes the whole list with it.
    """

    spaces: dict[str, list[Node]] = field(default_factory=dict)
    components: dict[int, Node] = field(default_factory=dict)
    host: str = "decidim.example.org"
    version: str | None = None

    def add(self, number: int, typename: str, items: list[Node], kind: str = "processes", slug: str = "pla") -> None:
        """Add a component, and its space where it is not there yet."""
        row = self.spaces.setdefault(kind, [])
        space = next((each for each in row if each["slug"] == slug), None)
        if space is None:
            space = {"id": str(len(row) + 1), "slug": slug, "title": {"ca": f"Espai {slug}"}, "components": []}
            row.append(space)
        space["components"].append(number)
        self.components[number] = {"__typename": typename, "id": str(number), "items": items, "space": (kind, space)}

    def items(self, number: int) -> list[Node]:
        """Return the list of what a component holds, to be changed in place."""
        found: list[Node] = self.components[number]["items"]
        return found

    def find(self, typename: str, number: str) -> Node | None:
        """Return a node by its class and number, comments included."""
        for component in self.components.values():
            for item in component["items"]:
                if typename == "Comment":
                    if found := _in_thread(item["comments"], number):
                        return found
                elif item["__typename"] == typename and item["id"] == number:
                    return dict(item)
        return None


def _in_thread(comments: list[Node], number: str) -> Node | None:
    for each in comments:
        if each["id"] == number:
            return each
        if found := _in_thread(each["comments"], number):
            return found
    return None


def deep_thread(start: int) -> Node:
    """Return a comment with replies down to depth 3, at each depth two."""
    leaf = [a_comment(start + 6 + n, f"profunditat 3, {n}") for n in range(2)]
    third = [a_comment(start + 4, "profunditat 2", *leaf), a_comment(start + 5, "profunditat 2, sense resposta")]
    second = [a_comment(start + 2, "profunditat 1", *third), a_comment(start + 3, "també")]
    return a_comment(start, "profunditat 0", *second, alignment=1, upVotes=3, downVotes=1)


def small_instance(n_proposals: int = 30) -> Instance:
    """Return an instance with everything that the client must understand, none of it real."""
    green = {"id": "3", "name": {"ca": "Verd", "en": "Green"}}
    centre = {"id": "9", "name": {"ca": "Centre"}}
    proposals = [a_proposal(number) for number in range(1, n_proposals + 1)]
    proposals[0] |= {"comments": [deep_thread(100)], "taxonomies": [green], "scope": centre, "weights": {"Verd": 4}}
    proposals[1] |= {"official": True, "authors": [], "body": {"ca": "<p>Un &amp; dos</p><p>tres</p>"}}
    proposals[2] |= {"createdInMeeting": True, "authors": []}
    proposals[3] |= {"authors": [an_author(50, group=True), an_author(51, deleted=True)]}
    proposals[4] |= {"withdrawn": True, "state": "withdrawn"}
    proposals[5] |= {"machine": {"title": {"en": "Proposal 6"}, "body": {"en": "The text."}}}
    proposals[6] |= {"state": "accepted", "answer": {"ca": "<p>Sí.</p>"}, "answeredAt": "2026-04-01T12:00:00+02:00"}
    proposals[7] |= {"amendments": [{"id": "1", "state": "accepted", "emendation": {"id": "9"}}]}
    proposals[9] |= {"comments": [a_comment(200, "adéu", author=an_author(5, deleted=True))]}
    instance = Instance()
    instance.add(6, "Proposals", proposals)
    instance.add(7, "Debates", [a_debate(1, comments=[deep_thread(300)]), a_debate(2)])
    instance.add(8, "Accountability", [a_result(1, proposals=["1", "3"]), a_result(2, parent="1")])
    instance.add(9, "Meetings", [])
    instance.add(12, "Proposals", [a_proposal(900), a_proposal(901)], kind="assemblies", slug="consell")
    return instance
