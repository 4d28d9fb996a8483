"""Where a model looks while it writes its answer, turn by turn.

    share of a turn = mean over layers, heads and the answer's tokens of the attention to its tokens

The rest goes to what the chat template writes and to the answer itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..models.model import Model
from ..readings.language.conversing import conversed
from ..text.conversation import Conversation
from .capture import attend
from .parts import turn_numbers


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
    the conversation is too long for all heads at once.

    >>> attention_by_turn(model, prompt, "In Rome.").turns              # doctest: +SKIP
    (0.31, 0.12)
    """
    whole = prompt.answering(answer)
    put = conversed(model, whole)
    found = attend(whole.text, put, method="mean")
    owners, last = turn_numbers(found.encoding, whole), len(whole.turns) - 1
    weights = found.weights.astype("float64").mean((0, 1))  # (queries, keys)
    rows = [i for i, owner in enumerate(owners) if owner == last]
    shares = weights[rows].mean(0)
    sums = [float(shares[[o == turn for o in owners]].sum()) for turn in range(last)]
    template = float(shares[[owner is None for owner in owners]].sum())
    own = float(shares[[owner == last for owner in owners]].sum())
    begin = float(shares[0]) if owners[0] is None else 0.0
    return TurnShares(tuple(sums), template, own, begin)
