"""A matrix acts beside the mask an architecture has of its own, never in its place.

The reference is another way through: transformers hands explicit masks, one for each kind of
layer, straight to its layers. Here they are built by hand, from what each architecture is
published to do.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskviz.errors import CapabilityError
from maskviz.inside.composing import composed
from maskviz.inside.record import record
from maskviz.inside.steering import predict_under
from maskviz.inside.tape import parts_of
from maskviz.masks import apply, attention_matrix
from maskviz.models import load_model
from maskviz.models.checks import finding
from tests.tiny_models import build

TEXT = "Anna loved this great film. Paris was a dull and slow story."
WINDOW = 4


def back(n: int, width: int | None = None) -> np.ndarray:
    """Return which earlier tokens each may attend to, itself among them."""
    behind = np.arange(n)[:, None] - np.arange(n)[None]
    return (behind >= 0) & (behind < (width or n))


def around(n: int, width: int) -> np.ndarray:
    return np.abs(np.arange(n)[:, None] - np.arange(n)[None]) < width


def ones(n: int) -> np.ndarray:
    return np.ones((n, n), bool)


# What each kind of layer may attend to: family, settings → name of the kind → mask by length.
OWN = {
    "bert": {None: ones},
    "roberta": {None: ones},
    "electra": {None: ones},
    "distilbert": {None: ones},
    "gpt2": {None: back},
    "llama": {None: back},
    "mistral": {None: lambda n: back(n, WINDOW)},
    "gemma3_text": {"sliding_attention": lambda n: back(n, WINDOW), "full_attention": back},
    "gpt_oss": {"sliding_attention": lambda n: back(n, WINDOW), "full_attention": back},
    "modernbert": {"sliding_attention": lambda n: around(n, WINDOW), "full_attention": ones},
    "gemma3_text both ways": {
        "sliding_attention": lambda n: around(n, 3),
        "full_attention": ones,
    },
}
MORE = {
    "gemma3_text": {"layer_types": ["sliding_attention", "full_attention"]},
    "gpt_oss": {"layer_types": ["sliding_attention", "full_attention"], "num_local_experts": 2,
                "num_experts_per_tok": 1},
    "modernbert": {"layer_types": ["sliding_attention", "full_attention"], "local_attention": 6},
    "gemma3_text both ways": {
        "layer_types": ["sliding_attention", "full_attention"],
        "use_bidirectional_attention": True,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def model_of(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("composing")

    def load(name: str, head: str = "SequenceClassification", **more):
        folder = root / f"{name}-{head}-{len(more)}".replace(" ", "-")
        if not folder.exists():
            build(name.split()[0], folder, head, **MORE.get(name, {}), **more)
        return load_model(folder)

    return load


def explicit(network, ids: tuple[int, ...], masks: dict) -> np.ndarray:
    """Return the logits under masks that are handed to the layers as they are."""
    import torch

    floats = {
        kind: torch.where(torch.from_numpy(mask), 0.0, torch.finfo(torch.float32).min)[None, None]
        for kind, mask in masks.items()
    }
    given = floats.get(None, floats)
    core = network.base_model
    handle = core.register_forward_pre_hook(
        lambda _, args, kwargs: (args, {**kwargs, "attention_mask": given}), with_kwargs=True
    )
    try:
        with torch.inference_mode():
            return network(input_ids=torch.tensor([ids])).logits[0].numpy()
    finally:
        handle.remove()


@pytest.mark.parametrize("family", OWN)
@pytest.mark.parametrize("kind", ["window", "random", "same-sentence"])
def test_each_layer_attends_by_its_own_mask_and_the_matrix(family, kind, model_of) -> None:
    model = model_of(family)
    encoding = apply(TEXT, "delete", model)
    allowed = attention_matrix(kind, encoding)
    given = predict_under(model, encoding, allowed)
    n = len(encoding)
    masks = {name: own(n) & allowed for name, own in OWN[family].items()}
    logits = explicit(model.network("classify"), encoding.input_ids, masks)
    wanted = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    assert list(given.probabilities.values()) == pytest.approx(wanted.tolist(), abs=1e-4)


@pytest.mark.parametrize("family", [*OWN, "layoutlm", "deberta-v2", "t5", "bart"])
def test_a_matrix_of_ones_changes_nothing(family, model_of) -> None:
    model = model_of(family)
    encoding = apply(TEXT, "delete", model)
    found = record(model, encoding, parts_of(model)[0])
    under = record(model, encoding, parts_of(model)[0], allowed=ones(len(encoding)))
    assert len(found) == len(under) == 2
    for a, b in zip(found, under, strict=True):
        assert np.array_equal(a.weights, b.weights)


@pytest.mark.parametrize("family", ["marian", "bart", "switch_transformers", "t5"])
def test_the_encoder_of_a_translator_keeps_looking_both_ways(family, model_of) -> None:
    model = model_of(family, "Seq2SeqLM")
    encoding = apply(TEXT, "delete", model)
    allowed = attention_matrix("window", encoding, width=2)
    (plain, *_) = record(model, encoding, "encoder")
    (under, *_) = record(model, encoding, "encoder", allowed=allowed)
    wanted = plain.weights.astype(float) * allowed
    wanted /= wanted.sum(-1, keepdims=True)
    assert np.abs(under.weights - wanted).max() < 1e-2  # of shares kept in float16
    assert np.triu(under.weights[0], 1).max() > 0.01


@pytest.mark.parametrize(
    ("family", "head", "more", "looks"),
    [
        ("bert", "CausalLM", {"is_decoder": True}, "decoder"),
        ("bert", "MaskedLM", {}, "encoder"),
        ("gemma3_text both ways", "SequenceClassification", {}, "encoder"),
        ("gemma3_text", "SequenceClassification", {}, "decoder"),
        ("marian", "Seq2SeqLM", {}, "encoder"),
    ],
)
def test_which_way_a_network_looks_is_tried(family, head, more, looks, model_of) -> None:
    assert finding(model_of(family, head, **more), "direction").value == looks


@pytest.mark.parametrize("family", ["fnet", "longformer"])
def test_what_heeds_no_matrix_is_refused(family, model_of) -> None:
    model = model_of(family)
    encoding = apply(TEXT, "delete", model)
    with pytest.raises(CapabilityError, match=f"'{family}' takes no attention matrix .*operator"):
        predict_under(model, encoding, attention_matrix("window", encoding))


def test_a_network_in_which_tokens_also_mix_otherwise_says_so(model_of) -> None:
    found = finding(model_of("convbert"), "matrix")
    assert (found.passed, found.value) == (True, False)
    assert "outside of attention" in found.said


def test_a_row_of_which_nothing_is_left_attends_to_its_own_token(model_of) -> None:
    """The window of a Mistral and a matrix that allows far tokens only have the diagonal alone."""
    model = model_of("mistral")
    encoding = apply(TEXT, "delete", model)
    n = len(encoding)
    (layer, *_) = record(
        model, encoding, "decoder", allowed=~around(n, WINDOW) | np.eye(n, dtype=bool)
    )
    assert np.array_equal(layer.weights, np.broadcast_to(np.eye(n), layer.weights.shape))


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize("family", ["llama", "modernbert", "bert"])
def test_a_batch_takes_a_matrix_for_each_text(family, implementation, model_of) -> None:
    import torch

    network = model_of(family).network("classify")
    network.set_attn_implementation(implementation)
    ids = torch.tensor([[2, 9, 10, 11, 12, 13, 14, 3]] * 2)
    matrices = np.stack([around(8, 2), ones(8)])[:, None]
    with torch.inference_mode():
        plain = network(input_ids=ids[:1]).logits
        with composed(network, matrices):
            both = network(input_ids=ids).logits
        with composed(network, matrices[0]):
            alone = network(input_ids=ids[:1]).logits
    network.set_attn_implementation("sdpa")
    assert torch.allclose(both[0], alone[0], atol=1e-5)
    assert torch.allclose(both[1], plain[0], atol=1e-5)
    assert not torch.allclose(both[0], both[1], atol=1e-5)


@pytest.mark.parametrize("family", ["llama", "bert", "gpt2"])
def test_layers_computed_again_on_the_way_back_are_under_the_same_matrix(
    family: str, tmp_path: Path
) -> None:
    import torch

    from maskviz.training.loop.assemble import _checkpoint_layers
    from maskviz.training.model.hooks import CoreHooks

    model = load_model(build(family, tmp_path / family))
    from transformers import AutoModelForSequenceClassification

    ids = torch.tensor([[2, 9, 10, 11, 12, 13, 14, 3]])
    gradients = []
    for checkpoints in (False, True):
        network = AutoModelForSequenceClassification.from_pretrained(model.path).eval()
        hooks = CoreHooks(network)
        if checkpoints:
            _checkpoint_layers(network, family, hooks)
            network.train()
            for part in network.modules():
                if isinstance(part, torch.nn.Dropout):
                    part.p = 0.0
        with hooks.fed(None, torch.from_numpy(around(8, 2))[None, None]):
            loss = network(input_ids=ids, labels=torch.tensor([0])).loss
        loss.backward()
        gradients.append([p.grad for p in network.parameters() if p.grad is not None])
    assert len(gradients[0]) == len(gradients[1]) > 10
    for a, b in zip(*gradients, strict=True):
        assert torch.allclose(a, b, atol=1e-6)


@pytest.mark.parametrize(
    ("family", "more"),
    [
        ("mistral", {"sliding_window": 64}),
        ("gemma3_text", {"sliding_window": 64}),
        ("gpt_oss", {"sliding_window": 64}),
        ("modernbert", {"local_attention": 64}),
    ],
)
def test_the_scaled_copy_has_windows_of_four_and_the_network_keeps_its_own(
    family, more, tmp_path: Path
) -> None:
    import torch

    from maskviz.inside.checks.scaled import has_window, scaled

    layers = {k: v for k, v in MORE.get(family, {}).items() if k not in more}
    model = load_model(build(family, tmp_path / family, **layers, **more))
    network = model.network("classify")
    assert has_window(network.config)
    small = scaled(network)
    ids = torch.arange(5, 25)[None]
    far = torch.from_numpy(~around(20, 2 * WINDOW))
    seen = []
    for one in (network, small):
        one.set_attn_implementation("eager")
        with torch.inference_mode():
            attentions = one(input_ids=ids, output_attentions=True).attentions
        seen.append([float(weights[0, :, far].max()) for weights in attentions])
    assert min(seen[0]) > 0
    assert min(seen[1]) == 0
    assert {p.data_ptr() for p in network.parameters()} == {
        p.data_ptr() for p in small.parameters()
    }


def test_a_network_without_windows_has_no_scaled_copy(model_of) -> None:
    from maskviz.inside.checks.scaled import has_window

    assert not has_window(load_model("mini").config)
    assert not has_window(model_of("llama").config)
