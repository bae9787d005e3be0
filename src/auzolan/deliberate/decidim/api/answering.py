"""Official answers back onto the proposals of a live Decidim, one by one (0.31 and newer).

Decidim notifies the authors and followers of a proposal when it is answered,
so nobody may be answered twice. Each proposal is looked up before anything is sent: an answer that stands is left as it
is. One that was sent is noted, and never sent again. Where it is not known whether an answer was taken, the Decidim
is asked what stands; if that does not tell either, everything stops.

Checks: that this Decidim takes answers, before the first; that each answer is
shown afterwards. Answers that a component publishes later are taken and not shown; they are counted.
Does not check: what the answers say; `write_back` makes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from auzolan.core.record.canonical import JsonObject, as_object, canonical_bytes, read_json
from auzolan.core.record.errors import MalformedError, MissingError, StorageError, UsageError
from auzolan.core.record.files import Files
from auzolan.deliberate.decidim.api.asking import Api, OutcomeUnknownError, Said, is_object
from auzolan.deliberate.decidim.api.nodes import items_of
from auzolan.deliberate.decidim.api.probing import NO_COMPONENT
from auzolan.deliberate.decidim.api.queries import ANSWER, ANSWERED
from auzolan.deliberate.decidim.texts import plain_text

_FOLDER = "answers"
_STATE = re.compile(r"[a-z][a-z0-9_]{0,60}", re.ASCII)
_NO_ANSWERS = frozenset({"not_answered", "withdrawn"})
_LOOKS = 4  # at what stands, while it is not known whether an answer was taken
_BETWEEN_S = 5.0


@dataclass(frozen=True)
class Answer:
    """What is to stand on a proposal.

    Attributes:
        component: number.
        proposal: number.
        state: token of the component: "accepted", "rejected", "evaluating" or one of its own.
        texts: locale -> HTML.
    """

    component: int
    proposal: int
    state: str
    texts: Mapping[str, str]


class Written(NamedTuple):
    """What became of answers.

    Attributes:
        sent: how many were given now.
        standing: how many stood already, or were sent by an earlier run.
        not_shown: of those sent, how many the Decidim took and does not show yet.
    """

    sent: int
    standing: int
    not_shown: int


class _Outcome(NamedTuple):
    is_sent: bool
    is_shown: bool


def write_answers(
    api: Api,
    answers: Sequence[Answer],
    store: Files,
    sleep: Callable[[float], None],
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Written:
    """Answer proposals of a live Decidim; this notifies people.

    Args:
        api: of the Decidim, with the headers of an administrator.
        answers: at most one for each proposal.
        store: where it is noted which were sent; a private place that outlives an interruption.
        sleep: waits for seconds.
        progress: told how many of how many are done.

    Returns:
        How many were sent, and how many stood already.

    Raises:
        UsageError: an answer cannot be given as such, this Decidim is too old, or refuses.
        MissingError: a proposal is not there.
        StorageError: the Decidim, the network or the disk failed; running again goes on from there.
        VerificationError, MalformedError: as `Api.ask`.
    """
    _check(answers)
    _check_takes_answers(api)
    sent, standing, not_shown = 0, 0, 0
    for number, answer in enumerate(answers, start=1):
        note = _Note(store, api, answer)
        if note.is_written or _stands(api, answer):
            standing += 1
            note.write()
        else:
            try:
                outcome = _give(api, answer, sleep)
            except StorageError as error:
                raise StorageError(
                    f"{error}; {sent + standing:,} of {len(answers):,} proposals are answered, and running again goes "
                    "on with the others"
                ) from None
            note.write()
            sent += 1
            not_shown += not outcome.is_shown
        progress(number, len(answers))
    return Written(sent, standing, not_shown)


def _check(answers: Sequence[Answer]) -> None:
    seen: set[int] = set()
    for each in answers:
        if each.proposal in seen:
            raise UsageError(f"proposal {each.proposal} has two answers; a proposal is answered once")
        seen.add(each.proposal)
        if not _STATE.fullmatch(each.state) or each.state in _NO_ANSWERS:
            raise UsageError(f"proposal {each.proposal}: expected a state such as accepted or rejected")
        if not each.texts or not all(text.strip() for text in each.texts.values()):
            raise UsageError(f"proposal {each.proposal}: expected an answer in at least one language, and none empty")


def _check_takes_answers(api: Api) -> None:
    """Send an answer for a component that there cannot be: a schema without answers refuses it as such."""
    nothing: JsonObject = {"component": NO_COMPONENT, "proposal": NO_COMPONENT, "input": {"attributes": {}}}
    try:
        said = api.change(ANSWER, nothing)
    except OutcomeUnknownError as error:
        raise StorageError(f"{api.address}: no answer ({error}); nothing was sent") from None
    if said.data is None and not any(each.unknown for each in said.refusals):
        raise UsageError(f"{api.address}: its API refuses answers{said.why}; nothing was sent")
    if said.data is None:
        raise UsageError(
            f"{api.address}: this Decidim takes no answers through its API, which came with 0.31{said.why}; import the "
            "file of answers in its administration instead"
        )


def _stands(api: Api, answer: Answer) -> bool:
    """Say whether the Decidim shows this state and these texts."""
    where = f"proposal {answer.proposal} of component {answer.component}"
    said = api.ask(ANSWERED, {"component": str(answer.component), "proposal": str(answer.proposal)})
    component = (said.data or {}).get("component")
    told = component.get("proposal") if is_object(component) else None
    if not is_object(told):
        raise MissingError(f"{where}: the Decidim does not show it{said.why}")
    texts = told.get("answer")
    listed = items_of(texts.get("translations") if is_object(texts) else None)
    shown = {each.get("locale"): each.get("text") for each in listed}
    return told.get("state") == answer.state and all(
        _words(shown.get(locale)) == _words(text) for locale, text in answer.texts.items()
    )


def _words(html: object) -> list[str]:
    """Return the words of HTML, as Decidim may keep its tags otherwise than they were sent."""
    return plain_text(html).split() if isinstance(html, str) else []


def _give(api: Api, answer: Answer, sleep: Callable[[float], None]) -> _Outcome:
    attributes: JsonObject = {"state": answer.state, "answerContent": dict(answer.texts)}
    variables: JsonObject = {
        "component": str(answer.component),
        "proposal": str(answer.proposal),
        "input": {"attributes": attributes},
    }
    try:
        said = api.change(ANSWER, variables)
    except OutcomeUnknownError as error:
        return _looked_up(api, answer, sleep, str(error))
    if not _is_taken(said):
        raise UsageError(f"proposal {answer.proposal}: the Decidim refuses the answer{said.why}; nothing was changed")
    return _Outcome(True, _stands(api, answer))


def _looked_up(api: Api, answer: Answer, sleep: Callable[[float], None], reason: str) -> _Outcome:
    for _ in range(_LOOKS):
        sleep(_BETWEEN_S)
        if _stands(api, answer):
            return _Outcome(True, True)
    raise StorageError(
        f"proposal {answer.proposal}: it is not known whether the answer was taken ({reason}); it is not shown, and "
        "before it is sent again it is looked up again"
    )


def _is_taken(said: Said) -> bool:
    component = (said.data or {}).get("component")
    proposal = component.get("proposal") if is_object(component) else None
    return is_object(proposal) and is_object(proposal.get("answer"))


class _Note:
    """That an answer was sent, or stood; another answer for the same proposal has another note."""

    def __init__(self, store: Files, api: Api, answer: Answer) -> None:
        where = sha256(f"{api.address}{api.address.path}".encode()).hexdigest()[:16]
        said = canonical_bytes({"state": answer.state, "texts": dict(answer.texts)})
        self._store, self._digest = store, sha256(said).hexdigest()
        self._path = f"{_FOLDER}/{where}/{answer.component}-{answer.proposal}.json"

    @property
    def is_written(self) -> bool:
        try:
            noted = as_object(read_json(self._store.read(self._path), self._path), self._path)
        except (MissingError, MalformedError):
            return False
        return noted.get("answer") == self._digest

    def write(self) -> None:
        if not self.is_written:
            self._store.write_all({self._path: json.dumps({"answer": self._digest}).encode()})
