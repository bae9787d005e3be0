"""The seam's nouns: what names a request, what a completion says, what a run cost."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace

import pytest

from auzolan.core.lm import Completion, Decoding, Message, Prices, Request, Scripted, Usage, in_order
from auzolan.core.lm.generate import read_completion
from auzolan.core.record.canonical import JsonObject, JsonValue
from auzolan.core.record.errors import MalformedError, UsageError
from tests.core.lm.loopback import DECODING, ask, asks, reply_to, texts


def scripted(order: Callable[[Sequence[Request]], Iterable[Request]] = iter) -> Scripted:
    return Scripted(lambda request: reply_to(request.messages[-1].text), order=order)


def answer(**changed: object) -> Completion:
    return replace(Completion("a" * 64, "yes", "stop", 7, 3, "m"), **changed)  # type: ignore[arg-type]


def test_the_id_of_a_request_never_changes() -> None:
    request = Request((Message("system", "Be kind."), Message("user", "¿Sí?")), Decoding(16, 700, 950, 3, ("\n",)))

    assert "b5ee16d5644f18cfe91181bc60788f27ddb6d20bd3cf074a4de28781e3b6e08e" == request.id


@pytest.mark.parametrize(
    "other",
    [
        Request((Message("user", "why"),), DECODING),
        Request((Message("assistant", "what"),), DECODING),
        Request((Message("user", "what"), Message("user", "what")), DECODING),
        *(
            ask("what", replace(DECODING, **change))
            for change in (
                {"max_tokens": 51},
                {"temperature_milli": 1},
                {"top_p_milli": 999},
                {"seed": 1},
                {"stop": ("x",)},
            )
        ),
    ],
    ids=["text", "role", "one more", "max_tokens", "temperature", "top_p", "seed", "stop"],
)
def test_whatever_changes_the_answer_changes_the_id(other: Request) -> None:
    assert ask("what").id != other.id


def test_equal_requests_have_equal_ids() -> None:
    assert ask("what") == ask("what")
    assert ask("what").id == ask("what").id


@pytest.mark.parametrize(
    "make",
    [
        lambda: Request((), DECODING),
        lambda: Message("tool", "x"),
        lambda: Decoding(0),
        lambda: Decoding(1, -1),
        lambda: Decoding(1, 0, 0),
        lambda: Decoding(1, 0, 1001),
        lambda: Decoding(1, seed=-1),
        lambda: Decoding(1, seed=2**31),
        lambda: Decoding(1, stop=("",)),
        lambda: Decoding(1, stop=("a", "b", "c", "d", "e")),
    ],
)
def test_what_no_server_understands_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(UsageError):
        make()


def test_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(MalformedError, match="lone surrogate"):
        ask("\ud83c")


def test_greedy_is_temperature_nought() -> None:
    assert Decoding(1).is_greedy
    assert not Decoding(1, 1).is_greedy
    assert Decoding(1, seed=4) == Decoding(1).with_seed(4)


@pytest.mark.parametrize("n_tokens", [0, 3, None])
def test_a_completion_is_read_as_it_was_written(n_tokens: int | None) -> None:
    written = answer(prompt_tokens=n_tokens, completion_tokens=n_tokens, text="")

    assert written == read_completion(written.to_json(), "here")


@pytest.mark.parametrize(
    "change",
    [
        {"request": "a" * 63},
        {"text": None},
        {"model": 3},
        {"finish": ""},
        {"prompt_tokens": -1},
        {"prompt_tokens": True},
        {"cached": True},
    ],
    ids=str,
)
def test_what_is_no_completion_is_refused(change: JsonObject) -> None:
    value: JsonValue = answer().to_json() | change

    with pytest.raises(MalformedError, match="here"):
        read_completion(value, "here")


def test_answers_come_in_the_order_of_the_requests() -> None:
    backwards = scripted(reversed)
    requests = asks(5)

    assert texts(requests) == [found.text for found in in_order(backwards, requests)]
    assert list(reversed(requests)) == backwards.asked


def test_equal_requests_are_asked_once_and_share_the_answer() -> None:
    model = scripted()
    requests = [ask("a"), ask("b"), ask("a")]

    assert texts(requests) == [found.text for found in in_order(model, requests)]
    assert 2 == model.n_calls


def test_the_scripted_model_cuts_long_answers() -> None:
    model = Scripted(lambda _: "one two three")
    long, short = in_order(model, [ask("why", Decoding(2)), ask("why", Decoding(3))])

    assert ("one two", "length", 1, 2) == (long.text, long.finish, long.prompt_tokens, long.completion_tokens)
    assert ("one two three", "stop") == (short.text, short.finish)


def test_a_backend_that_leaves_one_out_is_found() -> None:
    def lazy(requests: Sequence[Request]) -> Generator[Completion, None, None]:
        yield from scripted()(requests[1:])

    with pytest.raises(MalformedError, match="without answering"):
        in_order(lazy, asks(3))


def test_a_backend_that_answers_something_else_is_found() -> None:
    def wrong(requests: Sequence[Request]) -> Generator[Completion, None, None]:
        yield from scripted()([ask("another")])

    with pytest.raises(MalformedError, match="not asked"):
        in_order(wrong, asks(1))


def test_what_was_answered_before_costs_nothing_now() -> None:
    usage = Usage().plus(answer()).plus(answer(cached=True)).plus(answer(completion_tokens=None))

    assert Usage(n_answers=3, n_cached=1, n_uncounted=1, prompt_tokens=14, completion_tokens=3) == usage


def test_the_cost_is_exact_and_rounded_up() -> None:
    usage = Usage(prompt_tokens=1_000_000, completion_tokens=1)

    assert 150_001 == Prices("EUR", 150_000, 600_000).cost_micros(usage)
    assert 0 == Prices("EUR", 0, 0).cost_micros(usage)
    with pytest.raises(UsageError):
        Prices("EUR", -1, 0)
