"""A strategy as it was chosen, and how a second one joins it: on pages, in commands, in runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import and_, or_, sub
from typing import Any

from ..errors import UnknownNameError
from ..text.percent import percent
from .expression import is_expression, needs
from .mask import Mask
from .registry import STRATEGIES

# or: hides what either chooses; and: what both choose; minus: what the first alone chooses.
JOINS = {"or": or_, "and": and_, "minus": sub}


@dataclass(frozen=True)
class Choice:
    """A strategy, or an expression of several, with its own ratio, seed and parameters."""

    strategy: str
    ratio: float | None = None
    seed: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def needs(self) -> frozenset[str]:
        """What it runs on, as `Strategy.needs`."""
        return needs(self.strategy)

    @property
    def draws(self) -> bool:
        """Whether another seed may give another mask."""
        return is_expression(self.strategy) or STRATEGIES[self.strategy].draws(self.ratio)

    def __str__(self) -> str:
        several = any(sign in self.strategy for sign in (" ", "|", "&"))
        name = f"({self.strategy})" if several else self.strategy
        return name if self.ratio is None else f"{name} {percent(self.ratio, 0)}"


def joined(first: Mask, join: str, second: Mask) -> Mask:
    """Return both masks as one. Raises UnknownNameError for a join that is not one of JOINS.

    >>> from maskviz.masks import MaskSpan
    >>> a, b = Mask("Ann left", (MaskSpan(0, 3),)), Mask("Ann left", (MaskSpan(4, 8),))
    >>> joined(a, "or", b).masked_text()
    '[MASK] [MASK]'
    """
    if join not in JOINS:
        raise UnknownNameError.of("way to join two strategies", join, JOINS)
    return JOINS[join](first, second)
