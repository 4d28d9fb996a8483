"""The processor's matrix products: equal to transformers' own network, gradients included."""

from __future__ import annotations

import copy

import pytest
import torch
import transformers

from maskviz.masks import apply
from maskviz.models import linear, load_model
from maskviz.models.linear import quickened
from maskviz.readings.batches import batch

TEXT = "Anna loved this great film, but Paris was a dull story. " * 2


@pytest.mark.parametrize("family", ["bert", "modernbert", "gpt2", "t5"])
def test_logits_and_gradients_are_those_of_the_plain_network(tiny, family) -> None:
    model = load_model(tiny(family))
    network = model.network("classify")
    plain = transformers.AutoModelForSequenceClassification.from_pretrained(model.path).eval()
    inputs = batch(model, [apply(TEXT, "delete", model)] * 3)
    with torch.inference_mode():
        expected = plain(**inputs).logits
        assert torch.allclose(network(**inputs).logits, expected, atol=1e-5)
    network(**inputs).logits.sum().backward()  # the plain product: oneDNN's has no gradient
    plain(**inputs).logits.sum().backward()
    ours = dict(network.named_parameters())
    for name, parameter in plain.named_parameters():
        if parameter.grad is not None:
            assert torch.allclose(ours[name].grad, parameter.grad, atol=1e-4), name
            ours[name].grad = None


def test_rows_are_filled_up_once_many_numbers_of_them_were_seen(monkeypatch) -> None:
    layer = quickened(torch.nn.Sequential(torch.nn.Linear(8, 4)))[0]
    monkeypatch.setattr(linear, "_EXACT", 0)
    with torch.inference_mode():
        for shape in ((5, 13, 8), (100, 8), (64, 8), (17, 8)):
            rows = torch.randn(shape)
            expected = torch.nn.functional.linear(rows, layer.weight, layer.bias)
            assert torch.allclose(layer(rows), expected, atol=1e-6)


def test_few_rows_other_types_and_other_layers_are_left_as_they_are() -> None:
    layer, embedding = torch.nn.Linear(8, 4), torch.nn.Embedding(3, 8)
    network = quickened(torch.nn.Sequential(embedding, layer))
    assert type(embedding) is torch.nn.Embedding
    assert isinstance(layer, torch.nn.Linear)
    with torch.inference_mode():
        for rows in (torch.randn(8), torch.randn(2, 8), torch.randn(40, 2, 8), torch.randn(0, 8)):
            expected = torch.nn.functional.linear(rows, layer.weight, layer.bias)
            assert torch.allclose(layer(rows), expected, atol=1e-6)
        assert network.to(torch.bfloat16)[1](torch.randn(40, 8).bfloat16()).dtype == torch.bfloat16


def test_few_rows_of_a_large_matrix_are_multiplied_by_onednn_too(monkeypatch) -> None:
    layer = quickened(torch.nn.Sequential(torch.nn.Linear(8, 40)))[0]
    taken = []
    product = linear._by_onednn
    monkeypatch.setattr(linear, "_LARGE", 320)
    monkeypatch.setattr(linear, "_by_onednn", lambda *g: taken.append(len(g[0])) or product(*g))
    with torch.inference_mode():
        for rows in (torch.randn(1, 8), torch.randn(9, 8), torch.randn(0, 8)):
            expected = torch.nn.functional.linear(rows, layer.weight, layer.bias)
            assert torch.allclose(layer(rows), expected, atol=1e-6)
    assert taken == [1, 9]


def _networks(family: str, **more) -> tuple[torch.nn.Module, torch.nn.Module, torch.Tensor]:
    kinds = {"modernbert": "ModernBert", "bert": "Bert", "roberta": "Roberta", "electra": "Electra"}
    size = {"hidden_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2}
    size |= {"intermediate_size": 48, "vocab_size": 50, "embedding_size": 32}
    for name in ("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"):
        size[name] = 0
    config = getattr(transformers, f"{kinds[family]}Config")(**(size | more))
    torch.manual_seed(0)
    plain = getattr(transformers, f"{kinds[family]}Model")(config).eval()
    return plain, quickened(copy.deepcopy(plain)), torch.randint(1, 50, (3, 21))


@pytest.mark.parametrize(
    ("family", "more"),
    [
        ("modernbert", {}), ("modernbert", {"mlp_bias": True}), ("bert", {}), ("roberta", {}),
        ("electra", {}), ("bert", {"hidden_act": "gelu_new"}), ("bert", {"hidden_act": "relu"}),
        ("modernbert", {"hidden_activation": "silu"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("exact", [64, 0])
def test_gelu_and_gate_taken_with_the_product_are_those_of_the_plain_network(
    monkeypatch, family, more, exact
) -> None:
    monkeypatch.setattr(linear, "_EXACT", exact)
    plain, quick, ids = _networks(family, **more)
    with torch.inference_mode():
        expected, found = (n(input_ids=ids).last_hidden_state for n in (plain, quick))
    assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(("family", "inner"), [("modernbert", "Wi"), ("bert", "dense")])
def test_a_layer_that_is_watched_is_computed_as_it_is_written(family, inner) -> None:
    _, quick, ids = _networks(family)
    seen = []
    named = quick.named_modules()
    first = next(m for n, m in named if n.endswith((f"mlp.{inner}", f"intermediate.{inner}")))
    with torch.inference_mode():
        expected = quick(input_ids=ids).last_hidden_state
        hook = first.register_forward_hook(lambda *given: seen.append(given[2].shape))
        watched = quick(input_ids=ids).last_hidden_state
        hook.remove()
    assert len(seen) == 1
    assert torch.allclose(watched, expected, atol=1e-5)


def test_a_fused_layer_has_its_gradients_and_drops_while_it_trains() -> None:
    plain, quick, ids = _networks("modernbert", mlp_dropout=0.5)
    for network in (plain, quick):
        network(input_ids=ids).last_hidden_state.sum().backward()
    for one, other in zip(plain.parameters(), quick.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-4)
    quick.train()
    with torch.inference_mode():
        assert not torch.equal(*(quick(input_ids=ids).last_hidden_state for _ in range(2)))
