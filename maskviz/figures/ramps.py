"""Colour ramps as 256-entry tables: the one place that figures and browser canvases read.

A ramp runs through its anchor colours in the OKLab space (Ottosson 2020), in which equal steps
look equal. The sequential ramp starts at the page's background, so that "no attention" is paper;
the diverging ramp has the background at 0, orange for less and blue for more, a pair that readers
with any of the common colour-vision deficiencies tell apart (Okabe and Ito 2008).
"""

from functools import lru_cache
from typing import Literal

import numpy as np

Theme = Literal["light", "dark"]
SIZE = 256
ZERO = 127  # the diverging ramp's entry for 0; signed bytes run 0..254, so both arms are equal

_SEQUENTIAL = {
    "light": ("#fcfcfb", "#cfe3f3", "#74b3de", "#0072b2", "#0b3c6f", "#071d3b"),
    "dark": ("#11171d", "#123456", "#0b67a3", "#3ba3e0", "#9fd6f5", "#f4fbff"),
}
_DIVERGING = {
    "light": ("#5e2500", "#b24c00", "#e8965a", "#fcfcfb", "#6fb0dc", "#0067a6", "#06305c"),
    "dark": ("#ffd9bd", "#f28a3c", "#9a4508", "#11171d", "#0a4f80", "#3ba3e0", "#cfecff"),
}
_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def sequential(theme: Theme = "light") -> np.ndarray:
    """Return the ramp for more attention, read-only, (256, 3) uint8.

    >>> sequential("light")[0].tolist()
    [252, 252, 251]
    """
    return _table(_SEQUENTIAL[theme], SIZE)


def diverging(theme: Theme = "light") -> np.ndarray:
    """Return the ramp for masked − plain, read-only, (256, 3) uint8, with 0 at entry 127.

    >>> diverging("light")[127].tolist()
    [252, 252, 251]
    """
    return _table(_DIVERGING[theme], SIZE - 1)


def ramp(signed: bool, theme: Theme = "light") -> np.ndarray:
    """Return the diverging ramp for signed values, else the sequential one, (256, 3) uint8."""
    return diverging(theme) if signed else sequential(theme)


def quantise(
    weights: np.ndarray, *, signed: bool = False, scale: float | np.ndarray = 1.0
) -> np.ndarray:
    """Turn weights into one byte each, in proportion to the square root of their share of `scale`.

    The square root keeps a weight of 1/256 apart from 0, where a linear byte would lose it.
    Unsigned: 0..255 for 0..scale. Signed: 0..254 for −scale..scale with 0 at 127.
    `scale` is one number, or an array that broadcasts (one scale for each head).

    >>> quantise(np.array([0.0, 0.25, 1.0])).tolist()
    [0, 128, 255]
    """
    values = np.asarray(weights, dtype=np.float32) / np.maximum(scale, np.finfo(np.float32).tiny)
    if not signed:
        return np.rint(np.sqrt(np.clip(values, 0, 1)) * 255).astype(np.uint8)
    values = np.clip(values, -1, 1)
    return np.rint(np.sign(values) * np.sqrt(np.abs(values)) * ZERO + ZERO).astype(np.uint8)


def dequantise(
    cells: np.ndarray, *, signed: bool = False, scale: float | np.ndarray = 1.0
) -> np.ndarray:
    """Return the weights that `quantise` turned into these bytes, float32."""
    if not signed:
        return (cells.astype(np.float32) / 255) ** 2 * scale
    root = (cells.astype(np.float32) - ZERO) / ZERO
    return np.sign(root) * root**2 * scale


def plotly_scale(signed: bool, theme: Theme = "light") -> list[list[float | str]]:
    """Return a ramp as a Plotly colour scale of 33 stops."""
    table = ramp(signed, theme)[: SIZE - 1 if signed else SIZE]
    stops = np.linspace(0, len(table) - 1, 33).round().astype(int)
    return [[float(i / (len(table) - 1)), "rgb({},{},{})".format(*table[i])] for i in stops]


@lru_cache(maxsize=16)
def _table(anchors: tuple[str, ...], entries: int) -> np.ndarray:
    """Interpolate hex anchors in OKLab to `entries` colours, the last one repeated up to 256."""
    lab = _to_oklab(np.array([[int(a[i : i + 2], 16) for i in (1, 3, 5)] for a in anchors]))
    at = np.linspace(0, len(anchors) - 1, entries)
    steps = np.stack([np.interp(at, range(len(anchors)), lab[:, c]) for c in range(3)], axis=1)
    table = np.pad(_from_oklab(steps), ((0, SIZE - entries), (0, 0)), mode="edge")
    table.setflags(write=False)
    return table


def _to_oklab(rgb: np.ndarray) -> np.ndarray:
    """Convert sRGB bytes (n, 3) to OKLab (n, 3)."""
    unit = rgb / 255
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _LMS.T) @ _LAB.T


def _from_oklab(lab: np.ndarray) -> np.ndarray:
    """Convert OKLab (n, 3) to sRGB bytes (n, 3)."""
    linear = (lab @ np.linalg.inv(_LAB).T) ** 3 @ np.linalg.inv(_LMS).T
    linear = np.clip(linear, 0, 1)
    unit = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(unit * 255).astype(np.uint8)
