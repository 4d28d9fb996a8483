"""What a search for what a model leans on found, and its way to JSON and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ...readings.question import json_of
from ..chance.verdict import LEVEL
from .measured import Measured

FEWEST_ROWS = 40  # of the half that is measured on
Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Part:
    """A candidate in the rows that have it, of all or of one group; intervals are of 95 %.

    share: of the rows, or of the group's. strength: mean |Δ| of the plain answer in log-odds (of a
    value, in its unit) where it is hidden, reference: where another of its kind and size is in the
    same rows, beyond: the difference with its interval over the units. Accuracy is of these rows,
    plain and masked; None without labels.
    """

    rows: int
    share: float
    strength: float | None
    reference: float | None
    beyond: float | None
    ci95: Interval
    flip_rate: float
    flip_ci95: Interval
    flips_beyond: float | None
    flips_beyond_ci95: Interval
    accuracy_plain: float | None
    accuracy_masked: float | None
    delta_accuracy: float | None
    accuracy_ci95: Interval

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Part:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        known: dict[str, Any] = {
            n: tuple(v) if isinstance(v, list) else v for n, v in values.items()
        }
        return cls(**known)


@dataclass(frozen=True)
class Leaning:
    """One candidate on the half that was measured.

    p_value: one-sided, sign-flip over the units (clusters, else rows), so many; q_value: over all
    that were measured (Benjamini–Yekutieli); None where too few rows have it. found: q ≤ 0.05, and
    no narrower one on the same rows (`covered_by`). shortcut: found, and marked as irrelevant.
    towards: the output that its presence speaks for, None where it is now one and now another;
    gained: by how much of log-odds on average, of the output that gains most.
    place: the effect in the first half of a text minus that in its second, within labels.
    """

    name: str
    kind: str
    strategy: str
    parameters: dict[str, Any]
    all: Part
    units: int
    p_value: float | None
    q_value: float | None
    found: bool
    irrelevant: bool = False
    shortcut: bool = False
    covered_by: str | None = None
    towards: str | None = None
    gained: float | None = None
    place: dict[str, Any] | None = None
    groups: dict[str, dict[str, Part]] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Leaning:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        groups = {
            column: {value: Part.from_dict(part) for value, part in parts.items()}
            for column, parts in values["groups"].items()
        }
        return cls(**{**values, "all": Part.from_dict(values["all"]), "groups": groups})


@dataclass(frozen=True)
class Shortcuts:
    """What a model leans on in a file; every figure is of the half that nothing was chosen on.

    rows: of both halves, measured: of that half so far. looked_at: candidates on the half that was
    chosen on, tested: those that were measured and have enough rows, the family of the q-values.
    length: by output (and `accuracy`) the gap between texts longer than `longer_than` words and
    others, within labels. worst: candidate → the rows that move most.
    """

    rows: int
    measured: int
    model: str
    operator: str
    looked_at: int
    tested: int
    leanings: tuple[Leaning, ...]
    length: dict[str, dict[str, Any]] = field(default_factory=dict)
    longer_than: int | None = None
    worst: dict[str, list[Measured]] = field(default_factory=dict, repr=False)
    group_rows: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    complete: bool = True
    value: str = "log-odds"
    finding: str = ""
    question: str | dict[str, Any] = "labels"

    @property
    def found(self) -> tuple[Leaning, ...]:
        """What the model leans on, the surest first."""
        return tuple(one for one in self.leanings if one.found)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; the keys are the command line's."""
        values = asdict(self)
        del values["question"]
        return {**values, "level": LEVEL, "notes": list(self.notes), **json_of(self.question)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Shortcuts:
        """Read a result back that was written as JSON."""
        known = {f.name for f in fields(cls)}
        given = {name: value for name, value in values.items() if name in known}
        given["leanings"] = tuple(map(Leaning.from_dict, given["leanings"]))
        given["worst"] = {
            name: [Measured.from_dict(row) for row in rows] for name, rows in given["worst"].items()
        }
        given["notes"] = tuple(given["notes"])
        return cls(**given)


@dataclass(frozen=True)
class Step:
    """What one step found; written down, it can be counted again without asking the model.

    phase: `look`, `choose` or `measure`. done: the rows of its half read when it ended.
    """

    phase: str
    done: int
    rows: list[Measured]
    left_out: dict[str, list[int]]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Step:
        """Read the values that `dataclasses.asdict` and JSON make of one."""
        return cls(**{**values, "rows": [Measured.from_dict(row) for row in values["rows"]]})
