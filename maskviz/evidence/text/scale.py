"""The one figure that stands beside chance: what it is called, its unit, and how it is written.

p           a probability, in percent
value       a regression's value
ln p        the log-probability of an answer in words, in nats
contrast    ln p(A) − ln p(B) of two tokens, in nats
"""

from __future__ import annotations

from dataclasses import dataclass

from ...readings.labels import Prediction
from ...text.percent import number, percent
from ..chance.verdict import Control
from .compare import Comparison

_NAMED = 40  # characters of an output in the name of a figure


@dataclass(frozen=True)
class Scale:
    """What is measured of the output `label`; kind is `p`, `value`, `ln p` or `contrast`.

    against: the other token of a contrast.
    """

    label: str
    kind: str = "p"
    against: str = ""

    @classmethod
    def of(cls, comparison: Comparison) -> Scale:
        """Return the scale of a comparison: of what was asked for, else of the plain answer."""
        label = comparison.subject or comparison.original.label
        if "contrast" in comparison.detail:
            return cls(label, "contrast", next(name for name in comparison.delta if name != label))
        if comparison.head == "likelihood":
            return cls(label, "ln p")
        return cls(label, "value" if comparison.valued else "p")

    @property
    def name(self) -> str:
        """What the figure is called, as on an axis."""
        if self.kind == "contrast":
            return f"ln p({visible(self.label)}) − ln p({visible(self.against)})"
        if self.kind == "ln p":
            return f"ln p of “{shortened(self.label, _NAMED)}”"
        return self.label if self.kind == "value" else f"p({visible(self.label)})"

    @property
    def unit(self) -> str:
        """The unit of a change, as a table's head has it."""
        return {"p": "points", "value": "", "ln p": "nats", "contrast": "nats"}[self.kind]

    @property
    def bounded(self) -> bool:
        """Whether it is a probability."""
        return self.kind == "p"

    @property
    def digits(self) -> str:
        """How a value is written, as Python and Plotly say it."""
        return {"p": ".1%", "value": ".3f"}.get(self.kind, ".2f")

    def value(self, prediction: Prediction) -> float:
        """Return the figure of an answer."""
        found = prediction.log_odds if self.kind == "contrast" else prediction.probabilities
        return found[self.label]

    def change(self, comparison: Comparison) -> float:
        """Return masked − plain."""
        return self.value(comparison.masked) - self.value(comparison.original)

    def band(self, chance: Control) -> tuple[float, float, float]:
        """Return (low, high, mean) of the other masks: their middle 95 % and mean.

        Of a contrast it is over the log-odds among the two.
        """
        import numpy as np

        if self.kind != "contrast" or not chance.draws:
            return chance.low, chance.high, chance.mean
        p = np.clip(np.asarray(chance.probabilities), 1e-15, 1 - 1e-15)
        odds = np.log(p) - np.log1p(-p)
        low, high = np.quantile(odds, [0.025, 0.975])
        return float(low), float(high), float(odds.mean())

    def said(self, value: float) -> str:
        """Return a value as a sentence has it."""
        return percent(value) if self.bounded else number(value, self.digits)


def shortened(text: str, most: int = 60) -> str:
    """Return the beginning of a text in one line.

    >>> shortened(" Rome.\\n\\nIt is")
    'Rome. It is'
    """
    flat = " ".join(text.split()) or visible(text)
    return flat if len(flat) <= most else f"{flat[: most - 1].rstrip()}…"


def visible(token: str) -> str:
    """Return a token with the white space at its ends shown, and line breaks everywhere.

    >>> visible(" Rome"), visible("\\n"), visible("New York")
    ('␣Rome', '⏎', 'New York')
    """
    inner = token.strip(" ")
    start = len(token) - len(token.lstrip(" "))
    ends = "␣" * start, "␣" * (len(token) - start - len(inner))
    return ends[0] + inner.replace("\n", "⏎").replace("\t", "⇥") + ends[1]
