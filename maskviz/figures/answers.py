"""Figures of what a language model writes: its next tokens, and an answer token by token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..evidence.text.compare import Comparison
from ..evidence.text.scale import visible
from .theme import MASKED, PLAIN, as_text


def next_tokens(comparison: Comparison, most: int = 10) -> Any:
    """Return bars of what may be written next: the tokens asked for, and the most probable ones."""
    top = comparison.detail["top"][:most]
    names = [f"{visible(token['text'])}" for token in top]
    plain, masked = (
        [token[f"probability_{side}"] for token in top] for side in ("original", "masked")
    )
    return _pairs_of_bars(names, plain, masked, ".1%", _SHARE)


def answer_tokens(comparison: Comparison) -> Any:
    """Return two bars for each token of the answer, ln p plain and masked, in their order."""
    tokens = comparison.detail["tokens"]
    names = [f"{i}  {visible(token['text'])}" for i, token in enumerate(tokens, 1)]
    plain, masked = (
        [token[f"log_probability_{side}"] for token in tokens] for side in ("original", "masked")
    )
    axis = {"automargin": True, "zeroline": True, "title": "ln p of each token, 0 is certain"}
    return _pairs_of_bars(names, plain, masked, ".2f", axis, 30)


def _pairs_of_bars(
    names: Sequence[str],
    plain: Sequence[float],
    masked: Sequence[float],
    digits: str,
    axis: dict[str, Any],
    row: int = 44,
) -> Any:
    """Return a plain and a masked bar for each name; names may come twice."""
    import plotly.graph_objects as go

    figure, rows = go.Figure(), list(range(len(names)))
    for name, colour, values in (("plain", PLAIN, plain), ("masked", MASKED, masked)):
        figure.add_bar(
            x=list(values), y=rows, name=name, orientation="h", marker_color=colour,
            text=[f"{v:{digits}}" for v in values], textposition="outside", cliponaxis=False,
            customdata=list(map(as_text, names)),
            hovertemplate="%{customdata}, " + name + f": %{{x:{digits}}}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        barmode="group", height=80 + row * len(names), bargap=0.25, xaxis=axis,
        yaxis={
            "automargin": True, "range": [len(names) - 0.5, -0.5], "zeroline": False,
            "tickvals": rows, "ticktext": [as_text(name, 24) for name in names],
        },
        **_LAYOUT,
    )  # fmt: skip
    return figure


_SHARE: dict[str, Any] = {
    "tickformat": ".0%", "automargin": True, "zeroline": False, "range": (0, 1.12),
    "title": "probability", "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1],
}  # fmt: skip
_LAYOUT: dict[str, Any] = {
    "margin": {"l": 10, "r": 50, "t": 10, "b": 10},
    "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "title": None},
    "hovermode": "closest",
}
