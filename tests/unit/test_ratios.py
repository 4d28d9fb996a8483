"""How many hidden tokens are guessed right, by the share hidden."""

from __future__ import annotations

import pytest

from maskviz.errors import CapabilityError, TextError
from maskviz.evidence.text.ratios import guessed_by_ratio
from maskviz.masks import mask
from maskviz.models import load_model
from maskviz.readings.fills import fill, guessed_right

TEXT = "The film was so good that I went to see it with my friends again the next day."


def test_a_guess_is_right_where_the_best_candidate_is_the_word():
    masks = [mask(TEXT, "random", ratio=0.15, seed=seed) for seed in range(6)]
    counts = guessed_right(masks, load_model("mini"))
    single = {"film", "was", "so", "good", "that", "I", "went", "to", "see", "it", "with", "my"}
    for chosen, (right, count) in zip(masks, counts, strict=True):
        found = fill(chosen, "mini", 1)
        assert 0 <= right <= count
        if all(f.text in single for f in found):  # of one token each
            assert right == sum(f.candidates[0].token == f.text.lower() for f in found)


def test_the_more_is_hidden_the_less_is_guessed():
    found = guessed_by_ratio(TEXT, "mini", (0.1, 0.9))
    assert found[0].right > found[1].right
    for one in found:
        assert one.ci95[0] <= one.right <= one.ci95[1]
        assert one.realised == pytest.approx(one.ratio, abs=0.05)


def test_what_cannot_be_measured_is_one_sentence(tiny):
    with pytest.raises(TextError, match="no word"):
        guessed_by_ratio("…!", "mini")
    with pytest.raises(CapabilityError):
        guessed_by_ratio(TEXT, tiny("gpt2"))
