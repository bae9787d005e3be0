"""README for the admin: which file goes where, what it sets off, and how to undo it; in Markdown.

In English, and in the main locale's language where it has phrases. Texts from outside are written so that Markdown
shows them as they are. Not here: any file other than the README.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from auzolan.deliberate.decidim.write_back import participatory_text
from auzolan.deliberate.decidim.write_back.answers import (
    OUTCOMES,
    AboutAnswers,
    AnswerOptions,
    Outcome,
    file_name,
)
from auzolan.deliberate.decidim.write_back.links import record_link
from auzolan.deliberate.decidim.write_back.phrases import LANGUAGES, Phrases, phrases_of, speaking_in
from auzolan.deliberate.decidim.write_back.published import Publication, said
from auzolan.deliberate.decidim.write_back.results_csv import FILE, Importer, reaches
from auzolan.deliberate.decidim.write_back.texts import markdown_text


@dataclass(frozen=True)
class Readme:
    """A README and its name."""

    name: str
    data: bytes


def readmes(
    published: Publication,
    answers: AboutAnswers,
    options: AnswerOptions | None = None,
    importer: Importer = "shipped",
) -> tuple[Readme, ...]:
    """Return README.md in English and, where the main locale has phrases, one in its language.

    Args:
        published: what was written.
        answers: what `AnswerFiles` says that it wrote.
        options: those with which it wrote.
        importer: for which the results were written.
    """
    own = published.main.split("-")[0].lower()
    languages = ["en", *([own] if own in LANGUAGES and own != "en" else [])]
    told = options or AnswerOptions()
    return tuple(
        Readme(
            "README.md" if language == "en" else f"README.{language}.md",
            _Writer(published, answers, told, importer, phrases_of(language)).whole(),
        )
        for language in languages
    )


class _Writer:
    """Writes one README."""

    def __init__(
        self,
        published: Publication,
        answers: AboutAnswers,
        options: AnswerOptions,
        importer: Importer,
        phrases: Phrases,
    ) -> None:
        self.published, self.answers, self.options, self.importer = published, answers, options, importer
        self.phrases, self.tell = phrases, phrases.tell

    def whole(self) -> bytes:
        return ("\n\n".join(block for block in self._blocks() if block) + "\n").encode()

    def _blocks(self) -> Iterator[str]:
        title = markdown_text(said(self.published.title, self.phrases.language, self.published.main))
        yield f"# {self.tell('title', host=markdown_text(self.published.host), title=title)}"
        yield self.tell("intro")
        yield from self._section("h_before", ["before_export", "before_order", "before_try", "before_separator"])
        yield from self._results()
        yield from self._answers()
        yield from self._text()
        yield f"## {self.tell('h_languages')}"
        yield _list(map(self._language, self.published.locales))
        yield " ".join((self.tell("languages_default"), self.tell("languages_texts", main=self.published.main)))
        yield from self._section("h_undo", ["undo_results", "undo_answers", "undo_text"])
        yield f"## {self.tell('h_check')}"
        yield self.tell("check", record=self._record(), id=self.published.constitution)

    def _section(self, heading: str, keys: Iterable[str]) -> Iterator[str]:
        yield f"## {self.tell(heading)}"
        yield _list(self.tell(key) for key in keys)

    def _results(self) -> Iterator[str]:
        yield f"## {self.tell('h_results', file=FILE)}"
        yield self.tell("results_what", len(self.published.articles))
        keys = ("results_new", "results_import", "results_publish", "results_old", "results_new_versions")
        yield _list(self.tell(key) for key in keys)
        yield f"### {self.tell('h_trap')}"
        yield self.tell("trap" if self.importer == "shipped" else "trap_mended")
        counts = reaches(self.published, self.importer)
        yield _list(self.tell(f"linked_{reach}", n) for reach, n in sorted(counts.items()))

    def _answers(self) -> Iterator[str]:
        yield f"## {self.tell('h_answers')}"
        about = self.answers
        if about.written:
            yield self.tell("answers_files")
            yield _list(self._file(component, counts) for component, counts in about.written.items())
            if max(about.parts.values()) > 1:
                yield self.tell("answers_parts", self.options.per_file)
            if 0 in about.written:
                yield self.tell("answers_unknown", sum(about.written[0].values()))
            yield self.tell("answers_notify", about.total)
            tokens = self.phrases.listed([f"`{self.options.tokens[name]}`" for name in OUTCOMES])
            steps = [self.tell(key) for key in ("answers_hold", "answers_import")]
            yield _list([*steps, self.tell("answers_states", tokens=tokens), self.tell("answers_time")])
        else:
            yield self.tell("answers_none")
        yield _list(self.tell(f"left_{reason}", n) for reason, n in sorted(about.left.items()) if n)

    def _file(self, component: int, counts: Mapping[Outcome, int]) -> str:
        numbers = {name: self.phrases.number(counts.get(name, 0)) for name in OUTCOMES}
        place = str(component) if component else "?"
        first, last = (file_name(component, "csv", part) for part in (1, self.answers.parts[component]))
        name = first if first == last else f"{first}` … `{last}"
        return self.tell("answers_file", sum(counts.values()), component=place, file=name, **numbers)

    def _text(self) -> Iterator[str]:
        yield f"## {self.tell('h_text')}"
        yield self.tell("text_what")
        yield _list(self.tell(key) for key in ("text_new", "text_import"))
        yield _list(f"`{participatory_text.file_name(locale)}`" for locale in self.published.locales)
        yield _list(self.tell(key) for key in ("text_one", "text_refused", "text_publish"))

    def _language(self, locale: str) -> str:
        speaking = speaking_in(locale, self.published.main)
        is_own = speaking.language == locale.split("-")[0].lower()
        return self.tell("language_own" if is_own else "language_other", locale=locale, language=speaking.meta["name"])

    def _record(self) -> str:
        link = record_link(self.published.record_url)
        name = f"`{self.published.constitution}`"
        return f"[{name}]({link})" if link else name


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
