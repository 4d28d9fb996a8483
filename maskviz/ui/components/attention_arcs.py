"""One head as lines between two columns of tokens."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from maskviz.attention.view import Axis
from maskviz.figures.canvas import marked
from maskviz.figures.ramps import ZERO, ramp
from maskviz.figures.static_files import read_static
from maskviz.ui.components._assets import read_asset

_mount = st.components.v2.component(
    "maskviz_attention_arcs",
    html=read_asset("attention_arcs.html"),
    css=read_static("common.css") + read_static("attention.css") + read_asset("attention_arcs.css"),
    js=read_static("marks.js") + read_static("common.js") + read_asset("attention_arcs.js"),
)


def attention_arcs(
    weights: np.ndarray,
    tokens: Sequence[str],
    *,
    key: str,
    signed: bool = False,
    hidden: Sequence[bool] = (),
    keys: Axis | None = None,
    at_least: float = 0.02,
    most: int = 3000,
    mirrored: bool = False,
    label: str = "Attention of one head as lines",
) -> int:
    """Draw one head's (queries, keys) weights as lines; return how many were drawn.

    `tokens` are the queries, `keys` the tokens attended to where they are others.
    Hovering or focusing a token shows its lines alone, with their shares. Weights under
    `at_least` (of either sign) are left out, and beyond `most` lines the weakest. mirrored: the
    queries stand on the right, as for a text that is read from there.
    """
    edges = strongest(weights, at_least, most)
    _mount(
        key=key,
        data={
            "tokens": list(tokens),
            "hidden": marked(hidden),
            "keys": None if keys is None else list(keys.tokens),
            "hiddenKeys": None if keys is None else marked(keys.hidden),
            "edges": edges,
            "signed": signed,
            "mirrored": mirrored,
            "label": label,
            "colours": {
                theme: ["#" + ramp(signed, theme)[at].tobytes().hex() for at in _stops(signed)]
                for theme in ("light", "dark")
            },
        },
    )
    return len(edges)


def strongest(weights: np.ndarray, at_least: float, most: int) -> list[list[float]]:
    """Return [query, key, weight] of the strongest cells, in reading order.

    >>> strongest(np.array([[0.9, 0.1], [0.0, 1.0]]), 0.5, 10)
    [[0, 0, 0.9], [1, 1, 1.0]]
    """
    values = np.nan_to_num(np.asarray(weights, dtype=np.float64))
    cells = np.argwhere(np.abs(values) >= max(at_least, 1e-9))
    if len(cells) > most:
        order = np.argsort(-np.abs(values[tuple(cells.T)]), kind="stable")[:most]
        cells = cells[np.sort(order)]
    return [[int(q), int(k), round(float(values[q, k]), 4)] for q, k in cells]


def _stops(signed: bool) -> tuple[int, int]:
    """Return the ramp's entries for less and for more attention."""
    return (ZERO - 80, ZERO + 80) if signed else (150, 150)
