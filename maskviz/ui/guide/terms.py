"""One row of the arithmetic as a table: every term that the network adds is a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from maskviz.inside.arithmetic import HeadArithmetic
from maskviz.text.percent import percent

SINK = "(sink)"
_ALIKE = 1e-4  # of the largest weight: what is closer is as large


def table(
    found: HeadArithmetic, allowed: np.ndarray, row: int, tokens: Sequence[str]
) -> pd.DataFrame:
    """Return a row per key: score, biases, the network's own mask, log M, weight, value.

    A column that has nothing to say is left out; the sink, which is no token, is the last row.
    """
    reads = len(tokens)
    columns: dict[str, Any] = {"key": list(tokens), "score q·k/√d": found.scores[row, :reads]}
    for number, bias in enumerate(found.biases, 1):
        name = "bias" if len(found.biases) == 1 else f"bias {number}"
        columns[name] = bias[row, :reads]
    own = own_mask(found, allowed)[row, :reads]
    if not own.all():
        columns["own mask"] = _logarithm(own)
    columns["log M"] = _logarithm(allowed[row, :reads])
    columns["weight"] = found.weights[row, :reads]
    columns["value v₁"] = found.values[:reads, 0]
    columns["weight · v₁"] = found.weights[row, :reads] * found.values[:reads, 0]
    whole = pd.DataFrame(columns)
    if found.sink is None:
        return whole
    sink = {"key": SINK, "score q·k/√d": found.sink[row], "weight": sink_weight(found, row)}
    return pd.concat([whole, pd.DataFrame([sink])], ignore_index=True)


def own_mask(found: HeadArithmetic, allowed: np.ndarray) -> np.ndarray:
    """Return where a network's own mask lets a query attend, as far as M does not forbid it."""
    return found.seen | ~np.asarray(allowed, bool)


def sink_weight(found: HeadArithmetic, row: int) -> float:
    """Return the share of a row's weights that goes to no token."""
    return float(1 - found.weights[row].sum())


def said(found: HeadArithmetic, allowed: np.ndarray, row: int) -> str:
    """Say what stands in the columns that only some architectures have."""
    parts = []
    if found.biases:
        parts.append("A bias is what this architecture adds to a score beside q·k, such as for the "
                     "distance of two tokens.")  # fmt: skip
    if not own_mask(found, allowed)[row].all():
        parts.append("Its own mask (no later tokens, a window, an index) holds beside M.")
    if found.sink is not None:
        share = percent(sink_weight(found, row))
        parts.append(f"Its sink, which is no token, takes {share} of the weights.")
    return " ".join(parts)


def finding(
    tokens: Sequence[str], found: HeadArithmetic, plain: HeadArithmetic, row: int, name: str
) -> str:
    """Say where the chosen row attends most, without a mask and under a matrix of that name."""
    before, after = (_most(one, row, tokens) for one in (plain, found))
    return f"Without a mask “{tokens[row]}” attends most to {before}; under {name} to {after}."


def _most(found: HeadArithmetic, row: int, tokens: Sequence[str]) -> str:
    """Name where most of a row's weight goes, its sink included, and how much."""
    weights = found.weights[row]
    most = float(weights.max())
    sink = 0.0 if found.sink is None else sink_weight(found, row)
    if sink > most:
        return f"its sink, which is no token ({percent(sink)})"
    alike = int((weights >= most * (1 - _ALIKE)).sum())
    if alike > 1:
        return f"{alike} tokens alike ({percent(most)} each)"
    return f"“{tokens[int(weights.argmax())]}” ({percent(most)})"


def _logarithm(seen: np.ndarray) -> np.ndarray:
    return np.where(seen, "0", "−∞")
