"""The reader of a live Decidim: what its public API tells, whole, as the other readers yield it.

With only the address it finds all public spaces and their proposals, debates
and results; or it reads the components that are named. Each answer is kept (`steps`), so that an interrupted reading
goes on; one that was finished asks anew the next time.

Checks: what `asking`, `paging` and `nodes` check; that as many comments came as
the Decidim counts; that discussions end (`ending`).
Does not check: that the list of components stays the same while it is read.
Left out: names and everything else that `queries` does not ask for, drafts, and what is not public.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from auzolan.core.lm.retry import Backoff
from auzolan.core.record.canonical import JsonObject, as_int, as_list, as_object
from auzolan.core.record.errors import StorageError, UsageError
from auzolan.core.record.files import Files
from auzolan.deliberate.decidim.api.asking import BACKOFF, PER_MINUTE, TIMEOUT_S, Api
from auzolan.deliberate.decidim.api.ending import Ending
from auzolan.deliberate.decidim.api.fetching import COMMENTABLE, Fetching
from auzolan.deliberate.decidim.api.kept import Kept, Thread, read_kept, read_page, read_thread
from auzolan.deliberate.decidim.api.nodes import RULES, Place
from auzolan.deliberate.decidim.api.paging import AskPage, Page, walk_sorted, walk_unsorted
from auzolan.deliberate.decidim.api.probing import Known, known_fields, probe
from auzolan.deliberate.decidim.api.queries import KINDS, PAGE, PAGE_WITH_THREADS, SPACES, Listed
from auzolan.deliberate.decidim.api.steps import Steps
from auzolan.deliberate.decidim.cards import Cards, Meaning
from auzolan.deliberate.decidim.entities import About, Comment, Entity, EntityClass, Left, Proposal
from auzolan.deliberate.decidim.texts import Cleaner
from auzolan.deliberate.decidim.unflatten import host_of

FORMAT = "decidim-api/2"  # of what is kept; another version begins anew
HIDDEN_LEFT = "entities that the Decidim lists and does not show"
UNTOLD_LEFT = "discussions, or branches of one, that the Decidim does not show"
FEWER_LEFT = "comments that the Decidim counts and does not show"
LATE_LEFT = "amendments that came before what they amend"
_RULES = (HIDDEN_LEFT, UNTOLD_LEFT, FEWER_LEFT, LATE_LEFT)
_SMALL = 6  # entities: where their threads are too much for one answer, each thread is asked for on its own
_PUBLIC_PORTS = {("https", 443), ("http", 80)}


class _Component(NamedTuple):
    """A component to be read."""

    place: Place
    kind: Listed
    locale: str


class _Discussion(NamedTuple):
    """Something that people have commented on, and of which more must be asked for.

    Attributes:
        id: of the entity.
        n_comments: as the Decidim counts them.
        waiting: class and number of what comments stand below that did not come, and their depth.
        ending: of it, which knows the comments that came.
    """

    id: int
    n_comments: int
    waiting: tuple[tuple[str, int, int], ...]
    ending: Ending


class LiveDecidim:
    """A reader; each iteration reads the Decidim, or what an interrupted one left to read.

    Attributes:
        host: in the keys of what it yields.
    """

    def __init__(
        self,
        endpoint: str,
        pseudonym: Callable[[str], str],
        store: Files,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        draw: Callable[[], float],
        *,
        started_on: str,
        components: Sequence[int] | None = None,
        with_comments: bool = True,
        headers: Mapping[str, str] | None = None,
        host: str | None = None,
        cards: Mapping[str, Meaning] | None = None,
        per_minute: int = PER_MINUTE,
        timeout_s: float = TIMEOUT_S,
        backoff: Backoff = BACKOFF,
        progress: Callable[[Mapping[str, int]], None] = lambda _: None,
    ) -> None:
        """Ask nothing yet.

        Args:
            endpoint: such as "https://decidim.example.org/api".
            pseudonym: of a participant, by the number in the Decidim.
            store: where answers are kept until the reading is complete; a private place.
            clock, sleep, draw, per_minute, timeout_s, backoff: see `asking.Api`.
            started_on: date; what an interrupted reading of another day got is not gone on with.
            components: numbers of those to read; all public ones without.
            with_comments: whether discussions are read too, with a question or more for each.
            headers: such as `Authorization` and `X-Jwt-Aud`, where the API is not public.
            host: in the keys, where it is not that of the endpoint.
            cards: what voting cards with labels of the instance's own mean.
            progress: told after each answer how many entities of each class there are.

        Raises:
            UsageError: the endpoint, a component or the host is none.
        """
        if components is not None and (not components or min(components) < 1):
            raise UsageError("components: expected their numbers, from 1")
        self._api = Api(
            endpoint, clock, sleep, draw, headers=headers, per_minute=per_minute, timeout_s=timeout_s, backoff=backoff
        )
        address = self._api.address
        port = "" if (address.scheme, address.port) in _PUBLIC_PORTS else f":{address.port}"
        self.host = host_of(host) if host else f"{address.host}{port}".lower()
        self._base = f"https://{self.host}" if host else f"{address.scheme}://{self.host}"
        self._components = None if components is None else sorted(set(components))
        self._pseudonym, self._store, self._progress = pseudonym, store, progress
        self._with_comments, self._cards = with_comments, Cards(cards)
        self._asked: JsonObject = {
            "cards": dict(cards or {}),
            # With a token an API may tell more; which one it is, is written nowhere.
            "with_token": any(name.lower() == "authorization" for name in headers or {}),
            "started_on": started_on,
        }
        self._about: About | None = None

    def about(self) -> About:
        """Return what the source is; only after an iteration has ended.

        Raises:
            UsageError: none has.
        """
        if self._about is None:
            raise UsageError("the Decidim has not been read to its end yet")
        return self._about

    def __iter__(self) -> Iterator[Entity]:
        """Yield every entity once.

        Raises:
            StorageError: the Decidim, the network or the disk failed; what was got is kept.
            AuzolanError: as `asking`, `paging` and `nodes`.
        """
        self._about = None
        steps = Steps(self._store, self._settings())
        run = _Run(self._api, steps, self)
        try:
            yield from run.entities()
        except StorageError as error:
            raise StorageError(f"{error}; {run.so_far()}") from None
        finally:
            self._api.close()
        self._about = run.about()
        steps.finish()

    def _settings(self) -> JsonObject:
        """Return what kept answers depend on."""
        return {
            "format": FORMAT,
            "endpoint": f"{self._api.address}{self._api.address.path}",
            "host": self.host,
            "components": None if self._components is None else list(self._components),
            "with_comments": self._with_comments,
            # Another key or name of the conversation gives other pseudonyms, which must not stand side by side.
            "pseudonyms": self._pseudonym("auzolan: the same pseudonyms?"),
            **self._asked,
        }


class _Run:
    """One reading."""

    def __init__(self, api: Api, steps: Steps, reader: LiveDecidim) -> None:
        self._api, self._steps, self._reader = api, steps, reader
        self._fetching = Fetching(api, reader.host, reader._pseudonym, reader._cards)
        self._left: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._fields: dict[Listed, tuple[str, ...]] = {}
        self._known = Known("", "", ())
        self._amended: dict[int, tuple[int, str]] = {}  # amendment -> what it amends, and its state

    def so_far(self) -> str:
        """Say what was got."""
        got = ", ".join(f"{n:,} {kind}s" for kind, n in sorted(self._rows.items())) or "nothing"
        return f"got so far: {got}; it is kept, and the same command goes on from there"

    def about(self) -> About:
        """Return what the source is."""
        rules = (*(each.rule for each in Cleaner().left), *RULES, *_RULES)
        return About(
            layout=self._known.layout,
            version=self._known.version,
            host=self._reader.host,
            rows={kind: self._rows[kind] for kind in ("proposal", "comment", "debate", "result")},
            left=tuple(Left(rule, self._left[rule]) for rule in rules),
        )

    def entities(self) -> Iterator[Entity]:
        """Yield every entity of every component."""
        kept = self._steps.next("what the API knows", lambda: _known_json(probe(self._api)))
        self._known = _read_known(kept)
        self._fields["proposal"] = self._known.fields
        for component in self._places():
            yield from self._entities_of(component)

    def _places(self) -> Iterator[_Component]:
        """Yield the components to be read, in the order of their numbers."""
        wanted = self._reader._components
        if wanted is None:
            found = [each for name in SPACES for each in self._discovered(name)]
            told = sorted((each for each in found if each["kind"]), key=lambda each: as_int(each["id"], "component"))
        else:
            told = [self._named(number) for number in wanted]
        for each in told:
            number, path = as_int(each["id"], "component"), each["path"]
            url = f"{self._reader._base}/{path}/f/{number}/" if path else ""
            kind = next(name for name in KINDS if name == each["kind"])
            yield _Component(Place(self._reader.host, number, url), kind, str(each["locale"]))

    def _discovered(self, class_name: str) -> list[JsonObject]:
        value = self._steps.next(f"spaces {class_name}", lambda: self._fetching.spaces(class_name))
        return [as_object(each, "component") for each in as_list(value["components"], "components")]

    def _named(self, number: int) -> JsonObject:
        needs_path = "url" not in self._known.fields
        value = self._steps.next(f"component {number}", lambda: self._fetching.component(number, needs_path))
        if not value["kind"]:
            raise UsageError(f"component {number} holds neither proposals nor debates nor results")
        return value

    def _entities_of(self, component: _Component) -> Iterator[Entity]:
        kind, number = component.kind, component.place.component
        fields = self._fields.get(kind)
        if fields is None:
            value = self._steps.next(f"fields of {kind}s", lambda: {"fields": list(known_fields(self._api, kind))})
            fields = self._fields[kind] = tuple(map(str, as_list(value["fields"], "fields")))

        walk = walk_sorted if kind == "proposal" else walk_unsorted
        size = PAGE_WITH_THREADS if self._reader._with_comments else PAGE
        ask = self._asking_for_pages(component, fields)
        discussions: list[_Discussion] = []
        self._amended.clear()
        for fresh in walk(ask, size, f"{kind}s of component {number}"):
            self._left[HIDDEN_LEFT] += fresh.n_hidden
            self._rows[kind] += fresh.n_hidden + len(fresh.ids)
            self._remember_amendments(fresh.page.value)
            for each in as_list(fresh.page.value.get("entities"), "entities"):
                kept = read_kept(each, self._reader.host)
                if kept.entity.key.id in fresh.ids:
                    yield self._with_amendment(self._taken(kept))
                    told = as_object(each, "entity").get("thread")
                    thread = read_thread(told, self._reader.host) if told is not None else None
                    yield from self._begin(component, kept.entity, thread, discussions)
            self._tell()
        for discussion in discussions:
            yield from self._comments(component, discussion)

    def _asking_for_pages(self, component: _Component, fields: tuple[str, ...]) -> AskPage:
        """Return what asks for a page, with its threads, or without where that brings more.

        A comment that is not shown takes its list with it, and that the entity (GraphQL's nulls): the same page is
        then asked for without comments, and each discussion on its own.
        """
        kind, number = component.kind, component.place.component
        can_have_threads = self._reader._with_comments

        def ask_once(after: str | None, size: int, with_threads: bool) -> Page | None:
            asked = (
                f"{kind}s of {number} after {after or 'nothing'}, {size}, {'with' if with_threads else 'no'} threads"
            )
            value = self._steps.next(
                asked, lambda: self._fetching.page(kind, component.place, fields, after, size, with_threads)
            )
            return read_page(value)

        def ask(after: str | None, size: int) -> Page | None:
            nonlocal can_have_threads
            if can_have_threads:
                page = ask_once(after, size, True)
                if page is not None and len(page.ids) == len(page.edges):
                    return page
                if page is None and size > _SMALL:
                    return None
                can_have_threads = page is not None
            return ask_once(after, size, False)

        return ask

    def _begin(
        self, component: _Component, entity: Entity, thread: Thread | None, discussions: list[_Discussion]
    ) -> Iterator[Comment]:
        """Yield the comments that came with an entity, and note where others must be asked for."""
        if isinstance(entity, Comment) or not entity.n_comments or not self._reader._with_comments:
            return
        number, n_comments = entity.key.id, entity.n_comments
        ending = Ending(f"{component.kind} {number}", n_comments)
        waiting: tuple[tuple[str, int, int], ...] = ((KINDS[component.kind].commentable, number, 0),)
        if thread is not None:
            yield from self._fresh(thread, ending)
            waiting = tuple((COMMENTABLE, answered, depth) for answered, depth in ending.deeper(thread.deeper))
        if waiting:
            discussions.append(_Discussion(number, n_comments, waiting, ending))
        else:
            self._left[FEWER_LEFT] += max(0, n_comments - ending.n_seen)

    def _taken(self, kept: Kept) -> Entity:
        self._left.update(kept.left)
        return kept.entity

    def _fresh(self, thread: Thread, ending: Ending) -> Iterator[Comment]:
        for kept in thread.comments:
            entity = kept.entity
            if isinstance(entity, Comment) and ending.is_new(entity.key.id):
                self._rows["comment"] += 1
                self._taken(kept)
                yield entity

    def _remember_amendments(self, value: JsonObject) -> None:
        for each in as_list(value.get("amendments"), "amendments"):
            match each:
                case [int(number), int(of), str(state)]:
                    self._amended[number] = (of, state)

    def _with_amendment(self, entity: Entity) -> Entity:
        if not isinstance(entity, Proposal) or entity.key.id not in self._amended:
            return entity
        amends, state = self._amended[entity.key.id]
        self._left[LATE_LEFT] += amends > entity.key.id
        return replace(entity, amends=amends, amendment_state=state or None)

    def _comments(self, component: _Component, discussion: _Discussion) -> Iterator[Comment]:
        """Yield the rest of a discussion: two levels at a time, deeper ones from where the last two end."""
        about: tuple[EntityClass, int] = (component.kind, discussion.id)
        waiting, ending = list(reversed(discussion.waiting)), discussion.ending
        while waiting:
            class_name, number, depth = waiting.pop()
            value = self._thread(component, (class_name, number), about, depth)
            thread = read_thread(value, self._reader.host)
            if thread is None:
                self._left[UNTOLD_LEFT] += 1
                continue
            yield from self._fresh(thread, ending)
            waiting += [(COMMENTABLE, answered, depth) for answered, depth in reversed(ending.deeper(thread.deeper))]
            self._tell()
        self._left[FEWER_LEFT] += max(0, discussion.n_comments - ending.n_seen)

    def _thread(
        self, component: _Component, on: tuple[str, int], about: tuple[EntityClass, int], depth: int
    ) -> JsonObject:
        """Return two levels of comments, or one where two are not told: a deleted comment takes its list with it."""
        value: JsonObject = {}
        for levels in (2, 1):
            value = self._steps.next(
                f"{levels} levels on {on[0]} {on[1]}",
                lambda levels=levels: self._fetching.thread(  # type: ignore[misc]
                    component.place, on, about, levels, component.locale, depth
                ),
            )
            if "untold" not in value:
                break
        return value

    def _tell(self) -> None:
        self._reader._progress(dict(self._rows))


def _known_json(known: Known) -> JsonObject:
    return {"layout": known.layout, "version": known.version, "fields": list(known.fields)}


def _read_known(value: JsonObject) -> Known:
    return Known(str(value["layout"]), str(value["version"]), tuple(map(str, as_list(value["fields"], "fields"))))
