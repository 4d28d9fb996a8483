"""Attention matrices: what they allow, and that models obey them exactly."""

from __future__ import annotations

import numpy as np
import pytest

from maskviz.attention import attend
from maskviz.errors import ParameterError, UnknownNameError
from maskviz.inside.arithmetic import head_arithmetic
from maskviz.inside.steering import predict_under
from maskviz.masks import MATRICES, apply, attention_matrix, mask
from maskviz.models import load_model
from maskviz.readings import predict

TEXT = "Anna loved this great film, but Paris was a dull story."


def test_every_row_keeps_its_diagonal(tiny) -> None:
    encoding = apply(mask(TEXT, "pattern", words="great,dull"), "mask", tiny("bert"))
    n = len(encoding)
    for name in MATRICES:
        given = {"values": "\n".join([",".join("0" * n)] * n)} if name == "custom" else {}
        allowed = attention_matrix(name, encoding, **given)
        assert allowed.shape == (n, n)
        assert allowed.dtype == bool
        assert allowed.diagonal().all(), name


def test_each_matrix_allows_what_it_says(tiny) -> None:
    encoding = apply(mask(TEXT, "pattern", words="great,dull"), "mask", tiny("bert"))
    n, off = len(encoding), ~np.eye(len(encoding), dtype=bool)
    hidden = np.array(encoding.hidden)
    assert not (attention_matrix("hidden-keys", encoding) & off)[:, hidden].any()
    assert attention_matrix("hidden-keys", encoding)[:, ~hidden].all()
    assert (attention_matrix("causal", encoding) == np.tri(n, dtype=bool)).all()
    assert attention_matrix("window", encoding, width=1).sum() == 3 * n - 2
    share = (attention_matrix("random", encoding, ratio=0.3, seed=1) & off).sum() / off.sum()
    assert share == pytest.approx(0.3, abs=0.08)
    two = apply("Anna left. Bob stayed here.", "mask", tiny("bert"))
    same = attention_matrix("same-sentence", two)
    first = [i for i, o in enumerate(two.offsets) if o and o[1] <= 10]
    second = [i for i, o in enumerate(two.offsets) if o and o[0] >= 11]
    assert not same[np.ix_(first, second)].any()
    assert same[np.ix_(first, first)].all()
    assert same[0].all()


def test_a_matrix_that_hides_keys_equals_the_operator_attention(classifier: str) -> None:
    model = load_model(classifier)
    chosen = mask(TEXT, "pattern", words="great,dull")
    flat = apply(chosen, "attention", model)
    plain = apply(TEXT, "delete", model)
    allowed = np.broadcast_to(~np.array(flat.hidden), (len(plain), len(plain))).copy()
    np.fill_diagonal(allowed, True)
    by_matrix = attend(TEXT, model, "delete", allowed).weights
    by_flat = attend(chosen, model, "attention").weights
    rows = ~np.array(flat.hidden)
    gap = np.abs(by_matrix[:, :, rows].astype(float) - by_flat[:, :, rows].astype(float))
    assert gap.max() < 2e-3


@pytest.mark.parametrize("name", ["causal", "window", "random"])
def test_no_model_attends_where_the_matrix_forbids(classifier: str, name: str) -> None:
    encoding = apply(TEXT, "delete", classifier)
    allowed = attention_matrix(name, encoding)
    weights = attend(TEXT, classifier, "delete", allowed).weights
    assert float(weights[..., ~allowed].max()) == 0
    assert np.allclose(weights.astype(np.float32).sum(-1), 1, atol=2e-3)


def test_allowing_all_changes_nothing(classifier: str) -> None:
    model = load_model(classifier)
    encoding = apply(TEXT, "delete", model)
    everything = np.ones((len(encoding), len(encoding)), dtype=bool)
    (plain,) = predict(model, [encoding])
    same = predict_under(model, encoding, everything)
    assert same.probabilities == pytest.approx(plain.probabilities, abs=1e-5)
    causal = predict_under(model, encoding, attention_matrix("causal", encoding))
    assert sum(causal.probabilities.values()) == pytest.approx(1)


def test_the_arithmetic_of_a_head_is_the_models_own(tiny) -> None:
    for family in ("bert", "modernbert", "distilbert", "gpt2"):
        model = load_model(tiny(family))
        encoding = apply(TEXT, "delete", model)
        found = head_arithmetic(model, encoding, 1, 1)
        weights = attend(TEXT, model, "delete").weights[1, 1].astype(np.float32)
        assert np.abs(found.weights - weights).max() < 1e-3, family
        assert np.allclose(found.output, found.weights @ found.values, atol=1e-6)
        allowed = attention_matrix("window", encoding, width=1)
        steered = head_arithmetic(model, encoding, 0, 0, allowed)
        scores = np.where(allowed, steered.scores, -np.inf)
        if family == "gpt2":
            scores = np.where(np.tri(len(scores), dtype=bool), scores, -np.inf)
        expected = np.exp(scores - scores.max(-1, keepdims=True))
        expected /= expected.sum(-1, keepdims=True)
        assert np.allclose(steered.weights, expected, atol=1e-5), family


def test_bad_matrices_are_one_sentence(tiny) -> None:
    encoding = apply("Anna", "delete", tiny("bert"))
    with pytest.raises(UnknownNameError, match="window"):
        attention_matrix("wide", encoding)
    with pytest.raises(ParameterError, match="tokens"):
        attention_matrix("custom", encoding, values="1,0\n0,1")
    n = len(encoding)
    with pytest.raises(ParameterError, match="only 0 and 1"):
        attention_matrix("custom", encoding, values="\n".join([",".join("2" * n)] * n))
    with pytest.raises(ParameterError, match="no layer 9"):
        head_arithmetic(load_model(tiny("bert")), encoding, 8, 0)


@pytest.mark.parametrize(("separator", "one"), [(",", "1"), (";", "1.0"), ("\t", " 1")])
def test_a_table_from_any_spreadsheet_is_read(tiny, separator: str, one: str) -> None:
    encoding = apply("a dull film", "delete", tiny("bert"))
    n = len(encoding)
    lower = [[one if j <= i else one.replace("1", "0") for j in range(n)] for i in range(n)]
    written = "\r\n".join(separator.join(row) for row in lower)
    allowed = attention_matrix("custom", encoding, values=written)
    assert (allowed == attention_matrix("causal", encoding)).all()


@pytest.mark.parametrize("written", ["", "\n\n", "\0", "1" * 200_000, '"1', "a,b\n1,0"])
def test_a_table_that_is_none_is_one_sentence(tiny, written: str) -> None:
    encoding = apply("a dull film", "delete", tiny("bert"))
    with pytest.raises(ParameterError, match="special tokens included"):
        attention_matrix("custom", encoding, values=written)
