"""LossSpec: what of its rows a decoder learns, checked when made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import ParameterError, UnknownNameError
from ...masks.choose import checked_ratio
from ...masks.loss import DEFAULT, check_loss

SIDES = ("right", "left")


@dataclass(frozen=True)
class LossSpec:
    """What is learned of a row: a loss strategy, and the weights of prompts and of ends.

    prompt_weight: with which the contents that it does not choose are learned as well; cut: the
    side on which a row that is longer than max_length is cut.
    """

    strategy: str = DEFAULT
    ratio: float | None = None  # None = the strategy's own default
    parameters: Mapping[str, Any] = field(default_factory=dict)
    prompt_weight: float = 0.0
    end_of_turn: bool = True
    cut: str = "right"

    def __post_init__(self) -> None:
        checked_ratio(self.ratio)
        if not isinstance(self.parameters, Mapping):
            raise ParameterError("loss parameters must be a table, such as {types = ['PERSON']}.")
        check_loss(self.strategy, self.prompt_weight)
        if self.cut not in SIDES:
            raise UnknownNameError.of("side to cut", self.cut, SIDES)

    def __str__(self) -> str:
        weighed = f", prompts with weight {self.prompt_weight:g}" if self.prompt_weight else ""
        return f"{self.strategy}{weighed}{'' if self.end_of_turn else ', no ends of turns'}"
