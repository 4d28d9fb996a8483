"""Cutting what is shown from captured attention: words, special tokens, differences."""

from dataclasses import replace

import numpy as np
import pytest

from maskviz.attention.capture import Attention
from maskviz.attention.difference import difference_view, hidden_tokens
from maskviz.attention.summary import summarise
from maskviz.attention.view import (
    merge_words,
    moved,
    notes,
    only_above,
    token_over_heads,
    view,
    without_special,
    word_numbers,
)
from maskviz.inside.target import Target
from maskviz.masks.encoding import Encoding

TEXT = "Unhappy Bob left."
TOKENS = ("[CLS]", "un", "##happy", "bob", "left", ".", "[SEP]")
OFFSETS = (None, (0, 2), (2, 7), (8, 11), (12, 16), (16, 17), None)


def encode(keep=range(7), off=(), tokens=TOKENS):
    keep = list(keep)
    return Encoding(
        text=TEXT,
        operator="mask",
        input_ids=tuple(range(len(keep))),
        attention_mask=(1,) * len(keep),
        tokens=tuple(tokens[i] for i in keep),
        offsets=tuple(OFFSETS[i] for i in keep),
        source=tuple(keep),
        hidden=tuple(i in off for i in keep),
        special=tuple(OFFSETS[i] is None for i in keep),
    )


def attention(encoding, seed=0):
    n = len(encoding)
    weights = np.random.default_rng(seed).dirichlet(np.ones(n), size=(2, 3, n))
    return Attention(weights.astype(np.float16), encoding, "test")


def test_subwords_share_a_word_and_punctuation_stands_alone():
    assert word_numbers(encode()) == (0, 1, 1, 2, 3, 4, 5)


def test_merged_rows_keep_their_sum_and_words_their_name():
    merged = merge_words(view(attention(encode())))
    assert merged.tokens == ("[CLS]", "unhappy", "bob", "left", ".", "[SEP]")
    assert merged.weights.shape == (2, 3, 6, 6)
    assert merged.weights.sum(-1) == pytest.approx(np.ones((2, 3, 6)), abs=2e-3)


def test_merging_adds_columns_and_averages_rows():
    shown = view(attention(encode()))
    merged = merge_words(shown)
    expected = shown.weights[0, 0, 1:3, 1:3].astype(np.float64).sum() / 2
    assert merged.weights[0, 0, 1, 1] == pytest.approx(expected, abs=1e-4)


def test_a_repeated_mark_names_a_hidden_word_once():
    tokens = ("[CLS]", "[MASK]", "[MASK]", "bob", "left", ".", "[SEP]")
    merged = merge_words(view(attention(encode(off=(1, 2), tokens=tokens))))
    assert merged.tokens[1] == "[MASK]"
    assert merged.hidden == (False, True, False, False, False, False)


def test_special_tokens_leave_both_axes_and_nothing_else_changes():
    shown = view(attention(encode()))
    cut = without_special(shown)
    assert cut.tokens == TOKENS[1:-1]
    assert (cut.weights == shown.weights[:, :, 1:-1, 1:-1]).all()
    assert cut.words == (0, 0, 1, 2, 3)
    assert merge_words(cut).tokens == ("unhappy", "bob", "left", ".")


def test_difference_of_a_deleted_token_marks_its_row_as_absent():
    plain = attention(encode())
    masked = attention(encode(keep=[0, 1, 2, 4, 5, 6]), seed=1)
    shown = difference_view(plain, masked)
    assert shown.tokens == TOKENS
    assert shown.absent == (False, False, False, True, False, False, False)
    assert shown.hidden == (False, False, False, True, False, False, False)
    lost = -plain.weights[:, :, 0, 3].astype(np.float32)
    assert shown.weights[:, :, 0, 3] == pytest.approx(lost, abs=1e-6)


def test_difference_of_a_text_with_itself_is_zero():
    plain = attention(encode())
    shown = difference_view(plain, plain)
    assert not shown.weights.any()
    assert not any(shown.hidden)
    assert moved(shown).tolist() == [[0.0] * 3] * 2


