"""Where a model looks while it writes its answer, turn by turn.

    share of a turn = mean over layers, heads and the answer's tokens of the attention to its tokens

The rest goes to what the chat template writes and to the answer itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..models.model import Model
from ..readings.language.conversing import conversed
from ..text.conversation import Conversation
from .capture import attend
from .long_texts import is_long, read_long
from .parts import turn_numbers
from .pooled import pooled


@dataclass(frozen=True)
class TurnShares:
    """turns: of each turn of the prompt its share, 0 where the template leaves it out.

    template, answer: the shares of the template's own tokens, and of the answer itself; all sum to
    1. begin: of the template's, the share of the very first token, on which attention often rests.
    """

    turns: tuple[float, ...]
    template: float
    answer: float
    begin: float


def attention_by_turn(model: Model, prompt: Conversation, answer: str) -> TurnShares:
    """Return the shares of attention of an answer's tokens.

    Raises CapabilityError where the architecture does not show its attention, ParameterError where
    the conversation is longer than the model takes, or than what is looked at of it.

    >>> attention_by_turn(model, prompt, "In Rome.").turns              # doctest: +SKIP
    (0.31, 0.12)
    """
    whole = prompt.answering(answer)
    put = conversed(model, whole)
    last = len(whole.turns) - 1
    if is_long(put, whole.text, "raw"):
        read = read_long(whole.text, "mask", put)
        groups = _groups(turn_numbers(read, whole), last)
        found = pooled(put, read, groups).weights.astype("float64").mean((0, 1))
        shares = [*map(float, found[last]), 0.0, 0.0][: last + 3]  # a template may write nothing
    else:
        found = attend(whole.text, put, method="mean")
        groups = _groups(turn_numbers(found.encoding, whole), last)
        weights = found.weights.astype("float64").mean((0, 1))  # (queries, keys)
        row = weights[[i for i, group in enumerate(groups) if group == last]].mean(0)
        shares = [float(row[[g == n for g in groups]].sum()) for n in range(last + 3)]
    template, begin = shares[last + 1 :]
    return TurnShares(tuple(shares[:last]), template + begin, shares[last], begin)


def _groups(owners: Sequence[int | None], last: int) -> list[int]:
    """Return a number for each token: its turn, then the template's, last its very first alone."""
    found = [last + 1 if owner is None else owner for owner in owners]
    if owners[0] is None:
        found[0] = last + 2
    return found
