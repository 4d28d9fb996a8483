"""Parts of the recipe of `mini`: more layers for the same answers, and what a teacher adds."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch):
    """Return a function that imports a module of the recipe."""
    monkeypatch.syspath_prepend(str(RECIPES))
    before = set(sys.modules)
    yield __import__
    for name in set(sys.modules) - before:
        if name.startswith(("mini_", "checksums")):
            del sys.modules[name]


def test_a_grown_network_gives_the_same_answers(recipe) -> None:
    module = recipe("mini_model")

    def build(layers: int):
        torch.manual_seed(layers)
        size = module.Size(layers=layers, hidden=16, heads=2, intermediate=24)
        return module.Mini(module.build_config(40, size)).eval()

    small, large = build(3), build(5)
    large.masked_lm.load_state_dict(module.grown(small.masked_lm.state_dict(), 5))
    ids = torch.randint(5, 40, (2, 9), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(large.masked_lm(ids).logits, small.masked_lm(ids).logits)
    assert all(
        torch.equal(value, small.masked_lm.state_dict()[key])
        for key, value in module.grown(small.masked_lm.state_dict(), 3).items()
    )


def test_the_teacher_is_believed_half_where_people_judged_and_alone_elsewhere(recipe) -> None:
    labelled = pd.DataFrame(
        {"text": ["good", "bad", "long"], "label": [1, 0, 1], "source": ["sst", "sst", "imdb"]}
    )
    soft = pd.DataFrame(
        {"text": ["good", "bad", "so so"], "soft": [0.0, 0.0, np.log(3)],
         "source": ["sst", "sst", "review"]}
    )  # fmt: skip
    found = recipe("mini_batches").with_teacher(labelled, soft)
    assert list(found["text"]) == ["good", "bad", "long", "so so"]
    np.testing.assert_allclose(found["target"], [0.75, 0.25, 1.0, 0.75])
    alone = recipe("mini_batches").with_teacher(labelled, None)
    assert list(alone["target"]) == [1.0, 0.0, 1.0]


def test_the_sentences_of_reviews_are_whole_and_of_moderate_length(recipe) -> None:
    reviews = ["We saw it twice. Never again! Why? Because " + "it went on and " * 20 + "on."]
    assert recipe("mini_teacher").review_sentences(reviews, 9, 0) == ["We saw it twice."]


def test_words_are_hidden_whole_or_token_by_token(recipe) -> None:
    hide = recipe("mini_batches").hide_words
    continues = np.zeros(40, dtype=bool)
    continues[20:] = True  # ids from 20 on continue a word
    ids = np.tile([2, 10, 20, 21, 11, 22, 12, 3], (2000, 1))

    def hidden(by_token: float) -> np.ndarray:
        return hide(ids, continues, 0.3, np.random.default_rng(0), by_token)

    whole, single, mixed = hidden(0.0), hidden(1.0), hidden(0.5)
    assert not whole[:, [0, 7]].any()  # special tokens
    assert not single[:, [0, 7]].any()
    for rows in (whole, single):
        assert rows[:, 1:7].mean(axis=0) == pytest.approx(np.full(6, 0.3), abs=0.05)
    assert (whole[:, 1:4].std(axis=1) == 0).all()
    apart = [(rows[:, 1] != rows[:, 2]).mean() for rows in (single, mixed)]
    assert apart == pytest.approx([2 * 0.3 * 0.7, 0.3 * 0.7], abs=0.05)
