"""Figures of a comparison: the answer plain and masked, and each strategy beside chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..evidence.chance.verdict import Control
from ..evidence.counterfactual.fairness import Gap
from ..evidence.files.chance import ChanceResult
from ..evidence.files.tally import StrategyResult
from ..evidence.text.compare import Comparison, Effect
from ..evidence.text.scale import Scale
from ..evidence.words.attribution import Explanation
from ..evidence.words.faithfulness import Faithfulness
from .theme import CHANCE, MASKED, OKABE_ITO, PLAIN, as_text

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
            x=values, y=list(map(as_text, labels)), name=name, orientation="h", marker_color=colour,
            text=[f"{v:.3f}" if comparison.valued else f"{v:.1%}" for v in values],
            textposition="outside", cliponaxis=False,
            hovertemplate="%{y}, " + name + ": %{x:.3f}<extra></extra>",
        )  # fmt: skip
    if chance is not None and chance.draws:
        figure.add_trace(
            _interval(
                [as_text(chance.label)],
                [(chance.low, chance.high)],
                f"other masks of {chance.size}",
                ".3f" if comparison.valued else ".1%",
            )
        )
    figure.update_layout(
        barmode="group", height=70 + 75 * len(labels), bargap=0.35,
        xaxis=_probability("probability", (0, 1.12), comparison.valued),
        yaxis={"automargin": True, "autorange": "reversed"}, **_LAYOUT,
    )  # fmt: skip
    return figure


def _probability(title: str, span: tuple[float, float], regression: bool) -> dict[str, Any]:
    """Return the axis of a probability, or of a regression's value."""
    if regression:
        return {"automargin": True, "zeroline": True, "title": "value"}
    return {**_PERCENT, "range": span, "title": title, "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1]}


def strategies(effects: Sequence[Effect]) -> Any:
    """Return one row per strategy: the figure under it, beside its chance band."""
    import plotly.graph_objects as go

    scale = Scale.of(effects[0].comparison)
    names = [as_text(effect.name) for effect in effects]
    plain = scale.value(effects[0].comparison.original)
    values = [scale.value(effect.comparison.masked) for effect in effects]
    known = [e for e in effects if e.control.draws]
    figure = go.Figure()
    figure.add_trace(
        _interval(
            [as_text(e.name) for e in known],
            [scale.band(e.control)[:2] for e in known],
            "other masks of the set, 95 %",
            scale.digits,
        )
    )
    figure.add_scatter(
        x=values, y=names, mode="markers", name="masked",
        marker={"color": MASKED, "size": 13, "line": {"width": 1, "color": "white"}},
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )  # fmt: skip
    said = f"{plain:{scale.digits}}"
    figure.add_vline(
        x=plain, line={"color": PLAIN, "width": 2, "dash": "dot"},
        annotation={"text": f"plain {said}", "yanchor": "bottom"},
        annotation_position="top",
    )  # fmt: skip
    figure.update_layout(
        height=150 + 34 * len(names),
        xaxis=_axis(scale, (-0.02, 1.02)),
        yaxis={
            "automargin": True,
            "autorange": "reversed",
            "categoryorder": "array",
            "categoryarray": names,
        },
        **{**_LAYOUT, "margin": {"l": 10, "r": 30, "t": 34, "b": 80}},
    )
    figure.update_layout(legend={"yref": "container", "y": 0.02, "yanchor": "bottom"})
    return figure


def _axis(scale: Scale, span: tuple[float, float]) -> dict[str, Any]:
    """Return the axis of the figure that stands beside chance."""
    if scale.bounded:
        return _probability(as_text(scale.name), span, False)
    unit = f", {scale.unit}" if scale.unit else ""
    title = "value" if scale.kind == "value" else f"{as_text(scale.name)}{unit}"
    return {"automargin": True, "zeroline": True, "title": title}


def grid(effects: Sequence[Effect]) -> Any:
    """Return strategies × operators as a heatmap of changes; * is beyond chance, F a flip."""
    import plotly.graph_objects as go

    scale = Scale.of(effects[0].comparison)
    most = 1 if scale.bounded else max(abs(scale.change(e.comparison)) for e in effects) or 1
    names = list(dict.fromkeys(e.name for e in effects))
    operators = list(dict.fromkeys(e.comparison.operator for e in effects))
    found = {(e.name, e.comparison.operator): e for e in effects}
    sign = "Δp" if scale.bounded else f"change {scale.unit}".strip()
    cells = [[found.get((name, operator)) for operator in operators] for name in names]
    figure = go.Figure(
        go.Heatmap(
            x=operators, y=list(map(as_text, names)), zmid=0, zmin=-most, zmax=most,
            colorscale="RdBu", xgap=2, ygap=2,
            z=[[None if e is None else scale.change(e.comparison) for e in row] for row in cells],
            text=[["" if e is None else _cell(e, scale) for e in row] for row in cells],
            texttemplate="%{text}", colorbar={"title": sign, "tickformat": "+.1f"},
            hovertemplate="%{y}, %{x}: " + sign + " %{z:+.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        height=90 + 34 * len(names), xaxis={"side": "top"},
        yaxis={"automargin": True, "autorange": "reversed"}, **_LAYOUT,
    )  # fmt: skip
    return figure


def _cell(effect: Effect, scale: Scale) -> str:
    marks = "*" * bool(effect.beyond_chance) + " F" * effect.comparison.flip
    return f"{scale.change(effect.comparison):+.2f}{marks}"


MOST_WORDS = 60


def words(explanation: Explanation, most: int = MOST_WORDS) -> Any:
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
            customdata=[as_text(word.text) for word in shown],
            hovertemplate="%{customdata}: %{x:+.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        height=70 + 19 * len(shown),
        xaxis={"title": f"score, {_UNITS[explanation.unit]}", "zeroline": True, "side": "top"},
        yaxis={
            "automargin": True, "autorange": "reversed", "type": "category",
            "tickvals": [word.start for word in shown],
            "ticktext": [as_text(word.text, 24) for word in shown],
        },
        **_LAYOUT,
    )  # fmt: skip
    return figure


_UNITS = {
    "Δp": "fall of the probability", "value": "fall of the value", "logit": "logit",
    "ln p": "fall of ln p, nats", "contrast": "fall of the contrast, nats",
    "rank": "rank, 1 stays longest",
    "share": "share of attention", "none": "no unit",
}  # fmt: skip


def curves(found: Mapping[str, Faithfulness], measure: str = "") -> Any:
    """Return deletion (falling) and insertion (dashed, rising) of each method.

    measure: what is measured, where it is no probability.
    """
    import plotly.graph_objects as go

    figure, digits = go.Figure(), ".2f" if measure else ".1%"
    for i, (name, one) in enumerate(found.items()):
        for kind, curve, dash in (("deletion", one.deletion, "solid"),
                                  ("insertion", one.insertion, "dash")):  # fmt: skip
            figure.add_scatter(
                x=curve.shares, y=curve.probabilities, mode="lines", legendgroup=name,
                name=f"{name}, {kind}", line={"color": OKABE_ITO[i % 8], "dash": dash, "width": 2},
                hovertemplate=f"%{{x:.0%}} of words: %{{y:{digits}}}<extra>{kind}</extra>",
            )  # fmt: skip
    figure.update_layout(
        height=360, xaxis={**_PERCENT, "title": "words hidden (deletion) or shown (insertion)"},
        yaxis={"title": as_text(measure)} if measure
        else {**_PERCENT, "title": "probability of the label", "rangemode": "tozero"},
        **_LAYOUT,
    )  # fmt: skip
    return figure


def gaps(arms: Mapping[str, Gap], measure: str = "p") -> Any:
    """Return each arm's CTF gap with its 95 % interval, where there is one."""
    import plotly.graph_objects as go

    values = [gap.ctf_gap for gap in arms.values()]
    whole = [gap.ctf_ci95 or (gap.ctf_gap, gap.ctf_gap) for gap in arms.values()]
    bounds = [(max(0.0, low), high) for low, high in whole]
    figure = go.Figure(
        go.Scatter(
            x=values, y=list(map(as_text, arms)), mode="markers",
            marker={"color": MASKED, "size": 12},
            cliponaxis=False,  # a gap of exactly 0 is a whole dot
            error_x=_whiskers(values, bounds),
            hovertemplate="%{y}: %{x:.4f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        height=90 + 36 * len(values), showlegend=False,
        xaxis={"title": f"CTF gap, mean |Δ{measure}| of a pair, with 95 % interval",
               "rangemode": "tozero", "automargin": True},
        yaxis={"automargin": True, "autorange": "reversed"}, **_LAYOUT,
    )  # fmt: skip
    return figure


def _whiskers(values: Sequence[float], bounds: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Return the interval (low, high) around each value, as Plotly draws it."""
    return {
        "type": "data", "color": MASKED, "thickness": 2, "width": 6,
        "array": [high - value for value, (_, high) in zip(values, bounds, strict=True)],
        "arrayminus": [value - low for value, (low, _) in zip(values, bounds, strict=True)],
    }  # fmt: skip


def _interval(
    names: Sequence[str | int],
    bounds: Sequence[tuple[float, float]],
    name: str,
    digits: str = ".1%",
) -> Any:
    """Return grey intervals (low, high) of what random masks do."""
    import plotly.graph_objects as go

    middle = [(low + high) / 2 for low, high in bounds]
    half = [(high - low) / 2 for low, high in bounds]
    return go.Scatter(
        x=middle, y=list(names), mode="markers", name=name,
        marker={"color": CHANCE, "size": 9, "symbol": "square"},
        error_x={"type": "data", "array": half, "color": CHANCE, "thickness": 9, "width": 0},
        opacity=0.7,
        customdata=list(bounds),
        hovertemplate=(
            f"%{{y}}, chance: %{{customdata[0]:{digits}}} to %{{customdata[1]:{digits}}}"
            "<extra></extra>"
        ),
    )  # fmt: skip


def file_effects(results: Mapping[str, StrategyResult]) -> Any:
    """Return the change in accuracy, or the flip rate, with its interval beside chance.

    `results` has a row for each strategy, or for each value of a column under one strategy.
    """
    import plotly.graph_objects as go

    found, kind = list(results.values()), _kind(list(results.values()))
    sizes = [(value, own or (value, value)) for value, own in (_size(r, kind) for r in found)]
    values, bounds = [value for value, _ in sizes], [within for _, within in sizes]
    sign = {"accuracy": "+.1%", "flips": ".1%"}.get(kind, "+.3~g")
    drawn = {i: _chance_size(r.chance, kind) for i, r in enumerate(found) if r.chance is not None}
    chance = {i: own for i, own in drawn.items() if own is not None}
    figure = go.Figure()
    if chance:
        figure.add_trace(
            _interval(list(chance), list(chance.values()), "random masks of the same size", sign)
        )
    figure.add_scatter(
        x=values, y=list(range(len(found))), mode="markers", name="strategy",
        marker={"color": MASKED, "size": 12},
        error_x=_whiskers(values, bounds),
        customdata=bounds,
        hovertemplate=(
            f"%{{y}}: %{{x:{sign}}}, 95 % %{{customdata[0]:{sign}}} to %{{customdata[1]:{sign}}}"
            "<extra></extra>"
        ),
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": CHANCE, "width": 1})
    figure.update_layout(
        height=130 + 36 * len(found),
        xaxis={
            **_PERCENT, "title": f"{_TITLES[kind]}, with 95 % interval",
            **({"tickformat": sign} if sign == "+.3~g" else {}),
        },
        yaxis={
            "automargin": True, "range": [len(found) - 0.5, -0.5], "zeroline": False,
            "tickvals": list(range(len(found))),
            "ticktext": [as_text(name, 24) for name in results],
        },
        showlegend=bool(chance), **_LAYOUT,
    )  # fmt: skip
    return figure


_TITLES = {
    "accuracy": "accuracy masked − plain",
    "error": "mean absolute error masked − plain",
    "value": "mean value masked − plain",
    "flips": "rows whose label flips",
}


def _kind(results: Sequence[StrategyResult]) -> str:
    """Return what is shown: `accuracy` or `flips`; of a regression `error` or `value`."""
    if all(r.delta_accuracy is not None for r in results):
        return "accuracy"
    if all(r.delta_error is not None for r in results):
        return "error"
    return "value" if all(r.mean_kl is None for r in results) else "flips"


def _size(r: StrategyResult, kind: str) -> tuple[Any, Any]:
    return {
        "accuracy": (r.delta_accuracy, r.ci95), "error": (r.delta_error, r.error_ci95),
        "value": (r.mean_delta, r.delta_ci95), "flips": (r.flip_rate, r.flip_ci95),
    }[kind]  # fmt: skip


def _chance_size(chance: ChanceResult, kind: str) -> tuple[float, float] | None:
    """Return the interval of what random masks do, None where a single row has none."""
    return chance.flip_ci95 if kind == "flips" or chance.ci95 is None else chance.ci95
