"""A row with its masks, ready to be read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...masks.mask import Mask
from ...readings.question import Question
from .rows import Row


@dataclass(frozen=True)
class Masked:
    """A row with its masks, and the encodings of its windows.

    questions, plain: by model. masked: by model and strategy. chance: of the first model, by
    strategy and draw.
    """

    row: Row
    questions: list[Question]
    masks: list[Mask]
    plain: list[list[Any]]
    masked: list[list[list[Any]]]
    chance: list[list[list[Any]]]

    def pieces(self, side: int) -> list[list[Any]]:
        """What a model is asked: plain, masked, and of the first one what is drawn at random."""
        drawn = [] if side else [piece for one in self.chance for piece in one]
        return [self.plain[side], *self.masked[side], *drawn]

    @cached_property
    def tokens(self) -> int:
        """How many tokens all its encodings have."""
        masked = [pieces for of_model in self.masked for pieces in of_model]
        drawn = [pieces for of_strategy in self.chance for pieces in of_strategy]
        return sum(len(piece) for pieces in [*self.plain, *masked, *drawn] for piece in pieces)
