"""The processor's matrix products: equal to transformers' own network, gradients included."""

from __future__ import annotations

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
