"""How every chart of the dashboard is shown: without a toolbar, with files for a paper below.

Plotly's toolbar would stand as many stops of the Tab key before what comes next; zoom by dragging,
and a double click for the whole, work without it.
"""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import streamlit as st

from maskviz.errors import MaskvizError

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

TOOLBAR = {"displayModeBar": False}


def chart(figure: Any, key: str, place: DeltaGenerator | None = None, title: str = "") -> None:
    """Show a chart, and offer it as SVG, PDF and PNG; each is drawn when it is asked for."""
    where = place or st
    where.plotly_chart(figure, key=key, config=TOOLBAR)
    with where.popover("Save this chart", icon=":material/download:", key=f"save_{key}"):
        if find_spec("matplotlib") is None:
            st.caption("Charts as files need matplotlib: `pip install 'maskviz[figures]'`.")
            return
        for kind, mime in _KINDS.items():
            st.download_button(
                kind.upper(), partial(_file, figure, kind, title), f"maskviz-{key}.{kind}",
                mime, key=f"save_{key}_{kind}", on_click="ignore", width="stretch",
            )  # fmt: skip


_KINDS = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}


def _file(figure: Any, kind: str, title: str) -> bytes:
    """Return the file; where it cannot be drawn, the sentence why: a press has no other answer."""
    from maskviz.figures.paper import chart_bytes

    try:
        return chart_bytes(figure, kind, title)
    except MaskvizError as error:
        return str(error).encode()
