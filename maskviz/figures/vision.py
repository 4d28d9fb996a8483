"""Figures of an image: its patches, the attention over them, the answers plain and masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .ramps import Theme, plotly_scale
from .theme import MASKED, PLAIN, as_text

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ..vision import Look, PatchMask

_SHOWN = 5  # labels


def picture(look: Look, mask: PatchMask | None = None) -> go.Figure:
    """Draw what the model was shown; hidden patches get an outline and a veil."""
    import plotly.graph_objects as go

    figure = go.Figure(go.Image(z=look.pixels, hoverinfo="skip"))
    return _square(figure, look, mask, "rgba(213,94,0,0.28)")


def attention(look: Look, mask: PatchMask | None = None, theme: Theme = "light") -> go.Figure:
    """Draw the attention over the patches, each cell its share of the whole; hidden ones framed."""
    import plotly.graph_objects as go

    high, wide = _cell(look)
    rows, columns = look.shape
    figure = go.Figure(
        go.Heatmap(
            z=look.attention, x=[(c + 0.5) * wide - 0.5 for c in range(columns)],
            y=[(r + 0.5) * high - 0.5 for r in range(rows)], colorscale=plotly_scale(False, theme),
            showscale=False, zmin=0, hovertemplate="%{z:.1%} of the attention<extra></extra>",
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    return _square(figure, look, mask)


def _cell(look: Look) -> tuple[float, float]:
    rows, columns = look.shape
    return look.pixels.shape[0] / rows, look.pixels.shape[1] / columns


def _square(
    figure: go.Figure, look: Look, mask: PatchMask | None, veil: str = "rgba(0,0,0,0)"
) -> go.Figure:
    high, wide = _cell(look)
    hidden = [divmod(number, mask.columns) for number in mask.hidden] if mask else []
    for row, column in hidden:
        figure.add_shape(
            type="rect", x0=column * wide - 0.5, x1=(column + 1) * wide - 0.5,
            y0=row * high - 0.5, y1=(row + 1) * high - 0.5,
            line={"color": MASKED, "width": 2}, fillcolor=veil,
        )  # fmt: skip
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, scaleanchor="x")
    figure.update_layout(height=220, margin={"l": 0, "r": 0, "t": 4, "b": 4})
    return figure


def answers(plain: Look, masked: Look) -> Any:
    """Draw the five likeliest labels, plain and masked."""
    import plotly.graph_objects as go

    names = list(plain.probabilities)[:_SHOWN]
    if masked.label not in names:
        names[-1] = masked.label
    figure = go.Figure()
    for name, colour, look in (("plain", PLAIN, plain), ("masked", MASKED, masked)):
        values = [look.probabilities[label] for label in names]
        figure.add_bar(
            x=values, y=list(map(as_text, names)), name=name, orientation="h", marker_color=colour,
            text=[f"{v:.1%}" for v in values], textposition="outside", cliponaxis=False,
        )  # fmt: skip
    figure.update_layout(
        barmode="group", height=80 + 46 * len(names), margin={"l": 8, "r": 40, "t": 8, "b": 8},
        xaxis={"tickformat": ".0%", "range": [0, 1.12], "title": {"text": "probability"}},
        yaxis={"type": "category", "autorange": "reversed", "automargin": True},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    return figure
