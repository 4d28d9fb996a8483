"""Heads silenced for good, and what that costs: answers and accuracy before and after."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ...data import guess_columns, iter_rows, read_table
from ...errors import DataError
from ...inside.pruning import save_pruned
from ...inside.units import UnitMask
from ...masks.operators import apply
from ...models.model import Model, load_model
from ...readings.question import Question, Spec, asked
from ...shares import Interval, mcnemar, tango
from ..files.rows import Row, joined, label_reader, usable_rows
from .compare import units_of

ROWS = 1_000  # of a file that are asked about


@dataclass(frozen=True)
class Cost:
    """What rows of a file say before and after.

    rows: how many were asked about. same: the share that have the answer they had. labelled: with a
    label; before, after: the share of them that are right, None without any. ci95: of after −
    before, paired (Tango 1998); p_value: McNemar's. left_out: why → how many.
    """

    rows: int
    same: float
    labelled: bool
    before: float | None = None
    after: float | None = None
    ci95: Interval | None = None
    p_value: float | None = None
    left_out: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Pruned:
    """A model without some of its heads, and where it is."""

    units: UnitMask
    folder: Path
    question: Spec
    cost: Cost | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        cost = self.cost
        return {
            "folder": str(self.folder),
            "question": self.question,
            "units": self.units.to_dict(),
            "rows": cost.rows if cost else 0,
            "same_answer": cost and cost.same,
            "accuracy_before": cost and cost.before,
            "accuracy_after": cost and cost.after,
            "delta_ci95": cost and cost.ci95 and list(cost.ci95),
            "p_value": cost and cost.p_value,
            "left_out": dict(cost.left_out) if cost else {},
        }


def prune(
    units: UnitMask | str,
    folder: str | Path,
    model: Model | str | Question = "mini",
    file: str | Path | bytes | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    rows: int = ROWS,
    question: Spec = "labels",
    name: str | None = None,
) -> Pruned:
    """Write a model without some heads as an ordinary folder, and ask both about rows of a file.

    file: with texts, and for accuracy labels. name: of a file that is given as bytes. Raises
    ParameterError for heads or a folder that cannot be, DataError for a file.
    """
    put = asked(model, question)
    mask = units_of(units, put)
    texts, left_out = (
        ([], {}) if file is None else _rows(put, file, text_column, label_column, rows, name)
    )
    written = save_pruned(put, mask, Path(folder))
    cost = _cost(put, written, texts, left_out) if texts else None
    return Pruned(mask, written, put.spec(), cost)


def _rows(
    put: Question,
    file: str | Path | bytes,
    text_column: str | None,
    label_column: str | None,
    rows: int,
    name: str | None,
) -> tuple[list[Row], dict[str, list[int]]]:
    text = text_column or guess_columns(read_table(file, name)).text
    left_out: dict[str, list[int]] = {}
    reader = label_reader(file, put, label_column, name)
    found = list(islice(usable_rows(iter_rows(file, name), text, reader, (), left_out), rows))
    if not found:
        raise DataError(f"No row has what is asked about ({text}): name the columns.")
    return found, left_out


def _cost(put: Question, folder: Path, rows: list[Row], left_out: dict[str, list[int]]) -> Cost:
    """Ask the model and what was written about the same rows."""
    after = asked(load_model(str(folder)), {"name": put.name, **dict(put.parameters)})
    says = [_answers(one, rows) for one in (put, after)]
    same = sum(a == b for a, b in zip(*says, strict=True)) / len(rows)
    gone = tuple((why, len(which)) for why, which in left_out.items())
    if any(row.expected is None for row in rows) or put.head == "regression":
        return Cost(len(rows), same, False, left_out=gone)
    right = [[a == row.expected for a, row in zip(own, rows, strict=True)] for own in says]
    lost = sum(a and not b for a, b in zip(*right, strict=True))
    won = sum(b and not a for a, b in zip(*right, strict=True))
    before, behind = (sum(one) / len(rows) for one in right)
    interval = tango(lost, won, len(rows))
    return Cost(len(rows), same, True, before, behind, interval, mcnemar(lost, won), gone)


def _answers(question: Question, rows: list[Row]) -> list[str]:
    """Return what is answered to each row; where answers are each text's own, one by one."""
    asks = [question.about(row.text) for row in rows]
    groups = [rows] if all(one is question for one in asks) else [[row] for row in rows]
    found = []
    for own, put in zip(groups, asks, strict=False):
        reads = [apply(row.text, "attention", put.model) for row in own]
        p = put.probabilities(put.logits(reads))
        found += [joined(put.outputs, put.chosen(one)) for one in p]
    return found


def pruned_sentence(found: Pruned) -> str:
    """Say what is written, and what it costs."""
    from ...text.percent import number, percent

    cost = found.cost
    said = f"Without {found.units.said} the model is in {found.folder}"
    if cost is None:
        return f"{said}: name a file, with its label column, to see what that costs."
    kept = f"{percent(cost.same)} of {cost.rows:,} answers stay as they were"
    if cost.before is None or cost.after is None or cost.ci95 is None:
        return f"{said}; {kept}."
    low, high = (number(100 * one, "+.1f") for one in cost.ci95)
    return (
        f"{said}; {percent(cost.before)} of {cost.rows:,} labels were right before and "
        f"{percent(cost.after)} are after (change, 95 %: {low} to {high} points); {kept}."
    )
