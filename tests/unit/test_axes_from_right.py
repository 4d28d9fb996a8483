"""Axes of texts that are read from right to left: the first key stands on the right."""

from __future__ import annotations

import base64
import json
import re
import struct
from typing import Any

import numpy as np
import pytest

from maskviz.attention.view import View
from maskviz.figures import canvas
from maskviz.figures.attention import mosaic, one_head, render
from maskviz.figures.page import attention_page

HEBREW = ("[CLS]", "הסרט", "היה", "ארוך", "[SEP]")
ARABIC = ("[CLS]", "كان", "الفيلم", "film", "[SEP]")
ENGLISH = ("[CLS]", "the", "film", "שלום", "[SEP]")


def view(tokens: tuple[str, ...]) -> View:
    n = len(tokens)
    weights = np.random.default_rng(0).dirichlet(np.ones(n), size=(1, 2, n)).astype(np.float32)
    special = tuple(token.startswith("[") for token in tokens)
    hidden = tuple(i == 1 for i in range(n))
    return View(weights, tokens, hidden, special, tuple(range(n)), (False,) * n)


def sent(message: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack("<I", message[:4])
    return json.loads(message[4 : 4 + length]), message[4 + length + 1536 :]


@pytest.mark.parametrize(("tokens", "mirrored"), [(HEBREW, True), (ARABIC, True), (ENGLISH, False)])
def test_the_columns_of_an_exported_page_run_as_the_text_is_read(tokens, mirrored) -> None:
    shown = view(tokens)
    assert shown.from_right is mirrored
    found = re.search(r"[A-Za-z0-9+/]{400,}={0,2}", attention_page(shown, "t"))
    assert found is not None
    header, cells = sent(base64.b64decode(found[0]))
    assert header["tokens"] == list(tokens)
    assert header.get("mirrored", False) is mirrored
    assert header["keys"] == list(tokens[::-1] if mirrored else tokens)
    assert header.get("hiddenKeys", header["hidden"]) == [len(tokens) - 2 if mirrored else 1]
    words = np.frombuffer(cells, "<u2").reshape(shown.weights.shape) / 65535 * header["peak"]
    expected = shown.weights[..., ::-1] if mirrored else shown.weights
    np.testing.assert_allclose(words, expected, atol=1e-4)


def test_a_mosaic_is_mirrored_map_by_map() -> None:
    shown = view(HEBREW)
    plain, turned = (
        np.frombuffer(sent(canvas.mosaic_message(shown.weights, mirrored=m))[1], np.uint8)
        for m in (False, True)
    )
    shape = shown.weights.shape
    assert (plain.reshape(shape)[..., ::-1] == turned.reshape(shape)).all()


@pytest.mark.parametrize(("tokens", "mirrored"), [(HEBREW, True), (ENGLISH, False)])
def test_a_figure_is_mirrored_and_its_data_are_not(tokens, mirrored) -> None:
    shown = view(tokens)
    (axes, *_) = one_head(shown, 0, 1).axes
    first, last = axes.get_xlim()
    assert bool(first > last) is mirrored
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert names[1] == tokens[1]  # with its own column, which the axis turns
    inked = [label.get_text() for label in axes.get_xticklabels() if label.get_color() == "white"]
    assert inked == [tokens[1]]
    picture = mosaic(shown).axes[0].images[0].get_array()
    turned = mosaic(view(ENGLISH)).axes[0].images[0].get_array()
    assert np.array_equal(picture, turned) is not mirrored
    written = json.loads(render(shown, ".json", title="t"))
    assert written["keys"] == list(tokens)
    np.testing.assert_allclose(written["weights"], shown.weights, atol=1e-4)
