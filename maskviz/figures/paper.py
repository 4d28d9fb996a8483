"""Charts as files for a paper: what Plotly shows in the browser, drawn again as PNG, SVG or PDF.

Drawn by matplotlib from the figure's own data (bars, points and lines with their intervals,
heatmaps, pictures, lines across and rectangles), so that no browser is needed. Letters are
outlines in SVG and TrueType in PDF, for every script that an installed font has.
"""

from __future__ import annotations

import html
import io
import math
import re
from collections.abc import Sequence
from typing import Any

from ..errors import MissingDependencyError, ParameterError
from .fonts import set_fonts

KINDS = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}
INCHES = 6.5
_DASHES = {"dash": "--", "dot": ":", "dashdot": "-."}
_MARKS = {"square": "s", "diamond": "D", "x": "x", "cross": "P", "line-ns": "|"}
_PIXEL = 0.75  # points
_TAG = re.compile(r"<[^<>]+>")


def chart_bytes(figure: Any, kind: str, title: str = "", inches: float = INCHES) -> bytes:
    """Return a Plotly figure as a file of `kind`, one of KINDS.

    Raises ParameterError for another kind, MissingDependencyError without matplotlib or a font.
    """
    if kind not in KINDS:
        raise ParameterError(f"A chart is written as {', '.join(KINDS)}, not as {kind!r}.")
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingDependencyError(
            "Charts as files need matplotlib: pip install 'maskviz[figures]'."
        ) from error
    drawn = redrawn(figure, title, inches)
    set_fonts(drawn)
    buffer = io.BytesIO()
    # 42 embeds fonts as TrueType, which journals ask for; no date: the same chart, the same bytes.
    when = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
    with mpl.rc_context({"pdf.fonttype": 42, "svg.hashsalt": "maskviz"}):
        drawn.savefig(buffer, format=kind, dpi=300, metadata=when, bbox_inches="tight")
    return buffer.getvalue()


def redrawn(figure: Any, title: str = "", inches: float = INCHES) -> Any:
    """Return a matplotlib figure of a Plotly figure, `inches` wide."""
    from matplotlib.figure import Figure

    layout = figure.layout
    high = (layout.height or 320) / 100
    drawn = Figure(figsize=(inches, max(1.6, high)), layout="constrained")
    axes = drawn.add_subplot()
    across = _Axis(layout.xaxis, [v for t in figure.data for v in _values(t, "x")])
    up = _Axis(layout.yaxis, [v for t in figure.data for v in _values(t, "y")])
    bars = [trace for trace in figure.data if trace.type == "bar"]
    for trace in figure.data:
        if trace.type not in _DRAWN:
            raise ParameterError(f"A chart with {trace.type!r} cannot be written as a file.")
        _DRAWN[trace.type](axes, trace, across, up, bars, layout)
    for shape in layout.shapes:
        _shape(axes, shape, across, up)
    for note in layout.annotations:
        _note(axes, note, across, up)
    if not any(trace.type in ("heatmap", "image") for trace in figure.data):
        axes.grid(visible=True, color="#E3E7EA", linewidth=0.6)
        axes.set_axisbelow(True)
    across.finish(axes, "x")
    up.finish(axes, "y")
    _legend(axes, figure)
    written = title or _text(layout.title.text)
    if written:
        axes.set_title(written, fontsize=10, loc="left")
    return drawn


class _Axis:
    """Where the values of an axis stand: numbers as they are, names one after the other."""

    def __init__(self, layout: Any, values: Sequence[Any]) -> None:
        self.layout = layout
        named = layout.type == "category" or any(isinstance(v, str) for v in values)
        order = [*(layout.categoryarray or ()), *values] if named else []
        self.names: dict[Any, int] = {}
        for value in order:
            self.names.setdefault(value, len(self.names))

    def place(self, value: Any) -> float:
        """Return where a value stands; a number among names is a place already."""
        if value is None:
            return math.nan
        return float(self.names.get(value, value) if self.names else value)

    def places(self, values: Any) -> list[float]:
        return [self.place(value) for value in values]

    def finish(self, axes: Any, which: str) -> None:
        """Set ticks, title and range as Plotly has them."""
        axis, layout = getattr(axes, f"{which}axis"), self.layout
        if layout.visible is False:
            axis.set_visible(False)
        _ticks(axis, layout, self)
        axis.set_label_text(_text(layout.title.text), fontsize=9)
        axis.set_tick_params(labelsize=8)
        if layout.side == "top":
            axis.tick_top()
            axis.set_label_position("top")
        if layout.range is not None:
            getattr(axes, f"set_{which}lim")(*(float(bound) for bound in layout.range))
        elif self.names and which == "y":
            axes.set_ylim(-0.5, len(self.names) - 0.5)
        if layout.autorange == "reversed" and layout.range is None:
            axis.set_inverted(True)
        if layout.rangemode == "tozero" and layout.range is None:
            getattr(axes, f"set_{which}lim")(**{"left" if which == "x" else "bottom": 0})


