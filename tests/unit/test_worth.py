"""Is this attention worth believing: falls, baselines and agreement, each by its definition."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from maskviz.attention import METHODS
from maskviz.errors import CapabilityError, ParameterError
from maskviz.evidence.statistics import kendall
from maskviz.evidence.words.attribution import explain
from maskviz.evidence.words.worth import falls_without, tops, worth, worth_sentence
from maskviz.masks import Mask, MaskSpan, apply
from maskviz.models import load_model
from maskviz.readings import predict
from maskviz.readings.question import asked

TEXT = "Anna did not like this truly dull film though others loved it."


def test_the_fall_is_that_of_the_predicted_label_without_the_words(tiny) -> None:
    model = load_model(tiny("bert"))
    words = Mask(TEXT).words
    both = Mask(TEXT, (MaskSpan(*words[1]), MaskSpan(*words[6])))
    plain, without = predict(model, [apply(TEXT, "mask", model), apply(both, "mask", model)])
    expected = plain.confidence - without.probabilities[plain.label]
    assert falls_without(TEXT, asked(model), [(6, 1)]) == [pytest.approx(expected, abs=1e-9)]
    one_out = [word.score for word in explain(TEXT, model).words]
    assert falls_without(TEXT, asked(model), [(i,) for i in range(12)]) == pytest.approx(
        one_out, abs=1e-6
    )


def test_leave_one_out_itself_would_have_full_agreement() -> None:
    assert kendall([3, 1, 2], [0.3, 0.1, 0.2])[0] == pytest.approx(1)
    assert kendall([3, 1, 2], [-0.3, -0.1, -0.2])[0] == pytest.approx(-1)
    assert kendall([1, 1], [1, 2]) == (None, None)


def test_equal_scores_are_drawn_and_not_taken_from_the_left() -> None:
    drawn = tops([1.0] * 10, 2)
    assert len(set(drawn)) > 5
    assert {i for one in drawn for i in one} > {8, 9}
    assert tops([5, 1, 1, 7], 3) != [(0, 1, 3)] or len(tops([5, 1, 1, 7], 3)) > 1
    assert all({0, 3} <= set(one) for one in tops([5, 1, 1, 7], 3))


@pytest.mark.parametrize("family", ["bert", "modernbert", "gpt2"])
def test_every_method_stands_beside_the_same_baselines(tiny, family: str) -> None:
    found = worth(TEXT, tiny(family))
    assert [one.method for one in found] == list(METHODS)
    assert {one.k for one in found} == {2}
    assert len({(one.random, one.low, one.high, one.uniform) for one in found}) == 1
    by_name = {one.method: one for one in found}
    assert by_name["uniform"].fall == by_name["uniform"].uniform
    assert not by_name["uniform"].believable
    assert all(one.low <= one.random <= one.high for one in found)
    assert all(len(one.words) == 2 for one in found)
    assert all(one.tau is None or -1 <= one.tau <= 1 for one in found)
    assert worth_sentence(found).endswith(".")


def test_what_a_method_cannot_do_is_said_beside_the_others(tiny, monkeypatch) -> None:
    module = sys.modules[falls_without.__module__]

    def scores(text: str, model: object, method: str):
        if method == "relevance":
            raise CapabilityError("This architecture gives no gradient: choose raw or rollout.")
        return word_scores(text, model, method)

    word_scores = module.word_scores
    monkeypatch.setattr(module, "word_scores", scores)
    # A text of its own: what is known of another one is kept.
    by_name = {one.method: one for one in worth("Nobody gives this film a gradient.", tiny("t5"))}
    assert "gives no gradient" in by_name["relevance"].error
    assert np.isnan(by_name["relevance"].fall)
    assert not by_name["rollout"].error


def test_bad_input_is_one_sentence(tiny) -> None:
    with pytest.raises(CapabilityError, match="cannot classify"):
        worth(TEXT, tiny("bert", "MaskedLM"))
    with pytest.raises(ParameterError, match="k is 13 and the text has 12 words"):
        worth(TEXT, tiny("bert"), k=13)
