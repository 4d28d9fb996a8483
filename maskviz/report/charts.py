"""Charts of a report: small SVG made by hand, so that no library has to travel in the file.

Each mark carries its figures in `data-tip`, which the page's script shows to a pointer or a
focused key; without the script they are read in the `<title>` of each mark. They are narrow, with
the names above the marks, so that a phone shows a whole chart in letters that can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..text.percent import percent
from .document import attribute, escape

_WIDTH = 420
_LEFT = 18  # room for half of the first label of an axis
_RIGHT = 60
_ROW = 44  # of a name and what stands under it
_SPAN = _WIDTH - _LEFT - _RIGHT


def bars(names: Sequence[str], plain: Sequence[float], masked: Sequence[float], label: str) -> str:
    """Return pairs of bars, one pair per name; values in [0, 1]."""
    rows = []
    for i, name in enumerate(names):
        top = 24 + 70 * i
        rows.append(_name(name, top - 8))
        pairs = ((plain[i], "plain", "text as it is"), (masked[i], "masked", "words hidden"))
        for k, (value, kind, said) in enumerate(pairs):
            y = top + 22 * k
            tip = f"{name}, {said}: {percent(value, 1)}"
            rows.append(
                f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{max(1, value * _SPAN):.1f}" '
                f'height="18" rx="2" {_tip(tip)}>{_title(tip)}</rect>'
                f'<text x="{_LEFT + value * _SPAN + 6:.1f}" y="{y + 14}">{percent(value, 1)}</text>'
            )
    return _svg("".join(rows), 70 * len(names), label)


def intervals(
    rows: Sequence[tuple[str, float, float, float, str]], label: str, signed: bool = False
) -> str:
    """Return a dot with its interval per row (name, mean, low, high, kind).

    kind is the class of colour: plain, masked or chance. An interval that is not a number is left
    out. Values are shares; `signed` shows differences around a line at 0.
    """
    known = [v for row in rows for v in row[1:4] if v == v]
    low, high = (min([0.0, *known]), max([0.0, *known])) if signed else _range(known)
    span = high - low or 1.0

    def place(value: float) -> float:  # a share beyond the axis, as of few seeds, ends with it
        return _LEFT + (min(max(value, low), high) - low) / span * _SPAN

    parts = [_axis(place, low, high, len(rows), signed)]
    for i, (name, mean, bottom, top, kind) in enumerate(rows):
        y = 30 + _ROW * i
        tip = f"{name}: {_figure(mean, signed)}"
        parts.append(_name(name, y - 13))
        if bottom == bottom:
            tip += f", 95 % between {_figure(bottom, signed)} and {_figure(top, signed)}"
            parts.append(
                f'<line class="{kind} band" x1="{place(bottom):.1f}" x2="{place(top):.1f}" '
                f'y1="{y}" y2="{y}" stroke-width="8" stroke-linecap="round"/>'
            )
        parts.append(
            f'<circle class="{kind}" cx="{place(mean):.1f}" cy="{y}" r="6" {_tip(tip)}>'
            f"{_title(tip)}</circle>"
            f'<text x="{_WIDTH - _RIGHT + 8}" y="{y + 5}">{_figure(mean, signed)}</text>'
        )
    return _svg("".join(parts), _ROW * len(rows) + 34, label)


def lines(
    series: Sequence[tuple[str, str, Sequence[tuple[float, float]]]], label: str, unit: str
) -> str:
    """Return curves (name, kind, points (x, y)); y are shares."""
    points = [p for _, _, row in series for p in row]
    if not points:
        return '<p class="note">Nothing was measured on the way.</p>'
    x_high = max(x for x, _ in points) or 1
    low, high = _range([y for _, y in points])
    height = 220

    def at(x: float, y: float) -> tuple[float, float]:
        return 50 + x / x_high * (_WIDTH - 70), 10 + (high - y) / (high - low) * (height - 50)

    parts = []
    for share in (low, (low + high) / 2, high):
        y = at(0, share)[1]
        parts.append(f'<line class="axis" x1="50" x2="{_WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="soft" x="0" y="{y + 4:.1f}">{percent(share, 0)}</text>')
    for i, (name, kind, row) in enumerate(series):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*p) for p in row))
        parts.append(
            f'<polyline class="{kind}" style="fill:none" stroke-width="2" points="{path}"/>'
        )
        for p in row:
            x, y = at(*p)
            tip = f"{name}, {unit} {p[0]:g}: {percent(p[1], 1)}"
            parts.append(
                f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4" {_tip(tip)}>'
                f"{_title(tip)}</circle>"
            )
        left = 8 + (_WIDTH - 8) // len(series) * i
        parts.append(f'<circle class="{kind}" cx="{left}" cy="{height - 8}" r="5"/>')
        parts.append(f'<text x="{left + 10}" y="{height - 4}">{escape_svg(name)}</text>')
    right = f'<text class="soft" x="{_WIDTH - 20}" y="{height - 24}" '
    right += f'text-anchor="end">{unit} {x_high:g}</text>'
    return _svg("".join([*parts, right]), height, label)


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Return limits in [0, 1] with a little air, at least five points apart."""
    low, high = max(0.0, min(values) - 0.02), min(1.0, max(values) + 0.02)
    return (low, high) if high - low >= 0.05 else (max(0.0, low - 0.05), min(1.0, high + 0.05))


def _axis(place: Callable[[float], float], low: float, high: float, rows: int, signed: bool) -> str:
    bottom = _ROW * rows + 4
    parts = []
    for i in range(5):
        value = low + (high - low) * i / 4
        parts.append(
            f'<line class="axis" x1="{place(value):.1f}" x2="{place(value):.1f}" y1="4" '
            f'y2="{bottom}"/><text class="soft" x="{place(value):.1f}" y="{bottom + 18}" '
            'text-anchor="middle">'
            f"{_figure(value, signed, 0)}</text>"
        )
    if signed:
        x = place(0.0)
        parts.append(f'<line class="chance" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{bottom}"/>')
    return "".join(parts)


def _figure(value: float, signed: bool, digits: int = 1) -> str:
    return percent(value, digits, signed=signed)


def _name(name: str, y: float) -> str:
    short = name if len(name) <= 50 else name[:49] + "…"
    return f'<text x="0" y="{y:.0f}">{escape_svg(short)}</text>'


def escape_svg(text: str) -> str:
    """Return text for inside SVG, where no HTML element may stand: marks of direction go."""
    return attribute(text)


def _tip(text: str) -> str:
    return f'data-tip="{attribute(text)}"'


def _title(text: str) -> str:
    return f"<title>{attribute(text)}</title>"


def _svg(body: str, height: float, label: str) -> str:
    return (
        f'<div class="chart"><svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" '
        f'aria-label="{attribute(label)}">{body}</svg></div>'
    )


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table; numbers already written as text."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
