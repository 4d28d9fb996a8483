"""What masks one text of a file by a strategy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...masks.choose import mask as choose_mask
from ...masks.expression import is_expression
from ...masks.mask import Mask
from ...masks.registry import STRATEGIES
from ...models.model import Model
from ...readings.question import Question
from ...text.conversation import Conversation
from ...text.document import Document
from .rows import Row

Job = Callable[[str | Conversation | Document, int], Mask]


def masking_job(
    strategy: str, parameters: Mapping[str, Any], ratio: float | None, model: Model
) -> Job:
    """Return what masks one text; the strategy's own ratio counts for exhaustive ones."""
    given = dict(parameters)
    if is_expression(strategy):
        given.setdefault("model", model)
        return lambda text, seed: choose_mask(text, strategy, ratio=ratio, seed=seed, **given)
    entry = STRATEGIES[strategy]
    if any(p.name == "model" for p in entry.parameters):
        given.setdefault("model", model)
    share = given.pop("ratio", None if entry.kind == "exhaustive" else ratio)
    return lambda text, seed: choose_mask(text, strategy, ratio=share, seed=seed, **given)


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

    @property
    def tokens(self) -> int:
        """How many tokens all its encodings have."""
        masked = [pieces for of_model in self.masked for pieces in of_model]
        drawn = [pieces for of_strategy in self.chance for pieces in of_strategy]
        return sum(len(piece) for pieces in [*self.plain, *masked, *drawn] for piece in pieces)
