"""Edges cut in a window of layers, and the lens, against hooks on the networks themselves."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from maskviz.attention.capture import attention_of
from maskviz.errors import CapabilityError, ParameterError
from maskviz.evidence.units.knockout import knockout
from maskviz.evidence.units.layers import layer_answers
from maskviz.evidence.units.sentence import knockout_sentence, lens_sentence
from maskviz.inside import checks
from maskviz.inside.edges import cut
from maskviz.inside.steering import predict_under
from maskviz.inside.tape import eager
from maskviz.masks import MATRICES, Edges, apply, attention_edges, attention_matrix, mask
from maskviz.models import load_model
from maskviz.models.checks import finding
from maskviz.readings.batches import batch
from maskviz.readings.question import asked

TEXT = "Anna didn't like this truly dull film, though."
ATTENTION = {
    "bert": "bert.encoder.layer.{}.attention.self",
    "roberta": "roberta.encoder.layer.{}.attention.self",
    "gpt2": "transformer.h.{}.attn",
    "llama": "model.layers.{}.self_attn",
}


def hooked(put, read, path: str, queries, keys) -> np.ndarray:
    """Return the logits where a hook adds −∞ to one layer's mask at some edges."""

    def change(_module, given, named):
        size = len(read)
        floor = torch.finfo(torch.float32).min
        own = named.get("attention_mask")
        own = torch.zeros(1, 1, size, size) if own is None else own.float().clone()
        own = own.expand(1, 1, size, size).clone()
        for q in queries:
            for k in keys:
                if q != k:
                    own[0, 0, q, k] = floor
        return given, {**named, "attention_mask": own}

    module = put.network.get_submodule(path)
    handle = module.register_forward_pre_hook(change, with_kwargs=True)
    try:
        with eager(put.network):
            return put.logits([read])[0]
    finally:
        handle.remove()


@pytest.mark.parametrize("family", ATTENTION)
@pytest.mark.parametrize("layer", [0, 1])
def test_edges_cut_in_one_layer_are_masked_there_alone(tiny, family: str, layer: int) -> None:
    put = asked(tiny(family))
    read = apply(TEXT, "attention", put.model)
    queries, keys = range(len(read)), [3, 4]
    expected = hooked(put, read, ATTENTION[family].format(layer), queries, keys)
    allowed = np.ones((len(read), len(read)), bool)
    allowed[:, keys] = False
    allowed |= np.eye(len(read), dtype=bool)
    edges = Edges(allowed, (layer,))
    with put.model.running(), torch.inference_mode(), cut(put.network, lambda n: edges.at(n, 2)):
        found = put.ask([read])[0].double().numpy()
    assert np.abs(found - expected).max() < 1e-5
    assert np.abs(found - put.logits([read])[0]).max() > 1e-6


def test_edges_may_be_cut_in_some_heads_alone(tiny) -> None:
    put = asked(tiny("bert"))
    read = apply(TEXT, "attention", put.model)
    allowed = np.eye(len(read), dtype=bool)
    found = []
    for heads in ((0,), (1,), (0, 1), None):
        edges = Edges(allowed, (1,), heads)
        with (
            put.model.running(),
            torch.inference_mode(),
            cut(put.network, lambda n, edges=edges: edges.at(n, 2)),
        ):
            found.append(put.ask([read])[0].double().numpy())
    assert np.abs(found[2] - found[3]).max() < 1e-6
    assert min(np.abs(found[0] - found[1]).max(), np.abs(found[0] - found[2]).max()) > 1e-6


def weights(model, read, allowed=None) -> np.ndarray:
    """Return the attention of every head under a matrix, (layers, heads, queries, keys)."""
    return np.asarray(attention_of(model, read, allowed).weights, np.float32)


@pytest.mark.parametrize("family", ["bert", "llama"])
@pytest.mark.parametrize("name", MATRICES)
def test_every_matrix_acts_in_the_layers_and_heads_that_are_named(tiny, family, name: str) -> None:
    put = asked(tiny(family))
    read = apply(mask(TEXT, "pattern", pattern="dull"), "attention", put.model)
    read = replace(read, attention_mask=(1,) * len(read))
    count = len(read)
    table = "\n".join(",".join("01"[j <= i + 1] for j in range(count)) for i in range(count))
    more = {"custom": {"values": table}, "window": {"width": 1}}.get(name, {})
    matrix = attention_matrix(name, read, **more)
    with torch.inference_mode(), cut(put.network, lambda n: matrix[None, None] if n else None):
        expected = put.probabilities(put.ask([read])[0].double().numpy())
    edges = attention_edges(name, read, layers=[1], **more)
    found = predict_under(put.model, read, edges)
    assert list(found.probabilities.values()) == pytest.approx(list(expected), abs=1e-6)
    seen = []
    for heads in ([0], [1], None):
        allowed = attention_edges(name, read, heads=heads, **more)
        seen.append(weights(put.model, read, allowed))
    plain = weights(put.model, read)
    off = ~matrix
    assert np.abs(seen[0][0, 1] - plain[0, 1]).max() < 1e-3  # the other head of the first layer
    assert np.abs(seen[0][0, 0][off]).max(initial=0) == 0
    assert np.abs(seen[1][0, 0] - plain[0, 0]).max() < 1e-3
    assert np.abs(seen[2][:, :, off]).max(initial=0) == 0


@pytest.mark.parametrize(("given", "said"), [
    ({"layers": [6]}, "act in layer 6, and 'mini' has 0, 1, 2, 3, 4, 5"),
    ({"heads": [4]}, "act in head 4, and 'mini' has 0, 1, 2, 3"),
    ({"heads": [-1]}, "act in head -1"),
    ({"layers": []}, "act in no layer"),
])  # fmt: skip
def test_a_matrix_in_a_layer_or_head_there_is_not_is_refused(given, said: str) -> None:
    read = apply(TEXT, "attention", "mini")
    with pytest.raises(ParameterError, match=said):
        predict_under("mini", read, attention_edges("causal", read, **given))


def test_edges_are_checked_when_a_model_is_loaded(tiny) -> None:
    assert finding(load_model("mini"), "edges").passed
    with pytest.raises(CapabilityError, match="it attends from 2 to 5 places"):
        knockout(TEXT, "pattern:/dull/", "all", tiny("longformer"))


@pytest.mark.parametrize(("blunder", "said"), [
    (lambda matrix, layer: np.tri(matrix.shape[-1], dtype=bool)[None, None], "a hidden token"),
    (lambda matrix, layer: matrix if layer else None, "is not one in all of them"),
    (lambda matrix, layer: matrix.all(1, keepdims=True), "moves the weights of others"),
])  # fmt: skip
def test_edges_that_are_cut_wrongly_fail_the_check(monkeypatch, tiny, blunder, said: str) -> None:
    def wrong(network, allowed):
        def changed(layer):
            found = allowed(layer)
            if found is None:
                return None
            found = np.asarray(found)
            return blunder(found.reshape((1,) * (4 - found.ndim) + found.shape), layer)

        return cut(network, changed)

    monkeypatch.setattr(checks.edges, "cut", wrong)
    found = checks.edges.edges(load_model(tiny("bert")))
    assert not found.passed
    assert said in found.said


@pytest.mark.parametrize(("family", "head", "question"), [
    ("bert", "SequenceClassification", "labels"),
    ("gpt2", "SequenceClassification", "labels"),
    ("llama", "CausalLM", {"name": "next", "target": " the"}),
    ("llama", "CausalLM", {"name": "choices", "choices": ["good film", "bad"]}),
    ("t5", "Seq2SeqLM", {"name": "answer", "answer": "He loved it."}),
])  # fmt: skip
def test_every_window_is_as_if_cut_alone(tiny, family: str, head: str, question) -> None:
    put = asked(tiny(family, head), question)
    found = knockout(TEXT, "pattern:/dull/", "all", put, width=1, draws=20)
    assert len(found.windows) == 2
    both = knockout(TEXT, "pattern:/dull/", "all", put, width=2, draws=20)
    assert both.windows[0].effect == pytest.approx(both.whole.effect, abs=1e-5)
    assert found.whole.effect == pytest.approx(both.whole.effect, abs=1e-5)
    assert len(found.others) >= 2
    assert max(abs(one.effect) for one in found.windows) > 1e-6


def test_a_token_that_nobody_reads_may_be_cut(tiny) -> None:
    put = asked(tiny("llama", "CausalLM"), {"name": "next", "target": " the"})
    read = apply(TEXT, "attention", put.model)
    last = len(read) - 1
    allowed = np.ones((len(read), len(read)), bool)
    allowed[:last, last] = False  # no token looks ahead
    edges = Edges(allowed)
    with put.model.running(), torch.inference_mode(), cut(put.network, lambda n: edges.at(n, 2)):
        found = put.ask([read])[0].double().numpy()
    assert np.abs(found - put.logits([read])[0]).max() < 1e-5


