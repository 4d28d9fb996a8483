"""The gallery promises something; the bundled model keeps the promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskviz.evidence import compare, control
from maskviz.examples import EXAMPLES, Example, by_name
from maskviz.masks import Mask, mask

PAGES = Path(__file__).parents[2] / "pages"


def masked(example: Example) -> Mask:
    return mask(
        example.text, example.strategy, ratio=example.ratio, seed=example.seed, **example.parameters
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_every_example_hides_something_and_leaves_something(example: Example) -> None:
    assert 0 < masked(example).realised_ratio < 1
    assert example.title
    assert example.shows.endswith((".", "?"))
    assert (PAGES / f"{example.page}.py").is_file()


@pytest.mark.parametrize("name", ["key", "name", "sentence", "negation"])
def test_what_is_said_to_turn_the_answer_does(name: str) -> None:
    chosen = masked(by_name(name))
    assert compare(chosen).flip
    assert control(chosen).flips < 0.5


def test_what_is_said_to_be_ignored_changes_little() -> None:
    found = compare(masked(by_name("ignored")))
    assert not found.flip
    assert abs(found.delta[found.original.label]) < 0.1


def test_only_the_misspelt_words_are_hidden() -> None:
    chosen = masked(by_name("typos"))
    hidden = [chosen.text[s.start : s.end] for s in chosen.spans]
    assert hidden == ["Teh", "borring", "terible", "freind", "musik"]
