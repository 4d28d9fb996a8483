"""What the planted-distractor experiment found, in plain sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .interference import Interference

LARGE = 0.1  # a reliance under ten points is called small
EXPECTED_RECOVERY = 0.9


def finding(result: Interference) -> str:
    """Say how much the plain arm leans on the distractor and what hiding wins back."""
    kind = result.experiment.kind
    if not result.cells["plain"]:
        return "No seed is finished yet."
    mean, low, high = result.arms["plain"]["reliance"]
    seeds = len(result.cells["plain"])
    opening = (
        f"Trained on plain text, the model loses {points(mean)} of accuracy when the {kind} turns "
        f"against the label ({points(low)} to {points(high)}, {seeds} seeds)"
    )
    if mean < LARGE:
        return f"{opening}: it hardly leans on it, so there is little to win back."
    said = [
        f"{name} {recovered(result, name)}"
        for name in ("attribute", "entity", "oracle", "random", "key")
        if name in result.arms
    ]
    few = " So few seeds tell little: the interval reaches over 0." if low <= 0 else ""
    return f"{opening}. Hiding wins back: {', '.join(said)}.{few}"


def recovered(result: Interference, arm: str) -> str:
    """Return an arm's recovery with its interval: `97 % (90 to 104)`."""
    mean, low, high = result.arms[arm]["recovery"]
    if math.isnan(mean):
        return "nothing to measure"
    return f"{100 * mean:.0f}\u00a0% ({100 * low:.0f} to {100 * high:.0f})"


def points(share: float) -> str:
    """Return a difference of accuracies in percentage points."""
    return f"{100 * share:.1f} points"


def verdicts(result: Interference) -> list[tuple[str, bool, str]]:
    """Return each part of the claim, whether the figures bear it out, and the figures.

    The claim: a model trained on plain text leans on the distractor; hiding the attribute wins at
    least 0.9 of that back; hiding as much at random wins back nothing.
    """
    arms = result.arms
    lean = arms["plain"]["reliance"]
    rows = [
        (
            f"The plain arm leans on the {result.experiment.kind} (reliance over {LARGE:.0%})",
            lean[0] >= LARGE and lean[1] > 0,
            f"reliance {points(lean[0])}, {points(lean[1])} to {points(lean[2])}",
        )
    ]
    if "attribute" in arms:
        mean = arms["attribute"]["recovery"][0]
        holds = mean >= EXPECTED_RECOVERY
        rows.append(("Hiding attributes wins back 90 % or more", holds, _said(result, "attribute")))
    if "random" in arms:
        mean, low, _ = arms["random"]["recovery"]
        holds = abs(mean) < LARGE or low <= 0
        rows.append(("Hiding as much at random wins back nothing", holds, _said(result, "random")))
    if "attribute" in arms:
        rows.append(_cost(result))
    return rows


def _said(result: Interference, arm: str) -> str:
    return f"recovery {recovered(result, arm)}"


def _cost(result: Interference) -> tuple[str, bool, str]:
    """Whether hiding costs accuracy where the distractor says nothing."""
    from .intervals import difference

    plain, masked = (
        [row["accuracy_neutral"] for row in result.cells[arm]] for arm in ("plain", "attribute")
    )
    mean, low, high = difference(plain, masked)
    said = f"accuracy neutral {points(mean)} ({points(low)} to {points(high)}), paired by seed"
    return ("Accuracy may fall a little where the attribute says nothing", low > -0.05, said)


__all__ = ["finding", "points", "recovered", "verdicts"]
