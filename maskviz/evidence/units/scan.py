"""The scan: what each head, MLP or layer does to the answer when it alone is masked.

The effect of a unit is Δ log-odds of the plain answer (of a value, Δ): below 0 the answer falls
without it. The largest of a scan is the largest of so many, and no verdict on the text it was found
on: it is looked for on half of the rows, and its place among all units is counted on the others.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...errors import ParameterError
from ...inside.anatomy import anatomy_of
from ...inside.units import HEAD, Anatomy, Unit
from ...masks.mask import Mask
from ...models.model import Model
from ...readings.question import Question, Spec, asked
from ..intervals import mean_interval
from .asking import Way, put_to, scan_of

FEWEST = 4  # rows of which the largest unit can be tested on the others
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class UnitEffect:
    """What masking one unit does: the mean over the rows, its 95 % interval, and its place.

    probability: of the plain answer with the unit masked, on one text; None over rows.
    rank: among all units of its kind by |effect|, 1 the largest.
    """

    unit: Unit
    effect: float
    low: float
    high: float
    rank: int
    probability: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        known = self.low == self.low
        return {
            self.unit.kind: str(self.unit),
            "effect": self.effect,
            "ci95": [self.low, self.high] if known else None,
            "rank": self.rank,
            "probability": self.probability,
        }


@dataclass(frozen=True)
class Tested:
    """The largest unit of half of the rows, on the other half.

    rank: its place among all of its kind there; p_value: (1 + units as strong) / units.
    """

    unit: Unit
    found_on: int
    rows: int
    effect: float
    low: float
    high: float
    rank: int
    of: int

    @property
    def p_value(self) -> float:
        """The share of units that are as strong on the other rows, itself counted."""
        return self.rank / self.of

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        return {
            self.unit.kind: str(self.unit),
            "found_on": self.found_on,
            "rows": self.rows,
            "effect": self.effect,
            "ci95": [self.low, self.high] if self.low == self.low else None,
            "rank": self.rank,
            "of": self.of,
            "p": self.p_value,
        }


@dataclass(frozen=True, eq=False)
class UnitScan:
    """The effect of every unit of a kind on the answer to a text, or to rows.

    values: (rows, units), Δ log-odds of each row's plain answer. answers: of one text the plain
    logits (outputs,) and those with each unit masked (units, outputs). plain: what the plain answer
    is, and its probability, of one text.
    """

    anatomy: Anatomy
    question: Question
    way: Way
    values: Any
    effects: tuple[UnitEffect, ...]
    tested: Tested | None = None
    answers: tuple[Any, Any] | None = None
    plain: tuple[str, float] | None = None
    kind: str = HEAD

    @property
    def largest(self) -> UnitEffect:
        """The unit with the largest effect."""
        return next(one for one in self.effects if one.rank == 1)

    def effects_of_row(self, row: int) -> dict[Unit, float]:
        """Return the effect of each unit on one of the rows."""
        return {
            one.unit: float(value)
            for one, value in zip(self.effects, self.values[row], strict=True)
        }

    def grid(self, side: str = "") -> Any:
        """Return the effects of a part as an array (layers, heads or 1), NaN where is none."""
        import numpy as np

        own = [one for one in self.effects if one.unit.side == side]
        across = max((max(one.unit.head, 0) for one in own), default=-1) + 1
        part = side or self.anatomy.first
        count = self.anatomy.layers["decoder" if part == "cross" else part]
        found = np.full((count, across), np.nan)
        for one in own:
            found[one.unit.layer, max(one.unit.head, 0)] = one.effect
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; units from the strongest, under the name of their kind."""
        ranked = sorted(self.effects, key=lambda one: one.rank)
        return {
            "model": self.anatomy.model,
            "question": self.question.spec(),
            "unit_operator": self.way.operator,
            "rows": len(self.values),
            "label": self.plain and self.plain[0],
            "probability": self.plain and self.plain[1],
            f"{self.kind}s": [one.to_dict() for one in ranked],
            "largest": str(self.largest.unit),
            "tested": self.tested and self.tested.to_dict(),
        }


