"""How a measure is written: a share in per cent, a gap of two shares in points, a loss in nats."""

from __future__ import annotations

from ..text.percent import number, percent

LOSS, RELIANCE = "loss", "reliance"


def number_said(measure: str, value: float, signed: bool = False) -> str:
    """Return the bare number, as a table has it whose head names the unit.

    >>> number_said("loss", 1.5764), number_said("accuracy", -0.031, signed=True)
    ('1.576', '−3.1')
    """
    sign = "+" if signed else ""
    return number(value, f"{sign}.3f") if measure == LOSS else number(100 * value, f"{sign}.1f")


def unit_of(measure: str) -> str:
    """Return the unit in which `number_said` writes a measure; that of its differences is points.

    >>> unit_of("loss"), unit_of("accuracy")
    ('nats', '%')
    """
    return {LOSS: "nats", RELIANCE: "points"}.get(measure, "%")


def figure_said(measure: str, value: float) -> str:
    """Return a measure with its unit.

    >>> figure_said("loss", 1.5764), figure_said("reliance", 0.31)
    ('1.576 nats', '31.0 points')
    """
    if unit_of(measure) == "%":
        return percent(value, 1)
    return f"{number_said(measure, value)} {unit_of(measure)}"


def change_said(measure: str, value: float) -> str:
    """Return a difference of a measure with its sign and unit: two shares differ by points.

    >>> change_said("accuracy", -0.031)
    '−3.1 points'
    """
    unit = "nats" if measure == LOSS else "points"
    return f"{number_said(measure, value, signed=True)} {unit}"


def on_axis(measure: str) -> str:
    """Return how Plotly writes a value of the measure."""
    return ".3f" if measure == LOSS else ".1%"