def _ticks(axis: Any, layout: Any, own: _Axis) -> None:
    from matplotlib.ticker import FuncFormatter

    if layout.tickvals is not None:
        shown = layout.ticktext if layout.ticktext is not None else None
        labels = None if shown is None else [_text(text) for text in shown]
        axis.set_ticks(own.places(layout.tickvals), labels=labels)
    elif own.names:
        axis.set_ticks(range(len(own.names)), labels=[_text(str(name)) for name in own.names])
    written = (layout.tickformat or "").replace("~", "")
    if written and layout.ticktext is None and not own.names:
        axis.set_major_formatter(FuncFormatter(lambda value, _: format(value, written)))


def _scatter(axes: Any, trace: Any, across: _Axis, up: _Axis, bars: Any, layout: Any) -> None:
    x, y = across.places(_values(trace, "x")), up.places(_values(trace, "y"))
    modes = trace.mode or "lines"
    line, marker = trace.line, trace.marker
    colour = _colour(marker.color if "markers" in modes and marker.color else line.color)
    if trace.fill == "toself":
        axes.fill(x, y, color=_colour(trace.fillcolor), linewidth=0)
        return
    _errors(axes, trace, x, y)
    axes.plot(
        x, y, color=colour, label=_text(trace.name or ""), alpha=trace.opacity or 1,
        linestyle=_DASHES.get(line.dash or "", "-") if "lines" in modes else "none",
        linewidth=(line.width or 2) * _PIXEL,
        marker=_MARKS.get(str(marker.symbol), "o") if "markers" in modes else None,
        markersize=_number(marker.size, 6) * _PIXEL, zorder=3,
        clip_on=trace.cliponaxis is not False,
    )  # fmt: skip


def _errors(axes: Any, trace: Any, x: list[float], y: list[float]) -> None:
    for which, error in (("xerr", trace.error_x), ("yerr", trace.error_y)):
        if error.array is None:
            continue
        more = list(error.array)
        less = list(error.arrayminus) if error.arrayminus is not None else more
        size = [[abs(_or_zero(v)) for v in less], [abs(_or_zero(v)) for v in more]]
        axes.errorbar(
            x, y, **{which: size}, fmt="none", ecolor=_colour(error.color),
            alpha=trace.opacity or 1, elinewidth=(error.thickness or 2) * _PIXEL,
            capsize=(error.width or 0) * _PIXEL / 2, zorder=2,
        )  # fmt: skip


def _bar(axes: Any, trace: Any, across: _Axis, up: _Axis, bars: Any, layout: Any) -> None:
    flat = trace.orientation == "h"
    count, gap = len(bars), layout.bargap if layout.bargap is not None else 0.2
    thick = (1 - gap) / count
    shift = (bars.index(trace) - (count - 1) / 2) * thick
    x, y = across.places(_values(trace, "x")), up.places(_values(trace, "y"))
    at, sizes = (y, x) if flat else (x, y)
    colours = trace.marker.color
    colour = _colour(colours) if colours is None or isinstance(colours, str) else [
        _colour(c) for c in colours
    ]  # fmt: skip
    draw = axes.barh if flat else axes.bar
    drawn = draw([a + shift for a in at], sizes, thick, color=colour, label=_text(trace.name or ""))
    if trace.text is not None:
        axes.bar_label(drawn, [_text(str(text)) for text in trace.text], padding=2, fontsize=8)


def _heatmap(axes: Any, trace: Any, across: _Axis, up: _Axis, bars: Any, layout: Any) -> None:
    import numpy as np

    z = np.array([[math.nan if v is None else float(v) for v in row] for row in trace.z])
    x, y = across.places(trace.x), up.places(trace.y)
    low = trace.zmin if trace.zmin is not None else np.nanmin(z)
    high = trace.zmax if trace.zmax is not None else np.nanmax(z)
    right, down = _half_cell(x), _half_cell(y)
    extent = (x[0] - right, x[-1] + right, y[-1] + down, y[0] - down)
    colours = _scale(trace)
    drawn = axes.imshow(z, cmap=colours, vmin=low, vmax=high, extent=extent, aspect="auto")
    if trace.showscale is not False:
        bar = axes.figure.colorbar(drawn, ax=axes, shrink=0.8)
        bar.ax.tick_params(labelsize=8)
        bar.set_label(_text(trace.colorbar.title.text), fontsize=8)
    for row, text in zip(y, trace.text if trace.text is not None else (), strict=False):
        for column, cell in zip(x, text, strict=False):
            axes.text(column, row, _text(str(cell)), ha="center", va="center", fontsize=8)


