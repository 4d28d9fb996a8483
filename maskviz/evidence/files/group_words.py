"""What groups beside each other show, in sentences."""

from __future__ import annotations

from ...data.groups import FEWEST
from ...shares import Interval
from ...text.percent import number, percent
from .groups import Gaps, GroupGaps

_SHARES = ("accuracy", "flip rate")
_LOW_IS_WORST = ("accuracy", "value")


def gap_sentences(found: GroupGaps) -> list[str]:
    """Say for each arm which group it is worst for, how far another is, and if that is told.

    Nothing of an arm of which fewer than two groups are large enough.
    """
    arms = found.arms.items()
    return [said for arm, gaps in arms if (said := gap_sentence(arm, gaps, found.measure))]


def gap_sentence(arm: str, gaps: Gaps, measure: str) -> str:
    """Say it of one arm.

    >>> gap_sentence("plain", gaps, "accuracy")
    'plain: accuracy is lowest for north, 70\xa0% (95\xa0%: 60.1 to 78.2), 12.0 points from …'
    """
    if gaps.worst is None or gaps.worst_score is None or gaps.gap is None:
        return ""
    if gaps.gap == 0:
        level = _figure(gaps.worst_score, measure)
        return f"{arm}: {measure} is {level} in every group of {FEWEST} rows or more."
    way = "lowest" if measure in _LOW_IS_WORST else "highest"
    apart = gaps.gap_ci95 if gaps.gap > 0 else _turned(gaps.gap_ci95)
    told = apart is not None and (apart[0] > 0 or apart[1] < 0)
    size = abs(gaps.gap)
    far = f"{100 * size:.1f} points" if measure in _SHARES else f"{size:.3g}"
    return (
        f"{arm}: {measure} is {way} for {gaps.worst}, {_figure(gaps.worst_score, measure)} "
        f"({_within(gaps.worst_ci95, measure)}), {far} from {gaps.best} "
        f"({_within(apart, measure)}){'' if told else ': not told apart'}."
    )


def _turned(interval: Interval | None) -> Interval | None:
    return None if interval is None else (-interval[1], -interval[0])


def _figure(value: float, measure: str) -> str:
    return percent(value) if measure in _SHARES else number(value, ".3g")


def _within(interval: Interval | None, measure: str) -> str:
    if interval is None:
        return "no interval"
    factor, form = (100, ".1f") if measure in _SHARES else (1, ".3g")
    low, high = (number(factor * end, form) for end in interval)
    return f"95\u00a0%: {low} to {high}"
