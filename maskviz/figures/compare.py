"""Figures of a comparison: the answer plain and masked, and each strategy beside chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..evidence.attribution import Explanation
from ..evidence.compare import Comparison, Control, Effect
from ..evidence.fairness import Gap
from ..evidence.faithfulness import Faithfulness
from ..evidence.tally import StrategyResult
from .theme import CHANCE, MASKED, OKABE_ITO, PLAIN

_LAYOUT: dict[str, Any] = {
    "margin": {"l": 10, "r": 30, "t": 10, "b": 10},
    "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "title": None},
    "hovermode": "closest",
}
_PERCENT = {"tickformat": ".0%", "automargin": True, "zeroline": False}


def answers(comparison: Comparison, chance: Control | None = None) -> Any:
    """Return bars of every label's probability, plain and masked; chance as a grey interval."""
    import plotly.graph_objects as go

    labels = list(comparison.original.probabilities)
    figure = go.Figure()
    for name, colour, prediction in (
        ("plain", PLAIN, comparison.original),
        ("masked", MASKED, comparison.masked),
    ):
        values = [prediction.probabilities[label] for label in labels]
        figure.add_bar(
            x=values, y=labels, name=name, orientation="h", marker_color=colour,
            text=[f"{v:.3f}" if comparison.kl is None else f"{v:.1%}" for v in values],
            textposition="outside", cliponaxis=False,
            hovertemplate="%{y}, " + name + ": %{x:.3f}<extra></extra>",
        )  # fmt: skip
    if chance is not None:
        figure.add_trace(_interval([chance.label], [chance], "random masks of the same size"))
    figure.update_layout(
        barmode="group", height=70 + 75 * len(labels), bargap=0.35,
        xaxis=_VALUE if comparison.kl is None else {
            **_PERCENT, "range": [0, 1.12], "title": "probability", "tickvals": _FIFTHS
        },
        yaxis={"automargin": True, "autorange": "reversed"}, **_LAYOUT,
    )  # fmt: skip
    return figure


_VALUE = {"automargin": True, "zeroline": True, "title": "value"}  # of a regression
_FIFTHS = [0, 0.2, 0.4, 0.6, 0.8, 1]


def strategies(effects: Sequence[Effect], label: str) -> Any:
    """Return one row per strategy: the label's probability under it, beside its chance band."""
    import plotly.graph_objects as go

    names = [effect.name for effect in effects]
    plain = effects[0].comparison.original.probabilities[label]
    values = [effect.comparison.masked.probabilities[label] for effect in effects]
    figure = go.Figure()
    figure.add_trace(_interval(names, [e.control for e in effects], "chance, 95 %"))
    figure.add_scatter(
        x=values, y=names, mode="markers", name="masked",
        marker={"color": MASKED, "size": 13, "line": {"width": 1, "color": "white"}},
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )  # fmt: skip
    regression = effects[0].comparison.kl is None
    said = f"{plain:.3f}" if regression else f"{plain:.1%}"
    figure.add_vline(
        x=plain, line={"color": PLAIN, "width": 2, "dash": "dot"},
        annotation={"text": f"plain {said}", "yanchor": "bottom"},
        annotation_position="top",
    )  # fmt: skip
    figure.update_layout(
        height=110 + 34 * len(names),
        xaxis=_VALUE
        if regression
        else {**_PERCENT, "range": [-0.02, 1.02], "title": f"p({label})", "tickvals": _FIFTHS},
        yaxis={"automargin": True, "autorange": "reversed"},
        **{**_LAYOUT, "margin": {"l": 10, "r": 30, "t": 34, "b": 10}},
    )
    figure.update_layout(legend={"y": -0.35, "yanchor": "top"})
    return figure


