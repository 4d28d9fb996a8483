"""What the planted-distractor experiment found, in plain sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ...text.percent import number, percent, points

if TYPE_CHECKING:
    from .result import Interference

LARGE = 0.1  # a reliance under ten points is called small
EXPECTED_RECOVERY = 0.9


def finding(result: Interference) -> str:
    """Say how much the plain arm leans on the distractor and what hiding wins back."""
    kind = result.experiment.planted
    if not result.cells["plain"]:
        return "No seed is finished yet."
    mean, low, high = result.arms["plain"]["reliance"]
    seeds = len(result.cells["plain"])
    ends = span(low, high) if mean >= 0 else span(-high, -low)  # of what is gained
    measured = f"{ends}, {seeds} seeds" if low == low else "one seed, no interval"
    opening = (
        f"Trained on plain text, the model {'gains' if mean < 0 else 'loses'} {points(abs(mean))} "
        f"of accuracy when the {kind} turns against the label ({measured})"
    )
    if low != low:
        return f"{opening}: no verdict."
    if -LARGE < low <= high < LARGE:
        return f"{opening}: it hardly leans on it, so there is little to win back."
    if high < LARGE:
        return f"{opening}: that it leans on it is not borne out, so there is nothing to win back."
    if mean < LARGE:
        return f"{opening}: so few seeds cannot tell whether it leans on it."
    said = [
        f"{name} {recovered(result, name)}"
        for name in ("attribute", "entity", "oracle", "random", "key")
        if name in result.arms
    ]
    few = " So few seeds tell little: the interval reaches over 0." if low <= 0 else ""
    return f"{opening}. Hiding wins back: {', '.join(said)}.{few}{_against(result)}"


def _against(result: Interference) -> str:
    """Say which parts of the claim the figures speak against."""
    failed = [f"“{claim}” does not hold" for claim, holds, _ in verdicts(result) if holds is False]
    return f" Against the claim: {'; '.join(failed)}." if failed else ""


def recovered(result: Interference, arm: str) -> str:
    """Return an arm's recovery with its interval: `97 % (90 to 104)`."""
    mean, low, high = result.arms[arm]["recovery"]
    if math.isnan(mean):
        return "nothing to measure"
    within = f"{100 * low:.0f} to {100 * high:.0f}" if low == low else "no interval"
    return f"{percent(mean, 0)} ({within})".replace("-", "−")


def span(low: float, high: float) -> str:
    """Return an interval of differences: `26.1 to 35.2`; one seed has none."""
    if low != low:
        return "no interval"
    return f"{number(100 * low, '.1f')} to {number(100 * high, '.1f')}"


def verdicts(result: Interference) -> list[tuple[str, bool | None, str]]:
    """Return each part of the claim, whether the figures bear it out, and the figures.

    None is where they cannot tell: nothing is won back of what was never lost.

    The claim: a model trained on plain text leans on the distractor; hiding the attribute wins at
    least 0.9 of that back; hiding as much at random wins back nothing.
    """
    arms = result.arms
    lean = arms["plain"]["reliance"]
    leans = _beyond(lean, LARGE, at_least=0.0)
    rows: list[tuple[str, bool | None, str]] = [
        (
            f"The plain arm leans on the {result.experiment.planted} "
            f"(reliance over {percent(LARGE, 0)})",
            leans,
            f"reliance {points(lean[0])} ({span(*lean[1:])})",
        )
    ]
    rows += [_recovery(result, arm, leans) for arm in ("attribute", "random") if arm in arms]
    if "attribute" in arms:
        rows.append(_cost(result))
    return rows


def _beyond(
    figure: tuple[float, float, float], limit: float, at_least: float | None = None
) -> bool | None:
    """Whether a figure (mean, low, high) is over a limit; None where its interval cannot tell.

    With `at_least` the mean must be over the limit and the interval over that.
    """
    mean, low, high = figure
    if high < limit:
        return False
    if at_least is None:
        return True if low >= limit else None
    return True if low > at_least and mean >= limit else None


def _recovery(result: Interference, arm: str, leans: bool | None) -> tuple[str, bool | None, str]:
    """Whether an arm wins back what the claim says; None where nothing was lost, or to tell."""
    figure = result.arms[arm]["recovery"]
    mean, low, high = figure
    said = _said(result, arm)
    if arm == "random":
        claim = "Hiding as much at random wins back nothing"
        holds = False if low > 0 or high < 0 else True if -LARGE <= low <= high <= LARGE else None
        said += ": it makes the reliance larger" if holds is False and mean < 0 else ""
    else:
        claim = "Hiding attributes wins back 90 % or more"
        holds = _beyond(figure, EXPECTED_RECOVERY)
    if leans is None:
        return claim, None, "whether the plain arm leans on it cannot be told"
    if not leans:
        return claim, None, "the plain arm leans too little to tell"
    return claim, holds, said + ("; the interval is too wide to tell" if holds is None else "")


def _said(result: Interference, arm: str) -> str:
    return f"recovery {recovered(result, arm)}"


def neutral_said(result: Interference) -> str:
    """Say what hiding attributes does to accuracy where the distractor says nothing."""
    mean, low, high = _moved(result)
    plain, masked = (result.arms[arm]["accuracy_neutral"][0] for arm in ("plain", "attribute"))
    seeds = len(result.cells["plain"])
    told = "" if low > 0 or high < 0 else ", so it is not told apart from no change"
    within = f"{span(low, high)}, paired by seed, {seeds} seeds{told}"
    if math.isnan(low):
        within = "one seed, no interval"
    return (
        f"Where the {result.experiment.planted} says nothing, hiding attributes moves accuracy by "
        f"{points(mean)} ({within}): from {percent(plain, 1)} to {percent(masked, 1)}."
    )


def _moved(result: Interference) -> tuple[float, float, float]:
    """Return masked − plain of the accuracy where the distractor says nothing, with its ends."""
    from ..intervals import difference

    plain, masked = (
        [row["accuracy_neutral"] for row in result.cells[arm]] for arm in ("plain", "attribute")
    )
    return difference(plain, masked)


def _cost(result: Interference) -> tuple[str, bool | None, str]:
    """Whether hiding costs accuracy where the distractor says nothing."""
    mean, low, high = _moved(result)
    claim = "Accuracy may fall a little where the attribute says nothing"
    said = f"accuracy neutral {'+' * (mean >= 0)}{points(mean)}"
    if math.isnan(low):
        return claim, None, f"{said}, too few seeds to tell"
    rises = "; it rises instead" if low > 0 else ""
    holds = True if low > -0.05 else False if high < -0.05 else None
    return claim, holds, f"{said} ({span(low, high)}), paired by seed{rises}"


__all__ = ["finding", "neutral_said", "points", "recovered", "span", "verdicts"]
