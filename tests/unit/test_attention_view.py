"""Cutting what is shown from captured attention: words, special tokens, differences."""

import numpy as np
import pytest

from maskviz.attention.capture import Attention
from maskviz.attention.view import (
    difference_view,
    hidden_tokens,
    merge_words,
    moved,
    view,
    without_special,
    word_numbers,
)
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
