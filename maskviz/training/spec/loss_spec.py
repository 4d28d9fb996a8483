"""LossSpec: what of its rows a decoder learns, checked when made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import ParameterError, UnknownNameError
from ...masks.choose import checked_ratio
from ...masks.loss import DEFAULT, Change, check_loss

SIDES = ("right", "left")


@dataclass(frozen=True)
class LossSpec:
    """What is learned of a row: a loss strategy, and the weights of prompts and of ends.

    prompt_weight: with which the contents that it does not choose are learned as well; cut: the
    side on which a row that is longer than max_length is cut; rows: what was changed by hand, the
    number of a row of the file → its changes, such as `-12 Rome`.
    """

    strategy: str = DEFAULT
    ratio: float | None = None  # None = the strategy's own default
    parameters: Mapping[str, Any] = field(default_factory=dict)
    prompt_weight: float = 0.0
    end_of_turn: bool = True
    cut: str = "right"
    rows: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checked_ratio(self.ratio)
        if not isinstance(self.parameters, Mapping):
            raise ParameterError("loss parameters must be a table, such as {types = ['PERSON']}.")
        check_loss(self.strategy, self.prompt_weight)
        if self.cut not in SIDES:
            raise UnknownNameError.of("side to cut", self.cut, SIDES)
        _check_rows(self.rows)

    def changes(self, row: int) -> tuple[Change, ...]:
        """Return what was changed by hand in a row of the file, by its number."""
        return tuple(map(Change.read, self.rows.get(str(row), ())))

    def __str__(self) -> str:
        weighed = f", prompts with weight {self.prompt_weight:g}" if self.prompt_weight else ""
        by_hand = f", {len(self.rows)} rows changed by hand" if self.rows else ""
        ends = "" if self.end_of_turn else ", no ends of turns"
        return f"{self.strategy}{weighed}{ends}{by_hand}"


def _check_rows(rows: Any) -> None:
    """Raise ParameterError where changes by hand are none."""
    if not isinstance(rows, Mapping):
        raise ParameterError("loss rows must be a table, such as {7 = ['-12 Rome']}.")
    for number, changes in rows.items():
        if not str(number).isdecimal() or int(number) < 1:
            raise ParameterError(f"{str(number)[:40]!r} is no number of a row: give 1 or more.")
        if isinstance(changes, str) or not isinstance(changes, Sequence):
            raise ParameterError(f"The changes of row {number} must be a list: ['-12 Rome'].")
        for change in changes:
            Change.read(change)
