"""Whether a model's vocabulary knows the words of a text."""

from __future__ import annotations

import pytest

from maskviz.examples import EXAMPLES
from maskviz.models import load_model
from maskviz.readings.familiar import unfamiliar

ENGLISH = [example.text for example in EXAMPLES if example.text.isascii()]


@pytest.mark.parametrize("text", ENGLISH)
def test_nothing_is_said_of_the_examples(text: str) -> None:
    assert unfamiliar(text, load_model()) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Elokuva oli todella pitkä ja tylsä.",
        "كان الفيلم جميلا جدا والنهاية حزينة",
        "Фильм был очень скучный и слишком длинный",
        "这部电影非常好看",
    ],
)
def test_a_language_it_never_read_is_said(text: str) -> None:
    said = unfamiliar(text, load_model())
    assert said.startswith("mini knows")
    assert said.endswith("choose another model.")


def test_of_few_words_and_of_none_nothing_is_said() -> None:
    assert unfamiliar("Elokuva oli pitkä", load_model()) == ""
    assert unfamiliar("", load_model()) == ""


def test_only_words_that_the_model_reads_are_counted() -> None:
    long = "It is a good film. " * 200 + "Elokuva oli todella tylsä. " * 400
    assert unfamiliar(long, load_model()) == ""
