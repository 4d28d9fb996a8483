"""One head large, with the tokens on both axes."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from maskviz.attention.view import Axis
from maskviz.figures.canvas import head_message
from maskviz.figures.static_files import read_static

_mount = st.components.v2.component(
    "maskviz_attention_head",
    html=read_static("attention_head.html"),
    css="".join(map(read_static, ("common.css", "attention.css", "attention_head.css"))),
    js=read_static("marks.js") + read_static("common.js") + read_static("attention_head.js"),
)


def attention_head(
    weights: np.ndarray,
    tokens: Sequence[str],
    *,
    key: str,
    signed: bool = False,
    hidden: Sequence[bool] = (),
    special: Sequence[bool] = (),
    absent: Sequence[bool] = (),
    keys: Axis | Sequence[str] | None = None,
    segments: Sequence[int] = (),
    query_title: str = "attends from (query)",
    unit: str | None = None,
    label: str = "Attention of one head",
) -> None:
    """Show one head's (queries, keys) weights large, with values on hover and by arrow keys.

    `tokens` name the rows (queries), `keys` the columns where they differ. Parts of a pair, by
    `segments`, are set apart by lines. `hidden` tokens are
    drawn as ink, `special` ones grey; an `absent` query has no row in the masked text.
    Cells travel as 16 bits, so that the values shown are exact to 0.002 of a percentage point.
    """
    message = head_message(
        weights,
        tokens,
        signed=signed,
        hidden=hidden,
        special=special,
        absent=absent,
        keys=keys,
        segments=segments,
        query_title=query_title,
        unit=unit,
        label=label,
    )
    _mount(key=key, data=message)
