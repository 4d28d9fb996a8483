"""Patches of images: how many, where, and what hiding them does to a Vision Transformer."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from maskviz.errors import (
    CapabilityError,
    DataError,
    ModelNotFoundError,
    ParameterError,
    UnknownNameError,
)
from maskviz.vision import STRATEGIES, labels_under, load_vit, look, patch_mask
from maskviz.vision.picture import read_picture

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


def test_answers_under_many_masks_are_those_of_one_look_each(vit):
    image = np.random.default_rng(1).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    masks = [patch_mask((4, 4), "random", 0.5, seed) for seed in range(11)]
    assert labels_under(vit, image, masks) == [look(vit, image, m).label for m in masks]


def _file(picture, kind="PNG", **more) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **more)
    return stream.getvalue()


GREY = np.linspace(0, 255, 24 * 32).reshape(24, 32).astype(np.uint8)


@pytest.mark.parametrize(
    "content",
    [
        _file(Image.fromarray(GREY)),
        _file(Image.fromarray(GREY.astype(np.uint16) * 257)),
        _file(Image.fromarray(GREY).convert("LA")),
        _file(Image.fromarray(GREY).convert("P")),
        _file(Image.fromarray(np.dstack([GREY] * 3)).convert("CMYK"), "JPEG", quality=100),
        _file(Image.fromarray(GREY), "WEBP", lossless=True),
    ],
    ids=["grey", "grey of 16 bits", "grey with alpha", "palette", "CMYK", "WebP"],
)
def test_a_picture_is_the_same_whichever_way_it_was_kept(content):
    picture = read_picture(content)
    assert picture.mode == "RGB"
    assert np.abs(np.asarray(picture).astype(int) - GREY[..., None]).max() <= 4


def test_a_picture_stands_upright_on_white_and_is_no_larger_than_needed():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    turned = read_picture(_file(Image.fromarray(GREY), "JPEG", exif=exif))
    assert turned.size == (24, 32)
    clear = np.zeros((8, 8, 4), dtype=np.uint8)
    assert read_picture(_file(Image.fromarray(clear))).getextrema() == ((255, 255),) * 3
    assert read_picture(_file(Image.new("L", (5712, 4284)))).size == (1024, 768)


@pytest.mark.parametrize(
    "content", [b"", b"no picture", _file(Image.fromarray(GREY), "GIF"), _file(
        Image.fromarray(GREY), "JPEG")[:300]],
    ids=["empty", "text", "GIF", "cut short"],
)  # fmt: skip
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(DataError, match="no PNG, JPEG or WebP"):
        read_picture(content)


def test_a_picture_of_too_many_pixels_is_refused():
    with pytest.raises(DataError, match="50 million"):
        read_picture(_file(Image.new("1", (10_000, 5_001))))
