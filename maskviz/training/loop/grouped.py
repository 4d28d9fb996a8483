"""How right a tuned model is for each group of its held-out rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...shares import Interval, wilson
from ...text.percent import percent


@dataclass(frozen=True)
class GroupRow:
    """One group in one evaluation; ci95: Wilson's interval of its accuracy, of two rows or more."""

    split: str
    mask: str
    group: str
    rows: int | None
    accuracy: float
    ci95: Interval | None


def group_rows(result: Mapping[str, Any]) -> list[GroupRow]:
    """Return the groups of every evaluation of a run, the worst first; none where none is named.

    >>> row = {"split": "dev", "mask": "plain", "group_accuracy": {"x": 0.9, "y": 0.75}}
    >>> result = {"evaluations": [{**row, "group_rows": {"x": 40, "y": 20}}]}
    >>> [(row.group, row.rows) for row in group_rows(result)]
    [('y', 20), ('x', 40)]
    """
    found = []
    for row in result.get("evaluations", ()):
        groups, counts = row.get("group_accuracy") or {}, row.get("group_rows") or {}
        for group in sorted(groups, key=lambda name: (groups[name], name)):
            accuracy, rows = groups[group], counts.get(group)
            sure = wilson(round(accuracy * rows), rows) if rows and rows > 1 else None
            found.append(GroupRow(row["split"], row["mask"], group, rows, accuracy, sure))
    return found


def worst_group(rows: Sequence[GroupRow]) -> str:
    """Name the worst group of the first split and the gap to the best one, by input.

    >>> one = GroupRow("dev", "plain", "y", 20, 0.75, None)
    >>> worst_group([one, GroupRow("dev", "plain", "x", 40, 0.9, None)])
    'the worst of 2 groups is y, right in 75.0\xa0% plain, 15.0 points below x'
    """
    parts: list[str] = []
    for mask in dict.fromkeys(row.mask for row in rows):
        own = [row for row in rows if row.split == rows[0].split and row.mask == mask]
        if len(own) > 1:
            worst, best = own[0], own[-1]
            gap = 100 * (best.accuracy - worst.accuracy)
            lead = "" if parts else f"the worst of {len(own)} groups is "
            parts.append(
                f"{lead}{worst.group}, right in {percent(worst.accuracy, 1)} {mask}, {gap:.1f} "
                f"points below {best.group}"
            )
    return "; ".join(parts)
