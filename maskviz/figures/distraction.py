"""Figures of the distraction experiment: what is right, and how probable it is, against k."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..evidence.distraction.experiment import COUNTS
from ..evidence.distraction.result import Distraction, Figures
from .theme import CHANCE, DASHES, OKABE_ITO

if TYPE_CHECKING:
    import plotly.graph_objects as go

_COLOUR = {
    "base": CHANCE,
    "masked": OKABE_ITO[4],
    "plain": OKABE_ITO[5],
    "random": OKABE_ITO[3],
    "sentence": OKABE_ITO[1],
    "oracle": OKABE_ITO[0],
    "reasoned": OKABE_ITO[2],
    "thought": OKABE_ITO[6],
    "instruction": OKABE_ITO[4],
    "inoculation": OKABE_ITO[3],
}
_DASH = {"instruction": DASHES[1], "inoculation": DASHES[1]}  # colours come again  # fmt: skip


def accuracy_figure(result: Distraction) -> go.Figure:
    """Draw what each arm answers right against k, with 95 % intervals; base beside filler too."""
    figure = _lines(result, "accuracy")
    _layout(figure, "Right answers", "right")
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    return figure


def log_p_figure(result: Distraction) -> go.Figure:
    """Draw ln p of the right answer against k."""
    figure = _lines(result, "log_p")
    _layout(figure, "ln p of the right answer", "nats")
    return figure


def _lines(result: Distraction, name: str) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    for arm, figures in result.arms.items():
        if figures:
            dash = _DASH.get(arm, DASHES[0])
            _line(figure, figures, f"{name}_irrelevant", arm, _COLOUR[arm], dash)
    if result.arms.get("base"):
        base = result.arms["base"]
        _line(figure, base, f"{name}_filler", "base, filler", CHANCE, dash=DASHES[2])
    return figure


def _line(
    figure: go.Figure, figures: Figures, key: str, name: str, colour: str, dash: str = "solid"
) -> None:
    values = [figures[f"{key}_{k}"] for k in COUNTS]
    figure.add_scatter(
        x=list(COUNTS), y=[v[0] for v in values], name=name, mode="lines+markers",
        line={"color": colour, "dash": dash, "width": 2}, marker={"color": colour, "size": 8},
        error_y=_reach(values, colour),
        hovertemplate=f"{name}, k = %{{x}}: %{{y:.3f}}<extra></extra>",
    )  # fmt: skip


def _reach(values: list[tuple[float, float, float]], colour: str) -> dict[str, Any]:
    """Return how far the intervals go; one that a share's bounds cut is not symmetric."""
    return {
        "type": "data", "symmetric": False, "array": [v[2] - v[0] for v in values],
        "arrayminus": [v[0] - v[1] for v in values], "color": colour, "thickness": 1, "width": 4,
    }  # fmt: skip


def _layout(figure: go.Figure, title: str, unit: str) -> None:
    figure.update_layout(
        title={"text": title, "font": {"size": 15}}, height=400,
        margin={"l": 8, "r": 20, "t": 44, "b": 8},
        xaxis={"title": {"text": "irrelevant sentences, k"}, "tickvals": list(COUNTS)},
        yaxis={"title": {"text": unit}, "automargin": True},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
