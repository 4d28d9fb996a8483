"""What a comparison over a file found, and its way to JSON and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ...readings.question import json_of
from .groups import GroupGaps
from .tally import RowResult, StrategyResult

Groups = dict[str, dict[str, dict[str, StrategyResult]]]


@dataclass(frozen=True)
class Beside:
    """A second model over the same rows and masks.

    agreement: share of rows on which both give the same answer to the plain text. paired: for
    `plain` and each strategy accuracy of the first, of the second, second − first with its 95 %
    paired bootstrap interval, and McNemar's p-value; empty without labels.
    """

    model: str
    strategies: dict[str, StrategyResult]
    agreement: float
    paired: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class FileComparison:
    """What each strategy changes over a file; `notes` say what was left out.

    groups: column → value → strategy → result; `label` is the true label (the predicted one
    without labels), `hidden` the type of what was hidden, `hidden role` who says it in a
    conversation. worst: strategy → the rows that change most. complete: whether every row was read.
    group_gaps: group column, or the crossing of all → the worst group and the gaps, by arm.
    """

    rows: int
    model: str
    operator: str
    strategies: dict[str, StrategyResult]
    worst: dict[str, list[RowResult]] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    groups: Groups = field(default_factory=dict, repr=False)
    beside: Beside | None = None
    complete: bool = True
    question: str | dict[str, Any] = "labels"
    group_gaps: dict[str, GroupGaps] = field(default_factory=dict, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; the keys are the command line's."""
        values = asdict(self)
        del values["question"]
        if not self.group_gaps:
            del values["group_gaps"]
        for row in (row for rows in values["worst"].values() for row in rows):
            if row["conversation"] is None:
                del row["conversation"]
        return {**values, "notes": list(self.notes), **json_of(self.question)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FileComparison:
        """Read a result back that was written as JSON."""
        given = dict(values)
        given["strategies"] = _strategies(given["strategies"])
        given["notes"] = tuple(given["notes"])
        given["groups"] = {
            column: {value: _strategies(results) for value, results in found.items()}
            for column, found in given["groups"].items()
        }
        gaps = given.get("group_gaps", {}).items()
        given["group_gaps"] = {c: GroupGaps.from_dict(values) for c, values in gaps}
        given["worst"] = {
            name: [RowResult.from_dict(row) for row in rows]
            for name, rows in given["worst"].items()
        }
        if given["beside"]:
            other = given["beside"]
            paired = {
                name: {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
                for name, values in other["paired"].items()
            }
            read = {"strategies": _strategies(other["strategies"]), "paired": paired}
            given["beside"] = Beside(**{**other, **read})
        return cls(**given)


def _strategies(values: Mapping[str, Any]) -> dict[str, StrategyResult]:
    return {name: StrategyResult.from_dict(result) for name, result in values.items()}


@dataclass(frozen=True)
class Step:
    """What one step found; written down, it can be counted again without asking a model.

    done: the usable rows read when it ended. sides: the rows' results by each model.
    left_out: reason → rows. cut: rows of which a model reads only the beginning.
    """

    done: int
    sides: list[list[RowResult]]
    left_out: dict[str, list[int]]
    cut: list[int]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Step:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        sides = [[RowResult.from_dict(row) for row in rows] for rows in values["sides"]]
        return cls(**{**values, "sides": sides})
