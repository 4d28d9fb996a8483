"""The binary messages that a canvas draws."""

import json
import struct

import numpy as np
import pytest

from maskviz.attention.roles import HeadRole
from maskviz.figures import canvas, ramps


def parts(message):
    (length,) = struct.unpack("<I", message[:4])
    body = message[4 + length :]
    return json.loads(message[4 : 4 + length]), body[:1536], body[1536:]


def rows(*shape, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(shape[-1]), size=shape[:-1])


def test_mosaic_sends_one_byte_per_cell_and_a_small_header():
    weights = rows(12, 12, 128, 128).astype(np.float16)
    roles = [[HeadRole("previous token", 0.5)] * 12] * 12
    message = canvas.mosaic_message(weights, roles=roles)
    header, colours, cells = parts(message)
    assert len(cells) == weights.size
    assert len(message) <= 2_400_000
    assert colours[:768] == ramps.sequential("light").tobytes()
    assert header["roles"][3][4] == [
        "previous token", "previous", 0.5, "previous token: 50\u00a0% of its attention",
    ]  # fmt: skip


def test_one_layer_of_512_tokens_is_within_its_budget():
    weights = np.full((1, 12, 512, 512), 1 / 512, np.float16)
    assert len(canvas.mosaic_message(weights)) <= 3_300_000


@pytest.mark.parametrize("scale", ["head", "model"])
def test_cells_give_the_weights_back_on_either_scale(scale):
    weights = rows(2, 3, 9, 9)
    header, _, cells = parts(canvas.mosaic_message(weights, scale=scale))
    peaks = np.array(header["peaks"])[..., None, None]
    back = ramps.dequantise(
        np.frombuffer(cells, np.uint8).reshape(weights.shape),
        scale=peaks if scale == "head" else peaks.max(),
    )
    assert np.abs(back - weights).max() < 1 / 255


def test_head_keeps_values_to_a_thousandth_of_a_percentage_point():
    weights = rows(40, 40)
    header, _, cells = parts(canvas.head_message(weights, [f"t{i}" for i in range(40)]))
    back = np.frombuffer(cells, "<u2").reshape(40, 40) / 65535 * header["scale"]
    assert np.abs(back - weights).max() < 1e-5


def test_signed_head_keeps_the_sign_and_names_absent_rows():
    weights = np.array([[-0.25, 0.5], [0.0, 0.0]])
    header, colours, cells = parts(
        canvas.head_message(weights, ["a", "b"], signed=True, absent=[False, True])
    )
    assert np.frombuffer(cells, "<i2").tolist() == [-16384, 32767, 0, 0]
    assert header["absent"] == [1]
    assert colours[:768] == ramps.diverging("light").tobytes()


def test_user_text_travels_as_json_whatever_it_holds():
    tokens = ["</script>", '"', "שלום", "🙂", "\n", "\u2028"]
    header, _, _ = parts(canvas.head_message(np.eye(6), tokens))
    assert header["tokens"] == tokens


def test_no_attention_at_all_is_no_division_by_zero():
    header, _, cells = parts(canvas.head_message(np.zeros((2, 2)), ["a", "b"]))
    assert header["scale"] == 0
    assert not any(cells)
