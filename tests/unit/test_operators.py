"""Every operator on every architecture family: the mask lands on exactly the right tokens."""

from __future__ import annotations

import numpy as np
import pytest

from maskviz.attention import attend, difference
from maskviz.errors import CapabilityError, MaskError, UnknownNameError
from maskviz.masks import OPERATORS, Mask, MaskSpan, apply, mask
from maskviz.models import load_model
from maskviz.models.predict import class_probabilities

TEXT = "Anna didn't like this truly dull film, 我们 🙂 though."
MASK = mask(TEXT, "pattern", words="truly,Anna,我们,🙂")


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_visible_tokens_keep_their_ids_and_hidden_ones_are_the_overlapping(
    classifier: str, operator: str
) -> None:
    model = load_model(classifier)
    if operator == "mask" and model.tokenizer.mask_token_id is None:
        with pytest.raises(CapabilityError, match="use the operator delete"):
            apply(MASK, operator, model)
        return
    plain, masked = apply(TEXT, "mask", model), apply(MASK, operator, model)
    for j, source in enumerate(masked.source):
        if not masked.hidden[j]:
            assert masked.input_ids[j] == plain.input_ids[source]
            assert masked.attention_mask[j] == 1
    overlapping = {
        i
        for i, offset in enumerate(plain.offsets)
        if offset and MASK.characters & set(range(*offset))
    }
    kept = {s for s, hidden in zip(masked.source, masked.hidden, strict=True) if not hidden}
    assert kept == set(range(len(plain))) - overlapping
    if operator in ("mask", "unk", "pad", "attention"):
        assert len(masked) == len(plain)
        assert {i for i, h in enumerate(masked.hidden) if h} == overlapping


def test_hidden_tokens_receive_no_attention(classifier: str) -> None:
    attention = attend(MASK, classifier, "attention")
    hidden = np.array(attention.encoding.hidden)
    rows = ~hidden
    assert float(attention.weights[:, :, rows][..., hidden].max()) == 0.0
    sums = attention.weights.astype(np.float32).sum(-1)
    assert np.allclose(sums[:, :, rows], 1, atol=2e-3)


def test_what_nobody_attends_to_does_not_change_the_answer(tiny) -> None:
    """Whatever stands at places that attention skips, the answer is the same."""
    model = load_model(tiny("bert"))
    a, b = "Anna liked this film", "Paris liked this film"
    hide_a = Mask(a, (MaskSpan(0, 4),))
    hide_b = Mask(b, (MaskSpan(0, 5),))
    first, second = apply(hide_a, "attention", model), apply(hide_b, "attention", model)
    assert len(first) == len(second)
    assert first.input_ids != second.input_ids
    answers = class_probabilities(model, [first, second])
    assert np.allclose(answers[0], answers[1], atol=1e-6)


def test_difference_is_aligned_on_the_plain_tokens(classifier: str) -> None:
    plain = attend(TEXT, classifier)
    same = difference(plain, attend(TEXT, classifier))
    assert np.abs(same).max() < 1e-3
    gone = difference(plain, attend(MASK, classifier, "delete"))
    hidden = [
        i for i, o in enumerate(plain.encoding.offsets) if o and MASK.characters & set(range(*o))
    ]
    assert gone.shape == plain.weights.shape
    kept = [i for i in range(len(plain.tokens)) if i not in hidden]
    assert np.all(gone[..., hidden, :] == 0)
    assert np.all(gone[:, :, kept][..., hidden] <= 0)


def test_hiding_everything_by_deletion_is_refused(tiny) -> None:
    model = load_model(tiny("gpt2"))
    whole = mask("Anna", "random", ratio=1)
    encoding = apply(whole, "delete", model)
    assert all(encoding.special)
    with pytest.raises(UnknownNameError, match="operator"):
        apply(whole, "blur", model)


def test_a_long_text_is_cut_and_says_so(tiny) -> None:
    model = load_model(tiny("bert"))
    encoding = apply("dull film " * 500, "mask", model)
    assert len(encoding) == model.max_length == 64
    assert encoding.truncated_at is not None
    assert "first 64 tokens" in encoding.notice
    assert apply("dull film", "mask", model).notice == ""


def test_a_mask_beyond_the_cut_changes_nothing_and_does_not_fail(tiny) -> None:
    model = load_model(tiny("bert"))
    text = "dull film " * 500
    late = Mask(text, (MaskSpan(len(text) - 5, len(text) - 1),))
    assert apply(late, "mask", model).input_ids == apply(text, "mask", model).input_ids


def test_every_operator_says_what_it_does() -> None:
    assert all(o.summary.endswith(".") for o in OPERATORS.values())
    assert MaskError.__mro__[1].__name__ == "InputError"