def grid(effects: Sequence[Effect], label: str) -> Any:
    """Return strategies × operators as a heatmap of Δp; * is beyond chance, F a flip."""
    import plotly.graph_objects as go

    names = list(dict.fromkeys(e.name for e in effects))
    operators = list(dict.fromkeys(e.comparison.operator for e in effects))
    found = {(e.name, e.comparison.operator): e for e in effects}
    cells = [[found.get((name, operator)) for operator in operators] for name in names]
    figure = go.Figure(
        go.Heatmap(
            x=operators, y=names, zmid=0, zmin=-1, zmax=1, colorscale="RdBu", xgap=2, ygap=2,
            z=[[None if e is None else e.comparison.delta[label] for e in row] for row in cells],
            text=[["" if e is None else _cell(e, label) for e in row] for row in cells],
            texttemplate="%{text}", colorbar={"title": "Δp", "tickformat": "+.1f"},
            hovertemplate="%{y}, %{x}: Δp %{z:+.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        height=90 + 34 * len(names), xaxis={"side": "top"},
        yaxis={"automargin": True, "autorange": "reversed"}, **_LAYOUT,
    )  # fmt: skip
    return figure


def _cell(effect: Effect, label: str) -> str:
    marks = "*" * effect.beyond_chance + " F" * effect.comparison.flip
    return f"{effect.comparison.delta[label]:+.2f}{marks}"


def words(explanation: Explanation, most: int = 60) -> Any:
    """Return a bar for each word in the order of the text; of a long text for the strongest."""
    import plotly.graph_objects as go

    order = sorted(range(len(explanation.words)), key=lambda i: -abs(explanation.words[i].score))[
        :most
    ]
    shown = [explanation.words[i] for i in sorted(order)]
    figure = go.Figure(
        go.Bar(
            x=[word.score for word in shown], y=[word.start for word in shown], orientation="h",
            marker_color=[MASKED if word.score < 0 else PLAIN for word in shown],
            customdata=[word.text for word in shown],
            hovertemplate="%{customdata}: %{x:+.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        height=70 + 19 * len(shown),
        xaxis={"title": f"score, {_UNITS[explanation.unit]}", "zeroline": True, "side": "top"},
        yaxis={
            "automargin": True, "autorange": "reversed", "type": "category",
            "tickvals": [word.start for word in shown],
            "ticktext": [_plain(word.text) for word in shown],
        },
        **_LAYOUT,
    )  # fmt: skip
    return figure


_UNITS = {
    "Δp": "fall of the probability", "value": "fall of the value", "logit": "logit",
    "rank": "rank, 1 stays longest",
    "share": "share of attention", "none": "no unit",
}  # fmt: skip


def _plain(text: str) -> str:
    """Return text that Plotly, which reads a few HTML tags, shows as it is."""
    shown = text if len(text) <= 24 else text[:23] + "…"
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def curves(found: Mapping[str, Faithfulness]) -> Any:
    """Return deletion (falling) and insertion (dashed, rising) of each method."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, (name, one) in enumerate(found.items()):
        for kind, curve, dash in (("deletion", one.deletion, "solid"),
                                  ("insertion", one.insertion, "dash")):  # fmt: skip
            figure.add_scatter(
                x=curve.shares, y=curve.probabilities, mode="lines", legendgroup=name,
                name=f"{name}, {kind}", line={"color": OKABE_ITO[i % 8], "dash": dash, "width": 2},
                hovertemplate="%{x:.0%} of words: %{y:.1%}<extra>" + kind + "</extra>",
            )  # fmt: skip
    figure.update_layout(
        height=360, xaxis={**_PERCENT, "title": "words hidden (deletion) or shown (insertion)"},
        yaxis={**_PERCENT, "title": "probability", "rangemode": "tozero"}, **_LAYOUT,
    )  # fmt: skip
    return figure


def gaps(arms: Mapping[str, Gap]) -> Any:
    """Return each arm's CTF gap with its 95 % interval."""
    import plotly.graph_objects as go

    values = [gap.ctf_gap for gap in arms.values()]
    figure = go.Figure(
        go.Scatter(
            x=values, y=list(arms), mode="markers", marker={"color": MASKED, "size": 12},
            error_x={
                "type": "data", "color": MASKED, "thickness": 2, "width": 6,
                "array": [g.ctf_ci95[1] - g.ctf_gap for g in arms.values()],
                "arrayminus": [g.ctf_gap - max(0.0, g.ctf_ci95[0]) for g in arms.values()],
            },
            hovertemplate="%{y}: %{x:.4f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        height=90 + 36 * len(values), showlegend=False,
        xaxis={"title": "CTF gap, mean |Δp| of a pair, with 95 % interval", "rangemode": "tozero",
               "automargin": True},
        yaxis={"automargin": True, "autorange": "reversed"}, **_LAYOUT,
    )  # fmt: skip
    return figure


def _interval(names: Sequence[str], controls: Sequence[Control], name: str) -> Any:
    """Return grey intervals of the middle 95 % of the random draws."""
    import plotly.graph_objects as go

    middle = [(c.low + c.high) / 2 for c in controls]
    half = [(c.high - c.low) / 2 for c in controls]
    return go.Scatter(
        x=middle, y=list(names), mode="markers", name=name,
        marker={"color": CHANCE, "size": 9, "symbol": "square"},
        error_x={"type": "data", "array": half, "color": CHANCE, "thickness": 9, "width": 0},
        opacity=0.55,
        customdata=[(c.low, c.high) for c in controls],
        hovertemplate="%{y}, chance: %{customdata[0]:.1%} to %{customdata[1]:.1%}<extra></extra>",
    )  # fmt: skip


def file_effects(results: Mapping[str, StrategyResult]) -> Any:
    """Return each strategy's change in accuracy with its 95 % interval, or its flip rate."""
    import plotly.graph_objects as go

    names = list(results)
    values, bounds, title = _effect_sizes(list(results.values()))
    figure = go.Figure(
        go.Scatter(
            x=values, y=names, mode="markers",
            marker={"color": MASKED, "size": 12},
            error_x={
                "type": "data",
                "array": [b[1] - v for v, b in zip(values, bounds, strict=True)],
                "arrayminus": [v - b[0] for v, b in zip(values, bounds, strict=True)],
                "color": MASKED, "thickness": 2, "width": 6,
            },
            customdata=bounds,
            hovertemplate=(
                "%{y}: %{x:+.1%}, 95 % %{customdata[0]:+.1%} to %{customdata[1]:+.1%}"
                "<extra></extra>"
            ),
        )
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": CHANCE, "width": 1})
    figure.update_layout(
        height=90 + 36 * len(names),
        xaxis={
            **_PERCENT, "title": f"{title}, with 95 % interval",
            **({"tickformat": "+.3f"} if "error" in title else {}),
        },
        yaxis={"automargin": True, "autorange": "reversed"},
        showlegend=False, **_LAYOUT,
    )  # fmt: skip
    return figure


def _effect_sizes(results: Sequence[StrategyResult]) -> tuple[list[Any], list[Any], str]:
    """Return values, intervals and what they are: accuracy, error of a regression, or flips."""
    if all(r.delta_accuracy is not None for r in results):
        change = [r.delta_accuracy for r in results]
        return change, [r.ci95 for r in results], "accuracy masked − plain"
    if all(r.delta_error is not None for r in results):
        change = [r.delta_error for r in results]
        return change, [r.error_ci95 for r in results], "mean absolute error masked − plain"
    flips = [r.flip_rate for r in results]
    return flips, [r.flip_ci95 for r in results], "rows whose label flips"
