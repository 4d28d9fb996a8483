"""One call from a model and a mask to what the Attention page shows."""

from dataclasses import replace

import numpy as np
import pytest

from maskviz import load_model, mask
from maskviz.attention import METHODS, PARTS, attend, difference
from maskviz.attention.looking import SHOWS, Look, look_at, words_of
from maskviz.attention.view import Display
from maskviz.errors import UnknownNameError

TEXT = "The acting was superb, the ending a little sweet."
HIDDEN = mask(TEXT, "pattern", words=["superb", "ending"])
MINI = load_model("mini")


class Kept(dict):
    """Keeps every pass, and counts what was made."""

    def __call__(self, key, make):
        if key not in self:
            self[key] = make()
        return self[key]


@pytest.fixture
def passes(monkeypatch) -> list:
    """Return a list that grows by (method, layers) with every pass of the model."""
    from maskviz.attention import capture

    seen, real = [], capture.capture

    def counting(*arguments):
        weights = real(*arguments)
        seen.append((arguments[3], len(weights)))
        return weights

    monkeypatch.setattr(capture, "capture", counting)
    return seen


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("show", SHOWS)
def test_a_look_is_what_attend_captures(show, method):
    seen = look_at(MINI, Look(TEXT, HIDDEN, show=show, method=method))
    plain, masked = (attend(text, MINI, method=method) for text in (TEXT, HIDDEN))
    wanted = {
        "plain": plain.weights,
        "masked": masked.weights,
        "difference": difference(plain, masked),
    }[show]
    np.testing.assert_allclose(seen.tokens.weights, wanted, atol=2e-3)
    assert seen.drawn is seen.tokens  # nothing was asked of the display
    assert len(seen.notes) == len(wanted)
    assert seen.finding.endswith(".")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("show", SHOWS)
def test_every_part_of_an_encoder_decoder_is_looked_at(part, show):
    text = "The house is small and the garden is old."
    target = None if part == "encoder" else "Das Haus ist alt."
    asked = Look(text, mask(text, "random", ratio=0.3), "delete", show, part=part, target=target)
    seen = look_at(load_model("mini-translate"), asked)
    assert seen.tokens.signed == (show == "difference")
    assert (seen.tokens.keys is not None) == (part == "cross")
    assert np.isfinite(seen.tokens.weights).all()


def test_methods_of_weights_share_a_pass_and_others_have_their_own(passes):
    kept = Kept()
    for method in METHODS:
        look_at(MINI, Look(TEXT, HIDDEN, method=method), keep=kept)
    own = [name for name, method in METHODS.items() if not method.of_weights("encoder")]
    assert [name for name, _ in passes] == ["raw", "raw", *(n for n in own for _ in range(2))]
    for show in SHOWS:
        for layer in (None, 0, 3):
            look_at(MINI, Look(TEXT, HIDDEN, show=show, layer=layer), keep=kept)
    assert len(passes) == 2 + 2 * len(own)


@pytest.mark.parametrize("layer", [0, 2])
@pytest.mark.parametrize("method", ["raw", "mean", "norm"])
def test_what_is_not_held_is_captured_layer_by_layer(passes, method, layer):
    kept, asked = Kept(), Look(TEXT, HIDDEN, method=method, show="plain", layer=layer)
    alone = look_at(MINI, asked, keep=kept, held=False)
    look_at(MINI, asked, Display(words=True), keep=kept, held=False)
    assert passes == [(method, 1)]
    whole = look_at(MINI, replace(asked, layer=None))
    assert alone.tokens.numbers == (layer,)
    np.testing.assert_allclose(
        alone.tokens.weights[0], whole.tokens.weights[layer], atol=1e-3, rtol=0
    )


@pytest.mark.parametrize("operator", ["mask", "delete", "placeholder", "attention"])
@pytest.mark.parametrize("show", SHOWS)
def test_flow_from_one_word_is_its_rows_of_the_flow_from_all(operator, show):
    words, members, _ = words_of(MINI, Look(TEXT, HIDDEN))
    asked = Look(TEXT, HIDDEN, operator, show, "flow", queries=members[words.index("little")])
    alone = look_at(MINI, asked).tokens
    whole = look_at(MINI, replace(asked, queries=None)).tokens
    there = ~np.array(alone.absent)
    assert [alone.tokens[i] for i in np.flatnonzero(there)] == ["little"]
    np.testing.assert_allclose(alone.weights[0, 0][there], whole.weights[0, 0][there], atol=1e-3)
    assert not np.asarray(alone.weights)[0, 0][~there].any()


def test_words_know_their_tokens_and_the_first_that_is_hidden():
    text = "Unbelievably good, was Unbelievably's acting?"
    words, members, first = words_of(MINI, Look(text, mask(text, "manual")))
    tokens = attend(text).tokens
    assert [token for word in members for token in word] == list(range(len(tokens)))
    assert any(len(word) > 1 for word in members)
    assert words[first] == words[1]  # behind [CLS], where nothing is hidden
    for hidden in ("good", "acting"):
        chosen = mask(text, "pattern", words=[hidden])
        words, _, first = words_of(MINI, Look(text, chosen))
        assert words[first] == hidden


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"show": "both"}, "view of attention 'both'"),
        ({"method": "attention"}, "attention method 'attention'"),
        ({"part": "cross"}, "part of"),
    ],
)
def test_a_name_that_is_not_there_is_one_sentence(changes, named):
    with pytest.raises(UnknownNameError, match=named) as error:
        look_at(MINI, Look(TEXT, HIDDEN, **changes))
    assert "\n" not in str(error.value)
