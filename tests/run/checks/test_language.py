"""The language of a text is told by its beginning."""

from __future__ import annotations

from auzolan.run.checks.language import language_of


def test_the_four_languages_are_told_apart() -> None:
    assert "es" == language_of("La asamblea de los vecinos decidió que el agua es para todas las casas.")
    assert "eu" == language_of("Auzokoen batzarrak erabaki du ura etxe guztientzat dela eta hala izango da.")
    assert "ca" == language_of("L'assemblea dels veïns va decidir que l'aigua és per a totes les cases.")
    assert "en" == language_of("The assembly of the neighbours decided that the water is for all of the houses.")
    assert "" == language_of("")


def test_the_end_of_a_long_text_is_not_looked_at() -> None:
    assert "en" == language_of(
        "The water is for all of the houses, and that was decided. " * 10 + "el agua es de la " * 100
    )
