"""Every head of a model at a glance: one canvas from one binary message."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from maskviz.figures.static_files import read_static

_mount = st.components.v2.component(
    "maskviz_attention_mosaic",
    html=read_static("attention_mosaic.html"),
    css="".join(map(read_static, ("common.css", "attention.css", "attention_mosaic.css"))),
    js=read_static("marks.js") + read_static("common.js") + read_static("attention_mosaic.js"),
)


def attention_mosaic(message: bytes, key: str) -> None:
    """Show every head, from their `mosaic_message`; `picked_head` says which was selected."""
    _mount(key=key, data=message, on_picked_change=_ignore)


def picked_head(key: str, layers: int, heads: int) -> tuple[int, int] | None:
    """Return the (layer, head) that the mosaic `key` was clicked at in this very run, else None."""
    return validate_head((st.session_state.get(key) or {}).get("picked"), layers, heads)


def silenced_head(key: str, layers: int, heads: int) -> tuple[int, int] | None:
    """Return the (layer, head) that was clicked with Shift in this very run, else None."""
    picked = (st.session_state.get(key) or {}).get("picked")
    silent = isinstance(picked, Mapping) and picked.get("silent") is True
    return validate_head(picked, layers, heads) if silent else None


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
