"""The `openai` package, as it is, talks to `auzolan run serve`, and can keep the receipts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from auzolan.core.record.canonical import canonical_bytes
from auzolan.core.record.envelope import read_envelope
from auzolan.run.answers.receipt import FIELD, ID_HEADER, NONCE_HEADER, Receipt, read_receipt, receipt_bytes
from tests.cli.running import ANSWER, FORBIDDEN, MESSAGES, QUESTION, Gateway, Model, written

openai = pytest.importorskip("openai", reason="NOT CHECKED: the openai package is not installed")
ASKED = [{"role": "user", "content": QUESTION}]


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Any]:
    url = f"http://127.0.0.1:{gateway.port}/v1"
    with openai.OpenAI(base_url=url, api_key=gateway.token, max_retries=0, timeout=20) as made:
        yield made


def steps_of(gateway: Gateway, receipt: Receipt) -> dict[str, str]:
    """Check a receipt with its transcript, and return what was found."""
    path = written(gateway.here.machine.folder, receipt.with_transcript(MESSAGES, ANSWER), "openai.json")
    said = gateway.here.json("verify", path, code=3)  # what a backend loaded, nobody can check
    return {each["title"]: each["status"] for each in said["steps"]}


def test_it_lists_the_models(client: Any) -> None:
    assert ["town"] == [each.id for each in client.models.list()]


def test_a_whole_answer_has_its_receipt_in_the_body_and_what_makes_it_in_the_headers(
    client: Any, gateway: Gateway
) -> None:
    raw = client.chat.completions.with_raw_response.create(model="town", messages=ASKED)
    answer = raw.parse()
    receipt = read_receipt(json.dumps((answer.model_extra or {})[FIELD]).encode())
    envelope = canonical_bytes(gateway.ask(f"/v1/receipts/{raw.headers[ID_HEADER]}")[1])
    from_headers = read_receipt(receipt_bytes(envelope, bytes.fromhex(raw.headers[NONCE_HEADER])))
    found = steps_of(gateway, receipt)

    assert (ANSWER, "stop") == (answer.choices[0].message.content, answer.choices[0].finish_reason)
    assert from_headers == receipt
    assert read_envelope(receipt.envelope).claimed.id == raw.headers[ID_HEADER]
    assert ("passed", "passed") == (found["Signature"], found["Transcript"])


def test_a_streamed_answer_has_its_receipt_in_the_last_chunk(client: Any, gateway: Gateway) -> None:
    stream = client.chat.completions.create(
        model="town", messages=ASKED, stream=True, stream_options={"include_usage": True}
    )  # fmt: skip
    chunks = list(stream)
    text = "".join(each.choices[0].delta.content or "" for each in chunks if each.choices)
    receipt = read_receipt(json.dumps((chunks[-1].model_extra or {})[FIELD]).encode())

    assert ANSWER == text
    assert [] == chunks[-1].choices
    assert 1 == len({each.id for each in chunks})
    assert "passed" == steps_of(gateway, receipt)["Transcript"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_is_an_answer_that_says_why(client: Any, model: Model, stream: bool) -> None:
    n_asked = len(model.asked)
    asked = [{"role": "user", "content": FORBIDDEN}]
    said = client.chat.completions.create(model="town", messages=asked, stream=stream)
    if stream:
        chunks = [each for each in said if each.choices]
        text = "".join(each.choices[0].delta.content or "" for each in chunks)
        reason = chunks[-1].choices[0].finish_reason
    else:
        text, reason = said.choices[0].message.content, said.choices[0].finish_reason

    assert text.startswith("The rules of this community do not allow this:")
    assert "content_filter" == reason
    assert n_asked == len(model.asked)


def test_errors_are_those_that_the_package_knows(client: Any) -> None:
    with pytest.raises(openai.NotFoundError, match="this gateway serves town"):
        client.chat.completions.create(model="gpt-9", messages=ASKED)
    with pytest.raises(openai.AuthenticationError, match="a bearer token is needed"):
        client.with_options(api_key="x" * 43).models.list()
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="town", messages=[])
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="town", input="text")


def test_a_client_that_stops_reading_ends_the_stream_and_the_next_answer_comes(client: Any) -> None:
    with client.chat.completions.create(model="town", messages=ASKED, stream=True) as stream:
        next(iter(stream))
    again = client.chat.completions.create(model="town", messages=ASKED)

    assert ANSWER == again.choices[0].message.content
