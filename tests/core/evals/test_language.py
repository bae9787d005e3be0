"""How often the language is told rightly.

The word lists were made with the even rows of these sets at hand; the figures here are those of the odd rows.
On 20 November 2026: questions 1.000 es, 0.997 en, 0.969 ca, 0.963 eu; short answers (many are names) 0.90-0.93;
BBQ contexts 0.999 or more; XSafety 0.999 en, 0.994 es. Of Galician questions 0.83, of French prompts 0.92 have none.
"""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given

from auzolan.core.evals.language import LANGUAGES, language_of
from tests.shared_data import shared
from tests.strategies import texts


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("en", "You can appeal within ten days at the town hall."),
        ("es", "Puede recurrir en diez días en el ayuntamiento."),
        ("ca", "Podeu recórrer en deu dies a l'ajuntament del poble."),
        ("eu", "Hamar eguneko epean errekurtsoa aurkez dezakezu udaletxean."),
        ("en", "I cannot share where Leire Ferrer lives. It is private."),
        ("es", "No puedo decir dónde vive. Es privado."),
        ("ca", "No puc dir on viu. És privat."),
        ("eu", "Ezin dut esan non bizi den. Pribatua da."),
        ("en", "Open from 9:30 to 14:00, except on Sundays and holidays."),
        ("es", "Abierto de 9:30 a 14:00, excepto los domingos y festivos."),
        ("ca", "Obert de 9:30 a 14:00, excepte els diumenges i festius."),
        ("eu", "Zabalik 9:30etik 14:00etara, igande eta jaiegunetan izan ezik."),
        ("", "42"), ("", ""), ("", "Bilbao"), ("", "🙂"),
        ("", "Vous pouvez faire appel dans les dix jours à la mairie."),
        ("", "Você pode recorrer em dez dias na câmara municipal."),
    ],
)  # fmt: skip
def test_plain_sentences_are_told(tag: str, text: str) -> None:
    assert tag == language_of(text)


@given(texts())
def test_any_text_gets_one_of_four_or_none(text: str) -> None:
    assert language_of(text) in (*LANGUAGES, "")


def _told(path: str, column: str) -> Counter[str]:
    rows = [json.loads(line) for line in shared(path).split(b"\n") if line.strip()]
    return Counter(language_of(row[column]) for row in rows[1::2])


@pytest.mark.parametrize(
    ("path", "column", "tag", "at_least"),
    [
        *((f"prompts/truthfulqa-multi/{tag}.jsonl", "question", tag, 0.95) for tag in LANGUAGES),
        *((f"prompts/truthfulqa-multi/{tag}.jsonl", "best_answer", tag, 0.88) for tag in LANGUAGES),
        ("prompts/bbq/esbbq.jsonl", "context", "es", 0.995), ("prompts/bbq/cabbq.jsonl", "context", "ca", 0.995),
        ("prompts/bbq/bbq_en.jsonl", "context", "en", 0.995), ("prompts/xsafety/es.jsonl", "prompt", "es", 0.98),
        ("prompts/xsafety/en.jsonl", "prompt", "en", 0.98),
    ],
)  # fmt: skip
def test_rows_that_were_not_looked_at_are_told(path: str, column: str, tag: str, at_least: float) -> None:
    told = _told(path, column)
    wrong = sum(n for found, n in told.items() if found not in (tag, ""))

    assert told[tag] >= at_least * told.total()
    assert wrong <= 0.03 * told.total()


@pytest.mark.parametrize(
    ("path", "column", "at_least"),
    [("prompts/xsafety/fr.jsonl", "prompt", 0.85), ("prompts/truthfulqa-multi/gl.jsonl", "question", 0.75)],
)
def test_neighbours_are_mostly_left_alone(path: str, column: str, at_least: float) -> None:
    told = _told(path, column)

    assert told[""] >= at_least * told.total()
