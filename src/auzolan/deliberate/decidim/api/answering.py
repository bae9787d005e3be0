"""Official answers back onto the proposals of a live Decidim, one by one (0.31 and newer).

Decidim notifies the authors and followers of a proposal when it is answered,
so nobody may be answered twice. Each proposal is looked up before anything is sent: an answer that stands is left as it
is, also one that somebody else gave since the import. One that was sent is noted (`noting`), and never sent again.
Where it is not known whether an answer was taken, the Decidim is asked what stands; if that does not tell either,
everything stops, and goes on only when somebody says so.

Checks: that this Decidim takes answers, before the first; that each answer is
shown afterwards. Answers that a component publishes later are taken and not shown; they are counted.
Does not check: what the answers say; `write_back` makes them. That one run at a time is at it; the caller does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.errors import MissingError, StorageError, UsageError, VerificationError
from auzolan.core.record.files import Files
from auzolan.deliberate.decidim.api.asking import Api, OutcomeUnknownError, Said, is_object
from auzolan.deliberate.decidim.api.nodes import items_of
from auzolan.deliberate.decidim.api.noting import Note
from auzolan.deliberate.decidim.api.probing import NO_COMPONENT
from auzolan.deliberate.decidim.api.queries import ANSWER, ANSWERED
from auzolan.deliberate.decidim.texts import plain_text
from auzolan.deliberate.decidim.write_back.answers import is_answered_by_others

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

    def __str__(self) -> str:
        return f"proposal {self.proposal} of component {self.component}"


class Written(NamedTuple):
    """What became of answers.

    Attributes:
        sent: how many were given now.
        standing: how many stood already, or were sent by an earlier run.
        not_shown: of those sent, how many the Decidim took and does not show yet.
        answered_by_others: how many were left out, as an official answer that is not ours stands there by now.
    """

    sent: int
    standing: int
    not_shown: int
    answered_by_others: int = 0


class _Shown(NamedTuple):
    """What stands on a proposal: its state, and the words of its answer by locale, without locales that have none."""

    state: str
    words: Mapping[str, list[str]]

    def has(self, answer: Answer) -> bool:
        """Say whether this answer stands, in those of its locales that the Decidim has."""
        told = [locale for locale in answer.texts if locale in self.words]
        return (
            bool(told)
            and self.state == answer.state
            and all(self.words[locale] == _words(answer.texts[locale]) for locale in told)
        )

    @property
    def is_by_others(self) -> bool:
        """Whether somebody else answered it."""
        return is_answered_by_others(self.state, {locale: " ".join(words) for locale, words in self.words.items()})


_Became = Literal["sent", "sent and not shown", "standing", "by others"]


def write_answers(
    api: Api,
    answers: Sequence[Answer],
    store: Files,
    sleep: Callable[[float], None],
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    *,
    replace: bool = False,
    resend: bool = False,
) -> Written:
    """Answer proposals of a live Decidim; this notifies people.

    Args:
        api: of the Decidim, with the headers of an administrator.
        answers: at most one for each proposal.
        store: where it is noted which were sent; a private place that outlives an interruption, and that no other run
            uses at the same time.
        sleep: waits for seconds.
        progress: told how many of how many are done.
        replace: whether an official answer that did not come from here is replaced.
        resend: whether an answer is sent that an earlier run may have sent already, and that is not shown.

    Returns:
        How many were sent, and how many stood already.

    Raises:
        UsageError: an answer cannot be given as such, this Decidim is too old, or refuses; or an earlier run may have
            sent an answer, and the Decidim does not tell.
        MissingError: a proposal is not there.
        StorageError: the Decidim, the network or the disk failed; running again goes on from there.
        VerificationError, MalformedError: as `Api.ask`.
    """
    _check(answers)
    _check_takes_answers(api)
    became: Counter[_Became] = Counter()
    for number, answer in enumerate(answers, start=1):
        try:
            became[_answered(api, answer, store, sleep, replace, resend)] += 1
        except (StorageError, _MayBeSentError) as error:
            done = f"{became.total() - became['by others']:,} of {len(answers):,} proposals are answered"
            if isinstance(error, StorageError):
                raise StorageError(f"{error}; {done}, and running again goes on with the others") from None
            raise UsageError(f"{error}; {done}") from None
        progress(number, len(answers))
    return Written(
        became["sent"] + became["sent and not shown"],
        became["standing"],
        became["sent and not shown"],
        became["by others"],
    )


class _MayBeSentError(Exception):
    """Somebody must say whether to send it, perhaps again."""


def _answered(
    api: Api, answer: Answer, store: Files, sleep: Callable[[float], None], replace: bool, resend: bool
) -> _Became:
    """Answer one proposal, unless it has this answer or another that is to stay."""
    address = f"{api.address}{api.address.path}"
    note = Note(store, address, answer.component, answer.proposal, answer.state, answer.texts)
    if note.is_given:
        note.give()  # an intention that is left from a crash right after noting
        return "standing"
    shown = _look(api, answer)
    if shown.has(answer):
        note.give()
        return "standing"
    if shown.is_by_others and not replace:
        return "by others"
    if note.may_be_sent and not resend:
        raise _MayBeSentError(
            f"{answer}: an earlier run may have sent an answer, and the Decidim does not show it; look at its page, "
            "and add --resend to send it even so, which may notify people again"
        )
    return "sent" if _give(api, answer, note, sleep) else "sent and not shown"


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


def _look(api: Api, answer: Answer) -> _Shown:
    """Return what the Decidim shows on the proposal."""
    said = api.ask(ANSWERED, {"component": str(answer.component), "proposal": str(answer.proposal)})
    component = (said.data or {}).get("component")
    told = component.get("proposal") if is_object(component) else None
    if not is_object(told):
        raise MissingError(f"{answer}: the Decidim does not show it{said.why}")
    texts, state = told.get("answer"), told.get("state")
    listed = items_of(texts.get("translations") if is_object(texts) else None)
    words = {str(each.get("locale")): _words(each.get("text")) for each in listed}
    return _Shown(state if isinstance(state, str) else "", {locale: said for locale, said in words.items() if said})


def _words(html: object) -> list[str]:
    """Return the words of HTML, as Decidim may keep its tags otherwise than they were sent."""
    return plain_text(html).split() if isinstance(html, str) else []


def _give(api: Api, answer: Answer, note: Note, sleep: Callable[[float], None]) -> bool:
    """Send an answer, note that it was given, and say whether it is shown."""
    attributes: JsonObject = {"state": answer.state, "answerContent": dict(answer.texts)}
    variables: JsonObject = {
        "component": str(answer.component),
        "proposal": str(answer.proposal),
        "input": {"attributes": attributes},
    }
    note.intend()
    try:
        said = api.change(ANSWER, variables)
    except OutcomeUnknownError as error:
        return _looked_up(api, answer, note, sleep, str(error))
    except (StorageError, UsageError, VerificationError):
        note.withdraw()  # nothing changed
        raise
    if _is_taken(said):
        note.give()  # before anything else can go wrong
        return _look(api, answer).has(answer)
    if not said.refusals:
        return _looked_up(api, answer, note, sleep, "it neither confirmed nor refused it")
    note.withdraw()
    raise UsageError(f"{answer}: the Decidim refuses the answer{said.why}; nothing was changed")


def _looked_up(api: Api, answer: Answer, note: Note, sleep: Callable[[float], None], reason: str) -> bool:
    for _ in range(_LOOKS):
        sleep(_BETWEEN_S)
        if _look(api, answer).has(answer):
            note.give()
            return True
    raise StorageError(
        f"{answer}: it is not known whether the answer was taken ({reason}); it is not shown yet, and the next run "
        "looks it up again before anything is sent"
    )


def _is_taken(said: Said) -> bool:
    component = (said.data or {}).get("component")
    proposal = component.get("proposal") if is_object(component) else None
    return is_object(proposal) and is_object(proposal.get("answer"))
