"""Figures of a sweep: states as a grid, results as a heatmap and as curves with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..sweeps.results import LOWER_IS_BETTER, Group, Results, bounds, name_of
from ..sweeps.written import figure_said, number_said, on_axis, unit_of
from .ramps import plotly_scale
from .theme import CHANCE, DASHES, OKABE_ITO, PLAIN

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ..sweeps import Sweep

STATES = {  # colour and mark of a cell's state
    "waiting": ("#D8DEE3", "·"), "queued": ("#A9B4BE", "…"), "running": (OKABE_ITO[4], "▶"),
    "done": (OKABE_ITO[2], "✓"), "failed": (OKABE_ITO[5], "✗"), "cancelled": (OKABE_ITO[1], "–"),
}  # fmt: skip


def states_figure(sweep: Sweep, states: Mapping[Any, str]) -> go.Figure:
    """Draw one square per cell, settings down and seeds across, in the colour of its state."""
    import plotly.graph_objects as go

    names = list(STATES)
    rows = {cell.setting: name_of(sweep, cell) for cell in sweep.cells}
    place = {(cell.setting, cell.seed): states[cell] for cell in sweep.cells}
    seeds = list(range(sweep.spec.seeds))
    grid = [[place.get((setting, seed), "waiting") for seed in seeds] for setting in rows]
    figure = go.Figure(
        go.Heatmap(
            z=[[names.index(state) for state in row] for row in grid],
            x=[f"seed {seed}" for seed in seeds], y=list(rows.values()),
            text=[[STATES[state][1] for state in row] for row in grid], texttemplate="%{text}",
            customdata=grid, hovertemplate="%{y}, %{x}: %{customdata}<extra></extra>",
            colorscale=[[i / (len(names) - 1), STATES[name][0]] for i, name in enumerate(names)],
            zmin=0, zmax=len(names) - 1, showscale=False, xgap=3, ygap=3,
        )
    )  # fmt: skip
    figure.update_layout(
        height=60 + 28 * len(rows), margin={"l": 8, "r": 8, "t": 8, "b": 8},
        yaxis={"autorange": "reversed", "automargin": True}, xaxis={"side": "top"},
    )  # fmt: skip
    return figure


def heatmap_figure(found: Results) -> go.Figure:
    """Draw the mean over seeds, strategies down and ratios across; half the interval beside it."""
    import plotly.graph_objects as go

    rated = [g for g in found.grid if g.values]
    rows = list(dict.fromkeys((g.strategy, g.operator) for g in found.grid))
    columns = sorted({g.ratio for g in found.grid}, key=lambda r: -1 if r is None else r)
    by_place = {((g.strategy, g.operator), g.ratio): g for g in rated}
    cells = [[by_place.get((row, column)) for column in columns] for row in rows]
    figure = go.Figure(
        go.Heatmap(
            z=[[c.interval[0] if c else None for c in row] for row in cells],
            x=["own ratio" if c is None else f"{c:.0%}" for c in columns],
            y=[f"{strategy}, {operator}" for strategy, operator in rows],
            text=[[_cell(c, found.measure) for c in row] for row in cells], texttemplate="%{text}",
            hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
            colorscale=plotly_scale(False), reversescale=found.measure in LOWER_IS_BETTER,
            xgap=2, ygap=2, colorbar={"tickformat": on_axis(found.measure), "thickness": 10},
        )
    )  # fmt: skip
    figure.update_layout(
        title={"text": f"{found.measure}, {unit_of(found.measure)}: mean ± half the 95 % interval",
               "font": {"size": 15}},
        height=130 + 44 * len(rows), margin={"l": 8, "r": 8, "t": 44, "b": 8},
        yaxis={"autorange": "reversed", "automargin": True},
        xaxis={"title": {"text": "share asked for"}, "type": "category"},
    )  # fmt: skip
    return figure


def _cell(group: Group | None, measure: str) -> str:
    if group is None:
        return ""
    mean, low, high = group.interval
    half = max(mean - low, high - mean)  # the side that does not end with what can be
    said = number_said(measure, mean)
    return said if low != low else f"{said} ± {number_said(measure, half)}"


def curves_figure(found: Results) -> go.Figure:
    """Draw the measure over the share of words really hidden, one curve per strategy.

    The plain baseline is a line with its band across the figure, random controls are grey.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    if found.plain and found.plain.values:
        _baseline(figure, found.plain, found.measure)
    series: dict[str, list[Group]] = {}
    for group in found.groups:
        if group.role == "plain" or not group.values:
            continue
        control = group.role == "control"
        kind = "random control" if control else group.strategy
        name = f"{kind}, {group.operator}"
        series.setdefault(name, []).append(group)
    lines = [name for name in series if not name.startswith("random control")]
    for name, groups in series.items():
        control = name not in lines
        place = 0 if control else lines.index(name)
        colour = CHANCE if control else OKABE_ITO[1:][place % (len(OKABE_ITO) - 2)]
        dash = DASHES[place // 6 % 4]
        _curve(figure, name, groups, colour, dash, control, on_axis(found.measure))
    figure.update_layout(
        title={"text": f"{found.measure} over the share hidden (95 %)",
               "font": {"size": 15}},
        xaxis={"title": {"text": "words hidden"}, "tickformat": ".0%", "rangemode": "tozero",
               "maxallowed": 1.05},
        yaxis={"tickformat": on_axis(found.measure), "automargin": True, **_ends(found.measure)},
        height=380,
        margin={"l": 8, "r": 20, "t": 44, "b": 8}, hovermode="closest",
        legend={"orientation": "h", "y": -0.25, "yanchor": "top", "x": 0},
    )  # fmt: skip
    return figure


def _ends(measure: str) -> dict[str, float]:
    least, most = bounds(measure)
    return {"minallowed": least} | ({"maxallowed": most} if most < math.inf else {})


def _baseline(figure: go.Figure, plain: Group, measure: str) -> None:
    mean, low, high = plain.interval
    if low == low:
        figure.add_hrect(y0=low, y1=high, fillcolor=PLAIN, opacity=0.10, line_width=0)
    figure.add_hline(
        y=mean, line={"color": PLAIN, "width": 2, "dash": "dot"},
        annotation={"text": f"plain {figure_said(measure, mean)}"},
        annotation_position="top right",
    )  # fmt: skip


def _curve(
    figure: go.Figure, name: str, groups: Sequence[Group], colour: str, dash: str, control: bool,
    written: str,
) -> None:  # fmt: skip
    groups = sorted(groups, key=lambda g: g.realised)
    means = [g.interval[0] for g in groups]
    up, down = (
        [0.0 if g.interval[i] != g.interval[i] else abs(g.interval[i] - g.interval[0])
         for g in groups] for i in (2, 1)  # one seed has no interval
    )  # fmt: skip
    figure.add_scatter(
        x=[g.realised for g in groups], y=means, name=name, mode="lines+markers",
        line={"color": colour, "dash": "dot" if control else dash, "width": 2},
        marker={"size": 8, "symbol": "square" if control else "circle"},
        error_y={"type": "data", "symmetric": False, "array": up, "arrayminus": down,
                 "color": colour, "thickness": 1.5, "width": 5},
        customdata=[[g.name, *g.interval[1:]] for g in groups],
        hovertemplate=f"%{{customdata[0]}}, %{{x:.1%}} hidden: %{{y:{written}}}, "
        f"95 % %{{customdata[1]:{written}}} to %{{customdata[2]:{written}}}<extra></extra>",
    )  # fmt: skip