@pytest.mark.parametrize(("to", "said"), [("turn:2", "Rex"), ("role:user", "called")])
def test_turns_of_a_conversation_may_be_cut(run, tmp_path, to: str, said: str) -> None:
    talk = tmp_path / "talk.json"
    turns = [("user", "Hello."), ("user", "My dog is Rex."), ("user", "What is my dog called?")]
    talk.write_text(json.dumps([{"role": role, "content": text} for role, text in turns]))
    code, out, _ = run(
        "knockout", "--conversation", str(talk), "-m", "mini-chat", "--to", to, "--answer", "Rex",
        "--draws", "20", "--json",
    )  # fmt: skip
    found = json.loads(out)
    assert code == 0
    assert said in "".join(found["keys"]).replace("Ġ", " ")
    assert found["whole"]["effect"] < -1


# ---- the lens


def norm_and_head(put):
    """Return what a family does behind its layers, written by hand."""
    network, family = put.network, put.model.family
    if family == "gpt2":
        return lambda h: network.lm_head(network.transformer.ln_f(h))[:, -1]
    if family == "llama":
        return lambda h: network.lm_head(network.model.norm(h))[:, -1]
    if family == "gemma2":
        cap = network.config.final_logit_softcapping
        return lambda h: (torch.tanh(network.lm_head(network.model.norm(h)) / cap) * cap)[:, -1]
    return lambda h: network.classifier(network.bert.pooler(h))


@pytest.mark.parametrize(("family", "question"), [
    ("bert", "labels"),
    ("gpt2", {"name": "next"}),
    ("llama", {"name": "next"}),
    ("gemma2", {"name": "next"}),
])  # fmt: skip
def test_the_lens_is_the_norm_and_the_head_of_each_layer(tiny, decoder, family, question) -> None:
    model = tiny("bert") if family == "bert" else decoder(family)
    put = asked(model, question).about(TEXT)
    read = apply(TEXT, "attention", put.model)
    with torch.no_grad():
        given = batch(put.model, [read])
        hidden = put.network.base_model(**given, output_hidden_states=True).hidden_states
        behind = norm_and_head(put)
        expected = [behind(one)[0].double() for one in hidden[:-1]]
        expected.append(put.network(**given).logits.reshape(-1, expected[0].shape[-1])[-1].double())
    found = layer_answers(TEXT, model, question=question)
    target = int(expected[-1].argmax())
    assert len(found.plain) == len(expected)
    for row, logits in zip(found.plain, expected, strict=True):
        p = logits.softmax(-1)
        assert row.probability == pytest.approx(float(p[target]), abs=1e-5)
        assert row.rank == 1 + int((p > p[target]).sum())
    assert found.plain[-1].rank == 1
    assert 0 <= found.settles <= len(found.plain) - 1


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_the_lens_of_an_encoder_decoder_ends_in_its_answer(tiny, family: str) -> None:
    put = asked(tiny(family, "Seq2SeqLM"), {"name": "answer", "answer": "He loved it."})
    found = layer_answers(TEXT, put)
    read = apply(TEXT, "attention", put.model)
    assert found.plain[-1].probability == pytest.approx(float(put.logits([read])[0][0]), abs=1e-4)
    assert len(found.plain) == (3 if family == "t5" else 4)  # its decoder's layers


def test_the_lens_stands_beside_a_masked_text(tiny) -> None:
    model = tiny("llama", "CausalLM")
    found = layer_answers(mask(TEXT, "pattern", pattern="dull"), model, "delete", {"name": "next"})
    assert len(found.masked) == len(found.plain)
    assert found.masked != found.plain
    assert "with words hidden it is number" in lens_sentence(found)


# ---- bad input, and what is said


def test_what_cannot_be_cut_is_said(run, tiny) -> None:
    for arguments, said in (
        (["--to", "pattern:/zzz/"], "are no token that the model reads"),
        ([], "Nothing is cut: name the tokens"),
        (["--to", "last", "--window", "9"], "The window is of 9 layers and must be of 1 to 6"),
    ):
        code, out, error = run("knockout", "A truly great film.", *arguments)
        assert (code, out) == (2, "")
        assert said in error
    with pytest.raises(CapabilityError, match="'fnet'"):
        knockout(TEXT, "last", model=tiny("fnet"))
    with pytest.raises(ParameterError, match="The window is of 0 layers"):
        knockout(TEXT, "last", model=tiny("bert"), width=0)


def test_a_knockout_is_said_with_its_chance(run) -> None:
    code, out, _ = run("knockout", "A truly great film.", "--to", "pattern:/great/", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["windows"][0]["layers"] == [1, 1]
    assert found["reference"]["p"] is None  # three other words are too few
    said = knockout_sentence(knockout("A truly great film.", "pattern:/great/"))
    assert "too few other masks of 1 word (3) for more than a rank" in said
