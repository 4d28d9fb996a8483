"""Figures of the planted-distractor experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..evidence.distractor.experiment import TESTS
from ..evidence.distractor.result import Interference
from .theme import CHANCE, MASKED, OKABE_ITO, PLAIN

if TYPE_CHECKING:
    import plotly.graph_objects as go

_SAID = {"aligned": "it fits", "neutral": "it says nothing", "reversed": "it misleads"}
_TEST_COLOUR = {"aligned": OKABE_ITO[2], "neutral": CHANCE, "reversed": MASKED}


def accuracy_figure(result: Interference) -> go.Figure:
    """Draw each arm's accuracy with the distractor aligned, neutral and reversed, 95 % intervals.

    The length of the line between aligned and reversed is the reliance.
    """
    import plotly.graph_objects as go

    figure, arms = go.Figure(), list(result.arms)
    for arm in arms:
        ends = [result.arms[arm][f"accuracy_{test}"][0] for test in ("aligned", "reversed")]
        figure.add_scatter(
            x=ends, y=[arm, arm], mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": "#A9B4BE", "width": 6},
        )  # fmt: skip
    for test in TESTS:
        values = [result.arms[arm][f"accuracy_{test}"] for arm in arms]
        figure.add_scatter(
            x=[v[0] for v in values], y=arms, mode="markers", name=_SAID[test],
            marker={"color": _TEST_COLOUR[test], "size": 12},
            error_x={"type": "data", "array": [v[2] - v[0] for v in values],
                     "color": _TEST_COLOUR[test], "thickness": 1.5, "width": 5},
            hovertemplate="%{y}, " + _SAID[test] + ": %{x:.1%}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        title={"text": "Accuracy by what is planted", "font": {"size": 15}},
        height=140 + 42 * len(arms), margin={"l": 8, "r": 20, "t": 44, "b": 8},
        xaxis={"tickformat": ".0%", "title": {"text": "accuracy"}},
        yaxis={"autorange": "reversed", "automargin": True},
        # Under the plot: on a phone it takes two lines, which would lie on the title.
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    return figure


def recovery_figure(result: Interference) -> go.Figure:
    """Draw what each arm wins back of the plain arm's reliance, with its 95 % interval."""
    import plotly.graph_objects as go

    arms = [arm for arm in result.arms if arm != "plain"]
    values = [result.arms[arm]["recovery"] for arm in arms]
    figure = go.Figure(
        go.Scatter(
            x=[v[0] for v in values], y=arms, mode="markers",
            marker={"color": PLAIN, "size": 12},
            error_x={"type": "data", "array": [v[2] - v[0] for v in values],
                     "color": PLAIN, "thickness": 2, "width": 6},
            hovertemplate="%{y}: %{x:.0%}<extra></extra>",
        )
    )  # fmt: skip
    for at, name in ((0, "nothing"), (1, "all of it")):
        figure.add_vline(
            x=at, line={"color": CHANCE, "width": 1, "dash": "dot"},
            annotation={"text": name, "yanchor": "bottom"}, annotation_position="top",
        )  # fmt: skip
    figure.update_layout(
        title={"text": "Won back of what the plain arm loses", "font": {"size": 15}},
        height=120 + 42 * len(arms), margin={"l": 8, "r": 20, "t": 70, "b": 8}, showlegend=False,
        xaxis={"tickformat": ".0%", "title": {"text": "recovery"}},
        yaxis={"autorange": "reversed", "automargin": True},
    )  # fmt: skip
    return figure
