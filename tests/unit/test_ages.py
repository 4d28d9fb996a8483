"""An age behind a name is an age, and the name a person's; other numbers are neither."""

from __future__ import annotations

import pytest

from maskviz.masks import mask
from maskviz.text import Document
from maskviz.text.ages import ages_behind

pytest.importorskip("spacy")

TOLD = {
    "Marit Berg (81) lives in Oslo.": ["81"],
    "Marit (81) keeps bees near Zagreb.": ["81"],
    "Uwe, 36, said he was glad.": ["36"],
    "Uwe S. (36) was led away.": ["36"],
    "Ngozi (29) and Björk (31) sang for Zoë (17).": ["29", "31", "17"],
    "Kari Nordmann (f, 54), a nurse from Bergen": ["54"],
    "Priya Raman, 29, from Leeds, won.": ["29"],
    "Marit Berg (aged 81) wrote back.": ["aged 81"],
    "Jean Dupont (42 ans) lives in Lyon.": ["42 ans"],
    "Karl Müller (36 Jahre alt) laughed.": ["36 Jahre alt"],
    "See Lena Koch (81, Bonn) for more.": ["81"],
    "His sons Emil (3) and Otto (5) slept.": ["3", "5"],
    "Theresa May, 62, has resigned.": ["62"],
    "In Gent, Lieve Maes (67) sold the mill.": ["67"],
    "Jimmy Page (80) still plays.": ["80"],
    "a woman (45) and her brother, 19, fell": ["45", "19"],
    "the 81‑year-old and a man of 45": ["81‑year-old", "45"],
    "der 36-jährige Uwe, aged eighty-one": ["36-jährige", "aged eighty-one"],
}
UNTOLD = [
    "The film Rocky (1976) was a hit.",
    "Section (12) and the table (12) say so.",
    "Chapter (36) and Psalm (23) say so.",
    "See Smith et al. (12) on this.",
    "We saw Toy Story (95) in the barn.",
    "Messi (3) and Suarez (2) scored.",
    "Messi (12, 14) scored twice.",
    "Tim Duncan (23)\nTony Parker (24)",
    "Germany (83) and France (67) voted.",
    "Labour (35) beat the Liberals (20).",
    "The Boeing (747) has landed.",
    "In March, 36, 40 and 50 people came.",
    "The Psalm (23) is sung. Last March, 36, mostly old, came.",
    "They came from Paris, 36, and from Rome, 40.",
    "57 satellites of Jupiter, 43 of Saturn, 22 of Uranus",
    "It grew by Smith (12%) in a year.",
    "1. Wash it. (12) Dry it.",
]


def ages(text: str, strategy: str, **given: object) -> list[str]:
    """Return the ages that a strategy hides."""
    return [text[s.start : s.end] for s in mask(text, strategy, **given).spans]


@pytest.mark.parametrize("text", TOLD)
def test_an_age_behind_a_person_is_found(text: str) -> None:
    found = ages(text, "attribute", types=["age"])
    assert [age for age in found if any(map(str.isdigit, age)) or "aged" in age] == TOLD[text]


@pytest.mark.parametrize("text", UNTOLD)
def test_another_number_is_no_age(text: str) -> None:
    assert ages(text, "attribute", types=["age"]) == []


@pytest.mark.parametrize("text", TOLD)
def test_personal_data_has_the_same_ages(text: str) -> None:
    pytest.importorskip("presidio_analyzer")
    assert ages(text, "pii", types="AGE") == TOLD[text]


def test_an_age_tells_that_the_words_before_it_are_a_person_here_and_elsewhere() -> None:
    text = "We met Uwe in Vienna. Uwe, 36, said it was cold."
    assert [text[e.start : e.end] for e in Document(text).entities if e.label == "PERSON"] == [
        "Uwe",
        "Uwe",
    ]
    assert ages(text, "attribute", types=["names"]) == ["Uwe", "Uwe"]


def test_anybody_is_no_name() -> None:
    for text in ("Girl, 15, found safe at last", "Boy, 16, charged with theft"):
        assert not Document(text).entities
        assert ages(text, "attribute", types=["age"])[-1] in ("15", "16")


def test_a_text_without_end_is_read_in_time() -> None:
    for text in (" " * 10**6, "Ann (" * 200_000, "Ann, 36, " * 100_000, "(12) " * 200_000):
        assert len(list(ages_behind(text))) <= 100_000
