from __future__ import annotations

from collections import Counter

import pytest

from maskviz.masks import Mask, MaskSpan
from maskviz.masks.audit import audit, jaccard, span_length_test

TEXTS = [
    f"Anna met Bob number {i} in Paris and they walked along the long river bank"
    for i in range(120)
]


def test_word_strategies_cut_no_word_and_meet_their_ratio() -> None:
    found = audit([*TEXTS, "", "!!"], ["random", "span"], ratio=0.3)
    assert (found.texts, found.left_out) == (120, 2)
    for result in found.strategies.values():
        assert result.partly_hidden == 0
        assert result.realised_ratio == pytest.approx(4 / 15)
    assert 0 < found.overlap["random", "span"] < 1


def test_span_lengths_fit_the_truncated_geometric_and_others_do_not() -> None:
    long_texts = ["word " * 300 for _ in range(30)]
    result = audit(long_texts, ["span"], ratio=0.5, seed=5).strategies["span"]
    assert sum(result.span_lengths.values()) > 500
    assert result.p_value > 0.01
    assert span_length_test(Counter({1: 300, 10: 300})) < 1e-6
    assert span_length_test(Counter()) is None


def test_corrupt_splits_80_10_10(tiny) -> None:
    found = audit(TEXTS * 3, ["random"], ratio=0.5, model=tiny("bert"), operator="corrupt")
    split = found.strategies["random"].split
    assert split["mask"] == pytest.approx(0.8, abs=0.03)
    assert split["keep"] == pytest.approx(0.1, abs=0.03)
    assert split["other"] == pytest.approx(0.1, abs=0.03)
    tokens = found.strategies["random"]
    assert 0 < tokens.hidden_tokens < tokens.tokens


def test_a_cut_word_is_counted() -> None:
    from maskviz.masks.audit import _partly_hidden
    from maskviz.text import Document

    assert _partly_hidden(Document("Anna left"), Mask("Anna left", (MaskSpan(0, 2),))) == 1


def test_jaccard() -> None:
    one, two = Mask("a b c", (MaskSpan(0, 3),)), Mask("a b c", (MaskSpan(2, 5),))
    assert jaccard(one, two) == pytest.approx(1 / 3)
    assert jaccard(Mask("a"), Mask("a")) == 1
