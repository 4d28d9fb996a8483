"""Patches of images: how many, where, and what hiding them does to a Vision Transformer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskviz.errors import (
    CapabilityError,
    DataError,
    ModelNotFoundError,
    ParameterError,
    UnknownNameError,
)
from maskviz.vision import STRATEGIES, load_vit, look, patch_mask

GRADED = np.arange(16.0).reshape(4, 4) / 120


@given(st.sampled_from(sorted(STRATEGIES)), st.floats(0, 1), st.integers(0, 99),
       st.integers(1, 9), st.integers(1, 9))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_every_strategy_hides_as_many_patches_as_asked(strategy, ratio, seed, rows, columns):
    attention = np.random.default_rng(0).random((rows, columns))
    mask = patch_mask((rows, columns), strategy, ratio, seed, attention)
    count = min(rows * columns, max(1, round(ratio * rows * columns))) if ratio else 0
    assert len(set(mask.hidden)) == len(mask.hidden) == count
    assert all(0 <= i < rows * columns for i in mask.hidden)
    assert mask.array().sum() == count
    assert mask == patch_mask((rows, columns), strategy, ratio, seed, attention)


def test_attention_guided_patches_follow_the_attention():
    assert patch_mask((4, 4), "attention", 0.25, 0, GRADED).hidden == (12, 13, 14, 15)
    assert patch_mask((4, 4), "attention, least", 0.25, 0, GRADED).hidden == (0, 1, 2, 3)


def test_a_grid_lies_more_evenly_than_chance():
    def spread(strategy, seed):
        mask = patch_mask((8, 8), strategy, 0.25, seed).array()
        return max(mask[r : r + 4, c : c + 4].sum() for r in (0, 4) for c in (0, 4))

    grid = [spread("grid", seed) for seed in range(10)]
    chance = [spread("random", seed) for seed in range(10)]
    assert np.mean(grid) < np.mean(chance)


def test_what_cannot_be_is_refused():
    with pytest.raises(UnknownNameError, match="strategy for patches"):
        patch_mask((4, 4), "blur")
    with pytest.raises(ParameterError, match=r"ratio is 1\.5"):
        patch_mask((4, 4), "random", 1.5)
    with pytest.raises(ParameterError, match="follows attention"):
        patch_mask((4, 4), "attention")
    with pytest.raises(ModelNotFoundError):
        load_vit("no such/model at all")


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    """A ViT of two layers over 16 × 16 pixels in patches of 4, built with a seed."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    folder = tmp_path_factory.mktemp("vit")
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        image_size=16, patch_size=4, num_labels=3, initializer_range=0.5,
    )  # fmt: skip
    ViTForImageClassification(config).save_pretrained(folder)
    size = {"height": 16, "width": 16}
    ViTImageProcessor(size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3).save_pretrained(folder)
    return load_vit(str(folder))


def test_a_look_sees_the_image_and_only_what_is_shown(vit):
    image = np.random.default_rng(0).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    plain = look(vit, image)
    assert plain.shape == (4, 4)
    assert plain.attention.sum() == pytest.approx(1)
    assert sum(plain.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert np.abs(plain.pixels.astype(int) - image).max() <= 1
    mask = patch_mask(plain.shape, "random", 0.5, 3)
    masked = look(vit, image, mask)
    other = image.copy()
    hidden = mask.array().repeat(4, 0).repeat(4, 1)
    other[hidden] = 7  # what is hidden cannot matter
    assert look(vit, other, mask).probabilities == masked.probabilities
    assert (masked.pixels[hidden] == 128).all()
    assert masked.probabilities != plain.probabilities
    everything = patch_mask(plain.shape, "random", 1.0)
    assert (
        look(vit, image, everything).probabilities
        == look(vit, 255 - image, everything).probabilities
    )
    with pytest.raises(DataError, match="2 × 2 patches"):
        look(vit, image, patch_mask((2, 2), "random", 0.5))


SMALL = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "image_size": 16, "patch_size": 4, "num_labels": 3,
}  # fmt: skip


def _written(folder, name, **values):
    """Write an image classifier of any family with random weights; return its folder."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(**values)
    getattr(transformers, f"{name}ForImageClassification")(config).save_pretrained(folder)
    side = {"height": 16, "width": 16}
    transformers.ViTImageProcessorPil(size=side).save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("DeiT", {}),  # a token of distillation beside the classifier's
        ("Dinov2WithRegisters", {"num_register_tokens": 2}),
        ("Beit", {"use_mean_pooling": True}),
    ],
)
def test_any_vit_shows_a_map_over_all_patches_and_hides_where_it_looks(name, more, tmp_path):
    vit = load_vit(_written(tmp_path, name, **SMALL, **more))
    image = np.random.default_rng(1).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    plain = look(vit, image)
    assert plain.shape == (4, 4)
    assert plain.attention.min() >= 0
    assert plain.attention.sum() == pytest.approx(1)
    mask = patch_mask(plain.shape, "attention", 0.25, 0, plain.attention)
    assert plain.attention.ravel()[list(mask.hidden)].min() >= np.sort(plain.attention.ravel())[11]
    assert look(vit, image, mask).probabilities != plain.probabilities


def test_a_network_without_attention_over_patches_is_refused_by_name(tmp_path):
    small = {"hidden_sizes": [8] * 4, "depths": [1] * 4, "image_size": 16, "num_labels": 3}
    folder = _written(tmp_path, "ConvNext", **small)
    with pytest.raises(CapabilityError, match="choose a"):
        look(folder, np.zeros((16, 16), dtype=np.uint8))
