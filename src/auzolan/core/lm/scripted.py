"""A model for tests: a function answers.

Not a model, and no statement about one. Words stand in for tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence

from auzolan.core.lm.generate import Completion, Request


class Scripted:
    """A `Generate` that answers with `answer`, and remembers what it was asked.

    Attributes:
        asked: every request that was answered, in that order; the tests that own the object read it.
    """

    def __init__(
        self,
        answer: Callable[[Request], str],
        model: str = "scripted",
        order: Callable[[Sequence[Request]], Iterable[Request]] = iter,
    ) -> None:
        """Make a model.

        Args:
            answer: from a request to the text of its answer.
            model: what it calls itself.
            order: in which order it answers, such as `reversed`.
        """
        self._answer = answer
        self._model = model
        self._order = order
        self.asked: list[Request] = []

    @property
    def n_calls(self) -> int:
        """Say how many requests were answered."""
        return len(self.asked)

    def __call__(self, requests: Sequence[Request]) -> Generator[Completion, None, None]:
        """Answer each different request when its completion is taken; see `generate.Generate`."""
        different = {request.id: request for request in requests}
        for request in self._order(list(different.values())):
            self.asked.append(request)
            yield self._completion(request)

    def _completion(self, request: Request) -> Completion:
        text, finish = self._answer(request), Completion.STOP
        words = text.split(" ")
        if len(words) > request.decoding.max_tokens:
            words, finish = words[: request.decoding.max_tokens], Completion.LENGTH
        return Completion(
            request_id=request.id,
            text=" ".join(words),
            finish=finish,
            prompt_tokens=sum(len(message.text.split(" ")) for message in request.messages),
            completion_tokens=len(words),
            model=self._model,
        )