def scan_text(
    text: str,
    model: Model | str | Question = "mini",
    way: Way | None = None,
    question: Spec = "labels",
    progress: Progress = lambda done, total: None,
    kind: str = HEAD,
) -> UnitScan:
    """Mask each unit of a kind alone and ask about a text; effects have no interval then.

    >>> scan_text("A truly great film.").effects[0].unit
    Unit(layer=0, head=0, side='', kind='head')
    """
    put, way = put_to(asked(model, question), text), way or Way()
    anatomy = anatomy_of(put.model)
    units = anatomy.of_kind(kind)
    plain, found, index = _asked(put, text, way, units, progress)
    moved = _moved(put, plain, found, index)
    p = put.probabilities(found)[:, index]
    effects = _effects(units, moved[None], p)
    before = put.outputs[index], float(put.probabilities(plain)[index])
    return UnitScan(anatomy, put, way, moved[None], effects, None, (plain, found), before, kind)


def scan_rows(
    texts: Sequence[str | Mask],
    model: Model | str | Question = "mini",
    way: Way | None = None,
    question: Spec = "labels",
    progress: Progress = lambda done, total: None,
    seed: int = 0,
    kind: str = HEAD,
) -> UnitScan:
    """Mask each unit of a kind alone and ask about rows; the largest is tested on other rows.

    texts: where values come from masked texts, those as masks. Raises ParameterError for no row.
    """
    import numpy as np

    put, way = asked(model, question), way or Way()
    if not texts:
        raise ParameterError("No row has a text: name a file with texts, or give one.")
    anatomy = anatomy_of(put.model)
    units, rows = anatomy.of_kind(kind), []
    for row in texts:
        text, own_way = (
            (row.text, replace(way, hidden=row)) if isinstance(row, Mask) else (row, way)
        )
        own = put.about(text)
        plain, found, index = _asked(own, text, own_way, units, lambda done, total: None)
        rows.append(_moved(own, plain, found, index))
        progress(len(rows), len(texts))
    values = np.stack(rows)
    effects, tested = _effects(units, values), _tested(units, values, seed)
    return UnitScan(anatomy, put, way, values, effects, tested, kind=kind)


def _asked(
    put: Question, text: str, way: Way, units: Sequence[Unit], progress: Progress
) -> tuple[Any, Any, int]:
    """Return the plain logits, those with each unit masked, and the output that is spoken of."""
    scan, _ = scan_of(put, text, way, units[0].kind)
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress(done, len(units))

    scan.done = count
    plain, found = scan.answers([[unit] for unit in units])
    return plain, found, put.subject(put.probabilities(plain))


def _moved(put: Question, plain: Any, found: Any, index: int) -> Any:
    """Return Δ log-odds of an output with each unit masked, (units,)."""
    return put.log_odds(found)[:, index] - put.log_odds(plain)[index]


def _effects(units: Sequence[Unit], values: Any, p: Any = None) -> tuple[UnitEffect, ...]:
    import numpy as np

    means = values.mean(0)
    ranks = np.empty(len(means), int)
    ranks[np.argsort(-abs(means), kind="stable")] = np.arange(1, len(means) + 1)
    return tuple(
        UnitEffect(
            unit,
            *mean_interval(list(map(float, values[:, i]))),
            int(ranks[i]),
            None if p is None else float(p[i]),
        )
        for i, unit in enumerate(units)
    )


def _tested(units: Sequence[Unit], values: Any, seed: int) -> Tested | None:
    """Look for the largest unit on half of the rows and count its place on the others."""
    count = len(values)
    if count < FEWEST:
        return None
    order = list(range(count))
    random.Random(seed).shuffle(order)  # noqa: S311  repeatable, not secret
    first, second = values[order[: count // 2]], values[order[count // 2 :]]
    index = int(abs(first.mean(0)).argmax())
    there = abs(second.mean(0))
    mean, low, high = mean_interval(list(map(float, second[:, index])))
    rank = int((there >= there[index]).sum())
    return Tested(units[index], len(first), len(second), mean, low, high, rank, len(there))
