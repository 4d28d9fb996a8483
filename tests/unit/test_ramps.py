"""The colour ramps that figures and canvases share."""

import numpy as np
import pytest

from maskviz.figures import ramps

THEMES = ("light", "dark")


@pytest.mark.parametrize("theme", THEMES)
def test_sequential_ramp_runs_one_way_in_lightness(theme):
    table = ramps.sequential(theme)
    steps = np.diff(ramps._to_oklab(table)[:, 0])
    assert table.shape == (256, 3)
    assert (steps <= 0.001).all() if theme == "light" else (steps >= -0.001).all()


@pytest.mark.parametrize("theme", THEMES)
def test_diverging_ramp_has_the_background_at_zero_and_equal_arms(theme):
    table = ramps.diverging(theme)
    assert table[ramps.ZERO].tolist() == ramps.sequential(theme)[0].tolist()
    lightness = ramps._to_oklab(table)[:, 0]
    assert abs(lightness[0] - lightness[254]) < 0.06


@pytest.mark.parametrize("theme", THEMES)
def test_arms_of_the_diverging_ramp_stay_apart_without_red_or_green(theme):
    """Deuteranopia after Viénot, Brettel and Mollon (1999), linear RGB."""
    project = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    linear = (ramps.diverging(theme) / 255) ** 2.2
    seen = np.clip(linear @ project.T, 0, 1) ** (1 / 2.2) * 255
    for distance in (40, 80, 120):
        assert np.linalg.norm(seen[127 - distance] - seen[127 + distance]) > 40


def test_bytes_keep_small_weights_apart():
    weights = np.linspace(0, 1, 1001)
    back = ramps.dequantise(ramps.quantise(weights))
    assert np.abs(back - weights).max() < 1 / 255
    assert ramps.quantise(np.array([1 / 512])) > 0


def test_signed_bytes_are_symmetric_and_keep_zero():
    values = np.array([-0.5, -0.1, 0.0, 0.1, 0.5])
    cells = ramps.quantise(values, signed=True, scale=0.5).astype(int)
    assert cells.tolist()[::2] == [0, 127, 254]
    assert cells[1] + cells[3] == 254
    assert np.abs(ramps.dequantise(cells, signed=True, scale=0.5) - values).max() < 0.005


def test_scale_of_zero_is_no_division_by_zero():
    assert ramps.quantise(np.zeros((2, 2)), scale=0.0).tolist() == [[0, 0], [0, 0]]


def test_plotly_scale_runs_from_zero_to_one():
    for signed in (False, True):
        stops = ramps.plotly_scale(signed)
        assert stops[0][0] == 0
        assert stops[-1][0] == 1
