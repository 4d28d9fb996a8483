"""Every head of a model at a glance: one canvas from one binary message."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from maskviz.attention.roles import HeadChange, HeadRole
from maskviz.figures.canvas import Scale, mosaic_message
from maskviz.figures.static_files import read_static

_mount = st.components.v2.component(
    "maskviz_attention_mosaic",
    html=read_static("attention_mosaic.html"),
    css="".join(map(read_static, ("common.css", "attention.css", "attention_mosaic.css"))),
    js=read_static("marks.js") + read_static("common.js") + read_static("attention_mosaic.js"),
)


def attention_mosaic(
    weights: np.ndarray,
    *,
    key: str,
    signed: bool = False,
    roles: Sequence[Sequence[HeadRole | HeadChange]] | None = None,
    selected: tuple[int, int] | None = None,
    titles: Sequence[str] | None = None,
    scale: Scale = "model",
    label: str = "All heads",
    merged: bool = False,
    unit: str | None = None,
) -> tuple[int, int] | None:
    """Show (layers, heads, queries, keys) weights; return the (layer, head) just picked, or None.

    Both count from 0; the picture counts from 1. `signed` shows differences in [-1, 1].
    `roles[layer][head]` goes under each map, `titles` names the rows (default L1, L2, …).
    With `scale` "model" all heads share one ramp, so that broad heads stay pale beside sharp ones;
    with "head" each has the ramp up to its own largest weight. The legend says which.
    Maps of whole layers are `merged`: no head is named.
    Read `picked_head` to know the choice before drawing.
    """
    message = mosaic_message(
        weights,
        signed=signed,
        roles=roles,
        selected=selected,
        titles=titles,
        scale=scale,
        label=label,
        merged=merged,
        unit=unit,
    )
    _mount(key=key, data=message, on_picked_change=_ignore)
    return picked_head(key, *weights.shape[:2])


def picked_head(key: str, layers: int, heads: int) -> tuple[int, int] | None:
    """Return the (layer, head) that the mosaic `key` was clicked at in this very run, else None."""
    return validate_head((st.session_state.get(key) or {}).get("picked"), layers, heads)


def validate_head(value: Any, layers: int, heads: int) -> tuple[int, int] | None:
    """Return (layer, head) where the browser sent one that exists, else None.

    >>> validate_head({"layer": 1, "head": 7}, 4, 8)
    (1, 7)
    >>> validate_head({"layer": 9, "head": 7}, 4, 8) is None
    True
    """
    if not isinstance(value, Mapping):
        return None
    layer, head = value.get("layer"), value.get("head")
    if type(layer) is not int or type(head) is not int:
        return None
    return (layer, head) if 0 <= layer < layers and 0 <= head < heads else None


def _ignore() -> None:
    """Declare a state key without acting on its change."""
