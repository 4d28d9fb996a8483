"""One head large, with the tokens on both axes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from maskviz.ui.components._assets import read_asset
from maskviz.ui.components._message import largest, pack

_mount = st.components.v2.component(
    "maskviz_attention_head",
    html=read_asset("attention_head.html"),
    css=read_asset("common.css") + read_asset("attention.css") + read_asset("attention_head.css"),
    js=read_asset("common.js") + read_asset("attention_head.js"),
)


def attention_head(
    weights: np.ndarray,
    tokens: Sequence[str],
    *,
    key: str,
    signed: bool = False,
    hidden: Sequence[bool] = (),
    special: Sequence[bool] = (),
    keys: Sequence[str] | None = None,
    label: str = "Attention of one head",
) -> None:
    """Show one head's (queries, keys) weights large, with values on hover and by arrow keys.

    `tokens` name the rows (queries), `keys` the columns where they differ. `hidden` tokens are
    drawn as ink, `special` ones grey. A row of NaN (a token that is not there) stays empty.
    Cells travel as 16 bits, so that the values shown are exact to 0.002 of a percentage point.
    """
    columns = list(tokens if keys is None else keys)
    scale = largest(weights)
    header: dict[str, Any] = {
        "rows": len(tokens),
        "cols": len(columns),
        "tokens": list(tokens),
        "keys": columns,
        "hidden": [i for i, value in enumerate(hidden) if value],
        "special": [i for i, value in enumerate(special) if value],
        "absent": np.flatnonzero(np.isnan(weights).all(axis=1)).tolist(),
        "scale": scale,
        "label": label,
    }
    _mount(key=key, data=pack(header, to_words(weights, scale, signed), signed=signed))


def to_words(weights: np.ndarray, scale: float, signed: bool) -> np.ndarray:
    """Turn weights into 16 bits each, linear: 0..65535 for 0..scale, or ±32767 for ±scale.

    >>> to_words(np.array([[0.5, 1.0]]), 1.0, False).tolist()
    [[32768, 65535]]
    """
    values = np.nan_to_num(np.asarray(weights, dtype=np.float64)) / (scale or 1.0)
    if signed:
        return np.rint(np.clip(values, -1, 1) * 32767).astype("<i2")
    return np.rint(np.clip(values, 0, 1) * 65535).astype("<u2")
