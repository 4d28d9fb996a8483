"""Attention of every architecture family: what we capture is what the network itself reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from maskviz.attention import PARTS, attend, parts_of
from maskviz.errors import CapabilityError, ParameterError, UnknownNameError
from maskviz.inside import tape
from maskviz.inside.tape import eager
from maskviz.masks import apply
from maskviz.models import load_model
from maskviz.models.opened import switches
from maskviz.readings import predict
from maskviz.readings.batches import batch
from tests.tiny_models import ALL_FAMILIES, build_any

TEXT = "Anna didn't like this truly dull film, though."
TARGET = "He loved the film."
TWO_SIDED = ("t5", "bart", "marian")
OWN_SIDE = [f for f in ALL_FAMILIES if f not in TWO_SIDED]


def reported(layers) -> np.ndarray:
    """Return what transformers reports with output_attentions, (layers, heads, q, k)."""
    return np.stack([layer[0].detach().numpy() for layer in layers])


@pytest.mark.parametrize("family", OWN_SIDE)
def test_capture_equals_what_the_network_reports(tiny, family: str) -> None:
    model = load_model(tiny(family))
    captured = attend(TEXT, model)
    network = model.main_network()
    with torch.no_grad(), eager(network):
        given = batch(model, [apply(TEXT, "mask", model)])
        expected = reported(network.base_model(**given, output_attentions=True).attentions)
    assert captured.weights.dtype == np.float16
    assert captured.weights.shape == expected.shape == (2, 2, *expected.shape[2:])
    assert np.abs(captured.weights - expected).max() < 5e-4
    assert captured.part == ("decoder" if family in ("gpt2", "llama") else "encoder")


@pytest.mark.parametrize("family", TWO_SIDED)
@pytest.mark.parametrize("part", PARTS)
def test_encoder_decoder_and_cross_attention(tiny, family: str, part: str) -> None:
    model = load_model(tiny(family, "Seq2SeqLM"))
    target = None if part == "encoder" else TARGET
    captured = attend(TEXT, model, "delete", part=part, target=target)
    ids = [model.main_network().config.decoder_start_token_id]
    ids += model.tokenizer(text_target=TARGET)["input_ids"][:-1]
    network = model.main_network()
    with torch.no_grad(), eager(network):
        given = batch(model, [apply(TEXT, "delete", model)])
        output = network(**given, decoder_input_ids=torch.tensor([ids]), output_attentions=True)
    name = {"encoder": "encoder_", "decoder": "decoder_", "cross": "cross_"}[part]
    expected = reported(getattr(output, f"{name}attentions"))
    assert captured.weights.shape == expected.shape
    assert np.abs(captured.weights - expected).max() < 5e-4
    assert len(captured.queries) == expected.shape[2]
    assert len(captured.tokens) == expected.shape[3]
    if part != "encoder":
        assert "loved" in "".join(captured.queries)


def test_the_decoder_reads_what_the_model_writes_where_no_target_is_given(tiny) -> None:
    model = load_model(tiny("bart", "Seq2SeqLM"))
    captured = attend(TEXT, model, part="cross")
    written = model.network("translate").generate(
        **batch(model, [apply(TEXT, "mask", model)]), do_sample=False, num_beams=1, max_length=64
    )[0]
    assert captured.queries[0] == "[SEP]"
    assert len(captured.queries) in (len(written), len(written) - 1)


@pytest.mark.parametrize("family", ["bert", "deberta-v2", "gpt2", "t5"])
def test_one_layer_alone_is_that_layer_of_the_whole(tiny, family: str) -> None:
    model = load_model(tiny(family))
    whole, one = attend(TEXT, model), attend(TEXT, model, layers=range(1, 2))
    assert one.numbers == (1,)
    assert (one.weights == whole.weights[1:2]).all()
    with pytest.raises(ParameterError, match="no layer 9: the model has 2"):
        attend(TEXT, model, layers=range(8, 9))


@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_a_pass_ends_behind_the_last_layer_that_is_asked_for(tiny, monkeypatch, family) -> None:
    seen = []
    take = tape.Tape.take
    monkeypatch.setattr(
        tape.Tape, "take", lambda self, one: seen.append(one.layer) or take(self, one)
    )
    model = load_model(tiny(family))
    first = attend(TEXT, model, layers=range(1))
    assert seen == [0]
    assert (first.weights == attend(TEXT, model).weights[:1]).all()
    assert seen == [0, 0, 1]  # and the model runs whole again afterwards


@pytest.mark.parametrize(("family", "part", "alive_at_once"), [
    ("bert", None, 1), ("deberta", None, 1), ("gpt2", None, 1),
    ("bart", "decoder", 2),  # a decoder's layer attends twice: to itself and across
])  # fmt: skip
def test_no_more_than_one_layer_is_held_in_float32(
    tiny, monkeypatch, family: str, part: str | None, alive_at_once: int
) -> None:
    alive, most = [], []
    take = tape.Tape.take

    def counting(self, product):
        import weakref

        alive.append(weakref.ref(product.weights))
        most.append(sum(ref() is not None for ref in alive))
        take(self, product)

    monkeypatch.setattr(tape.Tape, "take", counting)
    attend(TEXT, tiny(family), "delete", part=part, target=part and TARGET)
    assert len(alive) >= 2
    assert max(most) == alive_at_once


def test_what_an_architecture_cannot_give_is_said_by_name(tiny, tmp_path) -> None:
    with pytest.raises(UnknownNameError, match=r"part of 'bert' 'cross': choose one of encoder"):
        attend(TEXT, tiny("bert"), part="cross")
    with pytest.raises(ParameterError, match="reads none"):
        attend(TEXT, tiny("bert"), target="A target.")
    with pytest.raises(CapabilityError, match=r"\(t5\) cannot write: give a target"):
        attend(TEXT, tiny("t5"), part="cross")
    from transformers import MambaConfig, MambaForCausalLM

    from tests.tiny_models import tokenizer

    tokens = tokenizer("bytes")
    config = MambaConfig(vocab_size=len(tokens), hidden_size=8, num_hidden_layers=1, state_size=2)
    MambaForCausalLM(config).save_pretrained(tmp_path)
    tokens.save_pretrained(tmp_path)
    with pytest.raises(CapabilityError, match="'mamba' does not show its attention"):
        attend(TEXT, str(tmp_path))


def test_the_networks_own_attention_comes_back(tiny) -> None:
    model = load_model(tiny("bert"))
    before = model.main_network().config._attn_implementation
    attend(TEXT, model)
    assert model.main_network().config._attn_implementation == before
    assert parts_of(model) == ("encoder",)


@pytest.fixture
def falcons(tmp_path: Path):
    """Return a model, and the networks that transformers loads of it, fused and eager."""
    from transformers import FalconForSequenceClassification as Falcon

    def built(**given):
        folder = build_any("falcon", tmp_path, **given)
        eager = Falcon.from_pretrained(folder, attn_implementation="eager")
        return load_model(folder), Falcon.from_pretrained(folder), eager

    return built


@pytest.mark.parametrize("given", [{}, {"new_decoder_architecture": True, "num_kv_heads": 2}])
def test_what_keeps_the_attention_it_was_loaded_with_is_loaded_eager(falcons, given) -> None:
    model, fused, eager = falcons(**given)
    assert not switches(fused)
    assert fused.config._attn_implementation == "sdpa"
    inputs = batch(model, [apply(TEXT, model=model)])
    with torch.no_grad():
        expected = reported(eager(**inputs, output_attentions=True).attentions)
        answer = fused(**inputs).logits[0].softmax(-1)
    assert np.abs(attend(TEXT, model).weights - expected).max() < 5e-4
    (found,) = predict(model, [apply(TEXT, model=model)])
    assert list(found.probabilities.values()) == pytest.approx(answer, abs=1e-5)


def test_it_stays_as_it_was_where_it_would_answer_otherwise(falcons) -> None:
    model, fused, eager = falcons(alibi=True)
    # Which word has which row of weights is by chance: of one text the two may differ by little.
    read = [batch(model, [apply(text, model=model)]) for text in (TEXT, *TEXT.split())]
    with torch.no_grad():
        answers, others = (
            torch.cat([n(**inputs).logits.softmax(-1) for inputs in read]) for n in (fused, eager)
        )
    assert float((answers - others).abs().max()) > 1e-3
    answer = answers[0]
    (found,) = predict(model, [apply(TEXT, model=model)])
    assert list(found.probabilities.values()) == pytest.approx(answer, abs=1e-5)
    with pytest.raises(CapabilityError, match="'falcon' does not show its attention"):
        attend(TEXT, model)


def test_most_networks_switch_and_are_left_as_they_were(tiny) -> None:
    network = load_model(tiny("bert")).main_network()
    assert switches(network)
    assert network.config._attn_implementation == "sdpa"
