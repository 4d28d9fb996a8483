"""What is shown is what the network computed: terms of the scores, layers, output projections."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from maskviz.attention import attend
from maskviz.attention.looking import SHOWS, Look, look_at, size_of
from maskviz.attention.methods import norms
from maskviz.errors import CapabilityError, ParameterError
from maskviz.figures.attention import save_attention
from maskviz.inside.arithmetic import head_arithmetic
from maskviz.inside.record import record
from maskviz.inside.tape import eager, parts_of
from maskviz.masks import apply, attention_matrix, mask
from maskviz.models import load_model
from maskviz.models.checks import finding
from tests.tiny_models import build_any

TEXT = "Anna loved this great film, but Paris was a dull story."
_GEMMA = {"num_key_value_heads": 1, "head_dim": 8, "sliding_window": 4}
GIVEN = {
    "t5": {"d_model": 16, "d_kv": 8, "d_ff": 32, "decoder_start_token_id": 0},
    "deberta-v2": {"relative_attention": True, "pos_att_type": "c2p|p2c"},
    "mpt": {"d_model": 16, "n_layers": 2, "n_heads": 2, "max_seq_len": 64},
    "llama": {"num_key_value_heads": 1},
    "gemma2": _GEMMA | {"attn_logit_softcapping": 5.0},
    "gpt_oss": _GEMMA | {"num_local_experts": 2, "num_experts_per_tok": 1},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]], "window_size": 4},
    "bitnet": {"num_key_value_heads": 1},
    "qwen3_5_text": {
        "num_key_value_heads": 1,
        "head_dim": 16,
        "layer_types": ["linear_attention", "full_attention"],
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 2,
    },
    "granite_swa": {"num_key_value_heads": 1},
    "squeezebert": {"embedding_size": 16},
    "diffllama": {"num_key_value_heads": 2},
    "longcat_flash": {
        "num_layers": 1,
        "head_dim": 8,
        "num_hidden_layers": None,
        "kv_lora_rank": 8,
        "q_lora_rank": 8,
        "qk_nope_head_dim": 8,
        "qk_rope_head_dim": 8,
        "v_head_dim": 8,
        "ffn_hidden_size": 32,
        "n_routed_experts": 4,
        "moe_topk": 2,
        "expert_ffn_hidden_size": 16,
    },
    "lilt": {"channel_shrink_ratio": 2, "hidden_size": 24, "max_2d_position_embeddings": 64},
    "lfm2": {
        "num_key_value_heads": 1,
        "num_hidden_layers": 4,
        "layer_types": ["conv", "full_attention", "conv", "full_attention"],
    },
}
# (family, head): biases, whether there is a sink, whether its own mask hides anything
TERMS = {
    ("bert", "SequenceClassification"): (0, False, False),
    ("t5", "Seq2SeqLM"): (1, False, False),
    ("deberta-v2", "SequenceClassification"): (1, False, False),
    ("bloom", "CausalLM"): (1, False, True),
    ("mpt", "CausalLM"): (1, False, True),
    ("llama", "CausalLM"): (0, False, True),
    ("gemma2", "CausalLM"): (0, False, True),
    ("gpt_oss", "CausalLM"): (0, True, True),
    ("gpt_neo", "CausalLM"): (0, False, True),
    ("xglm", "CausalLM"): (0, False, True),
}


@pytest.fixture(scope="module")
def model_of(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("computed")

    def load(family: str, head: str = "CausalLM"):
        path: Path = root / f"{family}-{head}"
        if not path.exists():
            build_any(family, path, head, **GIVEN.get(family, {}))
        return load_model(path)

    return load


@pytest.mark.parametrize(("family", "head"), TERMS)
def test_the_terms_of_a_heads_scores_make_its_weights(family: str, head: str, model_of) -> None:
    model = model_of(family, head)
    encoding = apply(TEXT, "delete", model)
    shown = attend(TEXT, model, "delete").weights.astype(np.float32)
    for layer, of_head in ((0, 0), (1, 1)):
        found = head_arithmetic(model, encoding, layer, of_head)
        assert np.abs(found.weights - shown[layer, of_head]).max() < 1e-3
        scores = np.where(found.seen, found.scores + sum(found.biases, np.float32(0)), -np.inf)
        if found.sink is not None:
            scores = np.concatenate([scores, found.sink[:, None]], 1)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        assert np.abs(weights[:, : len(encoding)] - found.weights).max() < 1e-4
        assert np.allclose(found.output, found.weights @ found.values, atol=1e-5)
        assert (len(found.biases), found.sink is not None, not found.seen.all()) == TERMS[
            family, head
        ]


def test_a_position_bias_is_the_networks_own(model_of) -> None:
    model = model_of("t5", "Seq2SeqLM")
    (bias,) = head_arithmetic(model, apply(TEXT, "delete", model), 1, 1).biases
    encoder = model.main_network().get_encoder()
    own = encoder.block[0].layer[0].SelfAttention.compute_bias(len(bias), len(bias))
    assert np.allclose(bias, own[0, 1].detach().numpy(), atol=1e-5)


def test_a_matrix_stays_apart_from_the_scores(model_of) -> None:
    model = model_of("bert", "SequenceClassification")
    encoding = apply(TEXT, "delete", model)
    allowed = attention_matrix("window", encoding, width=1)
    plain, under = (head_arithmetic(model, encoding, 0, 0, one) for one in (None, allowed))
    assert (under.seen == allowed).all()
    assert np.allclose(under.scores, plain.scores, atol=1e-5)


def test_layers_have_the_networks_own_numbers(model_of) -> None:
    model = model_of("lfm2")
    encoding = apply(TEXT, "delete", model)
    assert [layer.number for layer in record(model, encoding, "decoder")] == [1, 3]
    assert len(attend(TEXT, model, layers=range(3, 4)).weights) == 1
    assert head_arithmetic(model, encoding, 3, 0).weights.shape == (len(encoding),) * 2
    for asked in (lambda: attend(TEXT, model, layers=range(2, 3)),
                  lambda: head_arithmetic(model, encoding, 2, 0)):  # fmt: skip
        with pytest.raises(ParameterError, match=r"Layer 3 of .* \(lfm2\) computes no .* 2, 4\."):
            asked()
    for asked in (lambda: attend(TEXT, model, layers=range(7, 8)),
                  lambda: head_arithmetic(model, encoding, 7, 0)):  # fmt: skip
        with pytest.raises(ParameterError, match="There is no layer 8: the model has 4"):
            asked()


@pytest.mark.parametrize(("method", "numbers"), [
    ("raw", (1, 3)), ("mean", (1, 3)), ("rollout", (1, 3)), ("norm", (1, 3)), ("flow", ()),
])  # fmt: skip
def test_attention_carries_the_numbers_of_its_layers(method: str, numbers, model_of) -> None:
    model = model_of("lfm2")
    captured = attend(TEXT, model, method=method)
    assert captured.numbers == numbers
    assert len(captured.weights) == max(1, len(numbers))
    assert captured.notice == f"Layers 1, 3 of {model.name} (lfm2) compute no attention."
    if numbers:
        last = captured.only(3)
        assert last.numbers == (3,)
        assert (last.weights == captured.weights[1:]).all()
        with pytest.raises(ParameterError, match="Layer 3 computes no attention: choose one of 2"):
            captured.only(2)


def test_hybrids_are_shown_and_written_by_the_networks_own_numbers(
    model_of, tmp_path: Path, run
) -> None:
    model = model_of("lfm2")
    hidden = mask(TEXT, "pattern", words="great")
    for show in SHOWS:
        seen = look_at(model, Look(TEXT, hidden, "delete", show, part="decoder"))
        assert seen.tokens.numbers == (1, 3)
        assert not re.search("layer [13]\\b", seen.finding)
    one = look_at(model, Look(TEXT, hidden, "delete", "plain", part="decoder", layer=3), held=False)
    assert one.tokens.numbers == (3,)
    size = size_of(model, Look(TEXT, hidden, part="decoder"))
    assert (size.numbers, size.layers) == ((1, 3), 2)
    assert "Layers 1, 3" in size.notice
    arguments = ("attend", TEXT, "--model", model.path, "--json", "--out")
    code, out, _ = run(*arguments, str(tmp_path / "a.json"), "--head", "4.2")
    shown, written = json.loads(out), json.loads((tmp_path / "a.json").read_text())
    assert (code, shown["layers"], shown["layer_numbers"]) == (0, 2, [2, 4])
    assert "Layers 1, 3" in shown["notice"]
    assert written["layer_numbers"] == [4]
    whole = attend(TEXT, model)
    assert np.allclose(written["weights"][0][0], whole.weights[1, 1], atol=1e-3)
    kept = np.load(save_attention(whole, tmp_path / "a.npz"))
    assert kept["layer_numbers"].tolist() == [2, 4]
    _, _, error = run(*arguments, str(tmp_path / "b.json"), "--head", "3.1")
    assert "Layer 3 computes no attention: choose one of 2, 4." in error
    assert "There is no layer 5" in run(*arguments, str(tmp_path / "c.json"), "--head", "5.1")[2]


def test_which_layers_attend_is_a_check(model_of) -> None:
    assert finding(model_of("lfm2"), "layers").value == {"attend": [1, 3], "of": 4}
    assert finding(model_of("lfm2"), "layers").said == "2, 4 of 4 layers attend"
    assert finding(model_of("llama"), "layers").said == "all 2 layers attend"
    assert attend(TEXT, model_of("llama")).notice == ""


@pytest.mark.parametrize("family", ["diffllama", "longcat_flash", "lilt"])
def test_two_products_in_a_layer_count_once_and_two_layers_in_a_block_twice(
    family: str, model_of
) -> None:
    model = model_of(family, "SequenceClassification" if family == "lilt" else "CausalLM")
    found = record(model, apply(TEXT, "delete", model), parts_of(model)[0])
    assert [layer.number for layer in found] == [0, 1]


@pytest.mark.parametrize("family", ["llama", "bloom", "mpt", "gpt_neo"])
def test_norm_is_of_what_the_layer_adds(family: str, model_of) -> None:
    import torch

    model = model_of(family)
    encoding = apply(TEXT, "delete", model)
    found = record(model, encoding, "decoder", needs="values")[0]
    brought = np.einsum("hqk,hkd,hdw->qw", found.weights, found.values, found.projection)
    network, outputs = model.main_network(), []
    for layer in network.modules():
        if isinstance(layer, torch.nn.Linear):
            layer.register_forward_hook(
                lambda one, _, out: outputs.append(out - (0 if one.bias is None else one.bias))
            )
    with torch.no_grad():
        network(torch.tensor([encoding.input_ids]))
    outputs = [out.reshape(-1, out.shape[-1]).numpy() for out in outputs]
    assert any(out.shape == brought.shape and np.abs(out - brought).max() < 2e-3 for out in outputs)


@pytest.mark.parametrize("family", ["bitnet", "qwen3_5_text", "granite_swa"])
def test_norm_is_of_what_each_token_brings_through_a_gate(family: str, model_of) -> None:
    """Σ_j of what the tokens bring is what the projection puts out, gated by each query."""
    import torch

    model, outputs = model_of(family), []
    encoding = apply(TEXT, "delete", model)
    layer = record(model, encoding, "decoder", needs="values")[-1]
    summed = np.einsum("hqk,hkd->hqd", layer.weights, layer.values)
    gate, weight = layer.projection.gate, layer.projection.weight
    assert np.ptp(gate) > 0.01
    for name, one in model.main_network().named_modules():
        if name.endswith("o_proj"):
            one.register_forward_hook(lambda _, __, out: outputs.append(out[0].numpy()))
    with torch.no_grad():
        model.main_network()(torch.tensor([encoding.input_ids]))
    assert np.abs(np.einsum("hqd,hdw->qw", summed * gate, weight) - outputs[-1]).max() < 5e-3
    found = norms(layer)
    for i, j in ((3, 1), (5, 5), (8, 0)):
        each = layer.weights[:, i, j, None].astype(float) * layer.values[:, j] * gate[:, i]
        assert found[i, j] == pytest.approx(np.linalg.norm(np.einsum("hd,hdw", each, weight)), 1e-4)
    shown = attend(TEXT, model, "delete", method="norm").weights[-1, 0].astype(float)
    assert np.abs(shown - found / found.sum(-1, keepdims=True)).max() < 1e-3


@pytest.mark.parametrize("family", ["convbert", "diffllama"])
def test_norm_is_refused_where_more_lies_before_the_projection(family: str, model_of) -> None:
    model = model_of(family, "MaskedLM" if family == "convbert" else "CausalLM")
    with pytest.raises(CapabilityError, match=f"'{family}' does not pass its heads .* raw, mean"):
        attend(TEXT, model, "delete", method="norm")


@pytest.mark.parametrize("family", ["squeezebert", "ibert"])
def test_layers_that_are_called_in_ways_of_their_own_are_seen(family: str, model_of) -> None:
    import torch

    model = model_of(family, "MaskedLM")
    shown = attend(TEXT, model, "delete").weights
    given = {"input_ids": torch.tensor([apply(TEXT, "delete", model).input_ids])}
    with torch.no_grad(), eager(model.main_network()):
        own = model.main_network()(**given, output_attentions=True).attentions
    own = np.stack([one[0].numpy() for one in own])
    if family == "squeezebert":  # transformers returns its scores
        own = torch.from_numpy(own).softmax(-1).numpy()
    assert shown.shape == own.shape
    assert np.abs(shown - own).max() < 1e-3


def test_of_two_products_of_a_layer_the_gradient_is_that_of_the_text(model_of) -> None:
    import torch

    model = model_of("lilt", "SequenceClassification")
    encoding = apply(TEXT, "delete", model)
    found = record(model, encoding, "encoder", needs="gradients")
    network = model.main_network()
    with eager(network):
        output = network(torch.tensor([encoding.input_ids]), output_attentions=True)
        own = torch.autograd.grad(output.logits[0].max(), output.attentions)
    for layer, gradient in zip(found, own, strict=True):
        assert np.abs(layer.gradient - gradient[0].numpy()).max() < 1e-5
        assert np.abs(layer.gradient).max() > 1e-6