def _half_cell(places: Sequence[float]) -> float:
    """Return half the distance between two cells; a single one is one wide."""
    return (places[-1] - places[0]) / (len(places) - 1) / 2 if len(places) > 1 else 0.5


def _scale(trace: Any) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    given = [(float(place), _colour(colour)) for place, colour in trace.colorscale]
    if trace.reversescale:
        given = [(1 - place, colour) for place, colour in reversed(given)]
    return LinearSegmentedColormap.from_list("of the chart", given)


def _image(axes: Any, trace: Any, across: _Axis, up: _Axis, bars: Any, layout: Any) -> None:
    import numpy as np

    axes.imshow(np.asarray(trace.z))


_DRAWN = {"scatter": _scatter, "bar": _bar, "heatmap": _heatmap, "image": _image}


def _shape(axes: Any, shape: Any, across: _Axis, up: _Axis) -> None:
    """Draw a line across or down, or a rectangle."""
    colour, width = _colour(shape.line.color), (shape.line.width or 0) * _PIXEL
    style = _DASHES.get(shape.line.dash or "", "-")
    whole = {"x": "domain" in str(shape.xref), "y": "domain" in str(shape.yref)}
    if shape.type == "line" and whole["y"]:
        axes.axvline(across.place(shape.x0), color=colour, linewidth=width, linestyle=style)
    elif shape.type == "line" and whole["x"]:
        axes.axhline(up.place(shape.y0), color=colour, linewidth=width, linestyle=style)
    elif shape.type == "rect" and whole["x"]:
        fill = _colour(shape.fillcolor)
        axes.axhspan(shape.y0, shape.y1, color=fill, alpha=shape.opacity, linewidth=0)
    elif shape.type == "rect":
        from matplotlib.patches import Rectangle

        size = (shape.x1 - shape.x0, shape.y1 - shape.y0)
        fill = _colour(shape.fillcolor) if shape.fillcolor else "none"
        axes.add_patch(Rectangle((shape.x0, shape.y0), *size, ec=colour, fc=fill, linewidth=width))


def _note(axes: Any, note: Any, across: _Axis, up: _Axis) -> None:
    wide, tall = "domain" in str(note.xref), "domain" in str(note.yref)
    kinds = {
        (False, False): axes.transData,
        (True, True): axes.transAxes,
        (False, True): axes.get_xaxis_transform(),
        (True, False): axes.get_yaxis_transform(),
    }
    x = float(note.x) if wide else across.place(note.x)
    y = float(note.y) if tall else up.place(note.y)
    side = {"left": "left", "right": "right"}.get(str(note.xanchor), "center")
    axes.text(
        x, y, _text(note.text), transform=kinds[wide, tall], fontsize=8, ha=side, va="bottom",
        clip_on=False,
    )  # fmt: skip


def _legend(axes: Any, figure: Any) -> None:
    named = [t for t in figure.data if t.name and t.showlegend is not False]
    wanted = figure.layout.showlegend
    if wanted is False or not named or (len(named) < 2 and not wanted):
        return
    handles, labels = axes.get_legend_handles_labels()
    shown = {_text(t.name) for t in named}
    kept = [(h, label) for h, label in zip(handles, labels, strict=True) if label in shown]
    if kept:
        axes.figure.legend(
            *zip(*kept, strict=True), loc="outside lower left", ncols=2, fontsize=8, frameon=False
        )


def _values(trace: Any, name: str) -> list[Any]:
    found = getattr(trace, name, None) if trace.type != "image" else None
    return [] if found is None else [v.item() if hasattr(v, "item") else v for v in found]


def _number(value: Any, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default


def _or_zero(value: Any) -> float:
    return 0.0 if value is None or value != value else float(value)


def _colour(written: Any) -> Any:
    """Return a colour as matplotlib takes it: rgb(…) and rgba(…) as shares.

    >>> _colour("rgba(255,0,0,0.5)"), _colour("#0072B2")
    ((1.0, 0.0, 0.0, 0.5), '#0072B2')
    """
    if not written:
        return "#3B4252"
    found = re.fullmatch(r"rgba?\(([^)]*)\)", str(written).strip())
    if found is None:
        return str(written)
    parts = [float(part) for part in found[1].split(",")]
    return (*(part / 255 for part in parts[:3]), *parts[3:])


def _text(written: str | None) -> str:
    """Return a label as it is read: without the tags that Plotly obeys, a $ as a $."""
    return html.unescape(_TAG.sub("", written or "")).replace("$", r"\$")