def test_moved_is_one_when_all_attention_goes_elsewhere():
    plain, masked = attention(encode()), attention(encode(off=(3,)))
    plain.weights[:] = 0
    plain.weights[..., 0] = 1
    masked.weights[:] = 0
    masked.weights[..., 6] = 1
    shown = difference_view(plain, masked)
    assert moved(shown).tolist() == [[1.0] * 3] * 2
    assert hidden_tokens(plain.encoding, masked.encoding)[3]


def cross(weights=None):
    target = Target((0, 5, 6), ("<s>", "un", "happy"), (True, False, False), (0, 1, 1))
    source = attention(encode())
    given = source.weights[:, :, :3] if weights is None else weights
    return replace(source, weights=given, part="cross", target=target)


def test_cross_attention_has_an_axis_of_its_own_on_each_side():
    shown = view(cross())
    assert shown.tokens == ("<s>", "un", "happy")
    assert shown.columns.tokens == TOKENS
    merged = merge_words(without_special(shown))
    assert merged.tokens == ("unhappy",)
    assert merged.columns.tokens == ("unhappy", "bob", "left", ".")
    assert merged.weights.shape == (2, 3, 1, 4)
    expected = shown.weights[0, 0, 1:, 1:3].astype(np.float64).sum() / 2
    assert merged.weights[0, 0, 0, 0] == pytest.approx(expected, abs=1e-3)
    names = {role.name for layer in notes(shown) for role in layer}
    assert names <= {"separator", "onto hidden words", "broad", "mixed"}


def test_difference_of_cross_attention_lines_up_when_the_text_loses_a_token():
    plain = cross()
    gone = encode(keep=[0, 1, 2, 4, 5, 6])
    masked = replace(plain, weights=plain.weights[..., [0, 1, 2, 4, 5, 6]], encoding=gone)
    shown = difference_view(plain, masked)
    assert shown.columns.hidden == (False, False, False, True, False, False, False)
    assert not any(shown.absent)
    change = np.zeros_like(shown.weights)
    change[..., 3] = -plain.weights[..., 3].astype(np.float32)
    assert shown.weights == pytest.approx(change, abs=1e-6)


def test_weights_under_a_threshold_are_left_out():
    shown = view(attention(encode()))
    cut = only_above(shown, 0.2)
    assert ((cut.weights == 0) | (cut.weights >= 0.2)).all()
    assert (cut.weights[shown.weights >= 0.2] == shown.weights[shown.weights >= 0.2]).all()
    assert only_above(shown, 0) is shown


def test_one_token_over_all_heads_is_its_row_in_each():
    shown = replace(view(attention(encode())), numbers=(4, 5))
    rows, names = token_over_heads(shown, 3)
    assert names == ["L5 H1", "L5 H2", "L5 H3", "L6 H1", "L6 H2", "L6 H3"]
    assert (rows[4] == shown.weights[1, 1, 3]).all()


def test_the_summary_by_its_definitions():
    n = 7
    weights = np.zeros((1, 3, n, n), np.float32)
    weights[0, 0] = 1 / n
    weights[0, 1] = np.eye(n, k=-1)
    weights[0, 1, 0, 0] = 1
    weights[0, 2, :, 3] = 1
    shown = replace(view(attention(encode(off=(3,)))), weights=weights)
    found = summarise(shown)
    assert found.entropy[0] == pytest.approx([np.log2(7), 0, 0], abs=1e-4)
    assert found.special[0] == pytest.approx([2 / 7, 1 / 5, 0], abs=1e-5)
    assert found.hidden[0] == pytest.approx([1 / 7, 1 / 5, 1], abs=1e-5)
    even = np.mean([np.mean([abs(q - k) for k in range(n)]) for q in range(1, 6)])
    assert found.distance[0] == pytest.approx([even, 1, np.mean([2, 1, 0, 1, 2])], abs=1e-5)
