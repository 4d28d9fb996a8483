"""Attention between the turns of a conversation: how much of what each turn sends goes where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import ParameterError
from ..text.conversation import Conversation
from .capture import Attention
from .parts import turn_numbers
from .view import View

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

    numbers = turn_numbers(attention.encoding, spoken)
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


def blocks_of(turns: View) -> Blocks:
    """Return the mean over layers and heads of what goes from turn to turn."""
    import numpy as np

    shares = np.asarray(turns.weights, np.float64).mean((0, 1))
    shares[list(turns.absent)] = np.nan
    return Blocks(turns.tokens, shares)


def by_part(shown: View) -> View | None:
    """Return the view with one entry for each part of the text, such as a turn.

    Attention to the tokens of a part is added, attention from them averaged; a part of which no
    token has a row is absent. None where the parts have no names, and where rows are no shares.

    >>> by_part(shown).tokens                                          # doctest: +SKIP
    ('1 system', '2 user', 'template')
    """
    import numpy as np

    if shown.exact is not None:
        return shown.exact.turns
    weights = np.asarray(shown.weights, np.float64)
    there = ~np.array(shown.absent, bool)
    whole = 0 if shown.signed else 1
    sums = weights[:, :, there].sum(-1)
    if not shown.parts or shown.keys is not None or not np.allclose(sums, whole, atol=0.02):
        return None
    own = np.array(shown.segments)
    named = sorted(set(shown.segments))
    members = np.stack([own == part for part in named])  # (parts, tokens)
    rows = (members & there).astype(np.float64)
    counts = rows.sum(1, keepdims=True)
    means = (rows / np.maximum(counts, 1)) @ weights  # (layers, heads, parts, tokens)
    hidden, special = np.array(shown.hidden, bool), np.array(shown.special, bool)
    return View(
        means @ members.T.astype(np.float64),
        tuple(shown.parts[part] or TEMPLATE for part in named),
        tuple(bool(hidden[line & ~special].all() and (line & ~special).any()) for line in members),
        tuple(bool(special[line].all()) for line in members),
        tuple(range(len(named))),
        tuple(bool(count == 0) for count in counts[:, 0]),
        shown.signed,
        method=shown.method,
        numbers=shown.numbers,
    )
