"""Attention between the turns of a conversation: how much of what each turn sends goes where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import ParameterError
from ..text.conversation import Conversation
from .capture import Attention

TEMPLATE = "template"  # what the chat template writes, all of it together


@dataclass(frozen=True, eq=False)
class Blocks:
    """Turns as blocks.

    groups: turns by number and role, such as `2 user`, and `template`. shares: float (groups,
    groups), the mean over layers, heads and the group's tokens of the attention that goes to each
    group; rows sum to 1, and hold nan where a group has no token.
    """

    groups: tuple[str, ...]
    shares: Any

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values, null where a group has no token."""
        rows = [[None if v != v else v for v in row] for row in self.shares.tolist()]
        return {"groups": list(self.groups), "shares": rows}


def blocks(attention: Attention, spoken: Conversation) -> Blocks:
    """Return how much attention goes from turn to turn.

    Raises ParameterError for a method whose rows are no shares, or where queries were chosen.
    """
    import numpy as np

    numbers = turns_of(attention, spoken)
    weights = np.asarray(attention.weights, dtype=np.float64).mean((0, 1))  # (queries, keys)
    if weights.shape != (len(numbers), len(numbers)):
        raise ParameterError("Turns need the attention of all tokens: leave --queries out.")
    if not np.allclose(weights.sum(1), 1, atol=0.02):
        raise ParameterError(
            f"The rows of the method {attention.method!r} are no shares of attention: choose raw, "
            "mean, rollout or uniform for turns."
        )
    named = sorted({n for n in numbers if n is not None})
    order: list[int | None] = [*named, None]
    groups = [*(f"{n + 1} {spoken.turns[n].role}" for n in named), TEMPLATE]
    own = np.array([order.index(n) for n in numbers])
    sums = np.stack([weights[:, own == g].sum(1) for g in range(len(order))], 1)
    rows = [
        sums[own == g].mean(0) if (own == g).any() else np.full(len(order), np.nan)
        for g in range(len(order))
    ]
    return Blocks(tuple(groups), np.stack(rows))


def turns_of(attention: Attention, spoken: Conversation) -> list[int | None]:
    """Return the turn of each token, the first is 0; None of what the template writes."""
    encoding = attention.encoding
    typed = encoding.typed or (None,) * len(encoding)
    found: list[int | None] = []
    for place, mark in zip(encoding.offsets, typed, strict=True):
        at = place or mark
        piece = None if at is None else spoken.piece_at(at[0])
        found.append(None if piece is None else piece.turn)
    return found
