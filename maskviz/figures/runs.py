"""Curves of runs: loss and accuracy over the steps, one run or several overlaid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..training.loop.metrics import HEADLINES
from .theme import DASHES, MASKED, OKABE_ITO, PLAIN

if TYPE_CHECKING:
    import plotly.graph_objects as go

_SHARE = {"tickformat": ".0%", "minallowed": 0, "maxallowed": 1.005}
_POINTS = 400  # of a curve at most: more are no finer on a screen, and the browser redraws all
History = Sequence[Mapping[str, Any]]


def loss_figure(history: History) -> go.Figure:
    """Draw the training loss of one run and its loss on held-out rows."""
    figure = _figure("Loss", "loss")
    figure.update_yaxes(rangemode="nonnegative")
    _line(figure, history, "loss", "training", "#8A96A3", dash="dot")
    _line(figure, history, "plain_loss", "held out, plain", PLAIN)
    _line(figure, history, "masked_loss", "held out, masked", MASKED)
    return _sized(figure, 3)


def measured(history: History) -> str | None:
    """Return the figure that is drawn beside the loss, None before the first evaluation."""
    keys = {key for line in history for key in line}
    return next((m for m in HEADLINES if {f"plain_{m}", f"masked_{m}"} & keys), None)


def accuracy_figure(history: History) -> go.Figure:
    """Draw the accuracy of one run on held-out rows, plain and masked, with its 95 % interval.

    Micro-F1 or the mean absolute error where several labels or numbers are learned.
    """
    measure = measured(history) or "accuracy"
    name = HEADLINES[measure]
    figure = _figure(f"{name} on held-out rows", name.lower(), percent=measure != "mae")
    for mask, colour in (("plain", PLAIN), ("masked", MASKED)):
        if measure == "accuracy":
            _band(figure, history, mask, colour)
        _line(figure, history, f"{mask}_{measure}", mask, colour, markers=True)
    return _sized(figure, 3)  # as high as the loss beside it


def gradient_figure(history: History) -> go.Figure:
    """Draw the norm of the gradient before clipping."""
    figure = _figure("Gradient norm", "norm before clipping")
    _line(figure, history, "grad_norm", "gradient norm", PLAIN)
    return _sized(figure, 1)


def rate_figure(history: History) -> go.Figure:
    """Draw the learning rate over the steps."""
    figure = _figure("Learning rate", "rate")
    _line(figure, history, "learning_rate", "learning rate", MASKED)
    figure.update_yaxes(tickformat=".1e")
    return _sized(figure, 1)


def speed_figure(history: History) -> go.Figure:
    """Draw real tokens per second over the steps."""
    figure = _figure("Real tokens per second", "tokens/s")
    _line(figure, history, "tokens_per_second", "tokens/s", PLAIN)
    return _sized(figure, 1)


def overlay_figure(histories: Mapping[str, History], key: str, title: str) -> go.Figure:
    """Draw one figure of several runs over each other, each in its own colour and dash."""
    percent = key.endswith("accuracy")
    figure = _figure(title, "accuracy" if percent else "loss", percent=percent)
    for i, (name, history) in enumerate(histories.items()):
        colour = OKABE_ITO[i % len(OKABE_ITO)]
        _line(figure, history, key, _shortened(name), colour, dash=DASHES[i // len(OKABE_ITO) % 4])
    return _sized(figure, len(histories))


def _shortened(name: str, length: int = 36) -> str:
    """Return a name that fits a phone, both its ends kept: the last part tells runs apart.

    >>> _shortened("a-name-that-is-far-too-long-for-a-phone-1124-184534-b183")
    'a-name-that-is-f…e-1124-184534-b183'
    """
    half = length // 2
    return name if len(name) <= length else f"{name[: half - 2]}…{name[-half:]}"


def _figure(title: str, unit: str, percent: bool = False) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.update_layout(
        title={"text": title, "font": {"size": 15}},
        xaxis={"title": {"text": "optimiser step"}, "rangemode": "tozero"},
        yaxis={"title": {"text": unit}, **(_SHARE if percent else {})},
        legend={"yref": "container", "yanchor": "bottom", "y": 0, "x": 0},
        showlegend=True,
        margin={"l": 8, "r": 20, "t": 40},
        uirevision="run",  # what the reader zoomed to stays while points come in
        hovermode="x unified",
    )
    return figure


def _sized(figure: go.Figure, entries: int) -> go.Figure:
    """Make room for the legend below the axis: 20 pixels an entry."""
    below = 58 + 20 * entries
    figure.update_layout(margin={"b": below}, height=250 + below)
    return figure


def _points(history: History, key: str) -> tuple[list[float], list[float]]:
    rows = [(line["step"], line[key]) for line in history if line.get(key) is not None]
    return [step for step, _ in rows], [value for _, value in rows]


def _means(values: Sequence[float], block: int) -> list[float]:
    """Return the mean of each `block` values in a row, of the last ones as many as there are."""
    parts = [values[start : start + block] for start in range(0, len(values), block)]
    return [sum(part) / len(part) for part in parts]


def _line(
    figure: go.Figure,
    history: History,
    key: str,
    name: str,
    colour: str,
    dash: str = "solid",
    markers: bool = False,
) -> None:
    steps, values = _points(history, key)
    block = -(-len(steps) // _POINTS)
    if block > 1:
        steps, values = _means(steps, block), _means(values, block)
        name = f"{name}, means of {block}"
    if steps:
        figure.add_scatter(
            x=steps,
            y=values,
            name=name,
            mode="lines+markers" if markers or len(steps) == 1 else "lines",
            line={"color": colour, "dash": dash, "width": 2},
        )


def _band(figure: go.Figure, history: History, mask: str, colour: str) -> None:
    steps, _ = _points(history, f"{mask}_accuracy")
    lower, upper = (_points(history, f"{mask}_ci95_{end}")[1] for end in ("low", "high"))
    if len(steps) < 2 or not len(lower) == len(upper) == len(steps):
        return
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    figure.add_scatter(
        x=[*steps, *reversed(steps)],
        y=[*upper, *reversed(lower)],
        mode="lines",
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},0.12)",
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )
