"""From a strategy's name to a loss mask: whose words are learned, and which of them.

An expression combines roles, turns and any strategy that chooses words:
`role:assistant - entity`, `last-turn & key:0.3`. See `maskviz.masks.expression` for its grammar.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import ParameterError, TextError, UnknownNameError
from ...models.chat.own import OWN
from ...text.conversation import ROLES, Conversation, Piece
from ...text.document import Document
from ..choose import mask
from ..expression import evaluate, parse_argument, strategies_in
from ..registry import STRATEGIES
from .loss_mask import LossMask, LossSpan

DEFAULT = "role:assistant"
ROLE, LAST = TURNS = ("role", "last-turn")  # what chooses whole turns, with their ends


def loss_mask(
    conversation: Conversation,
    strategy: str = DEFAULT,
    *,
    prompt_weight: float = 0.0,
    end_of_turn: bool = True,
    seed: int = 0,
    document: Document | None = None,
    **given: Any,
) -> LossMask:
    """Choose what is learned of a conversation.

    strategy: `role:assistant`, `last-turn`, the name of any strategy, or an expression of them.
    prompt_weight: with which all other contents are learned as well (arXiv:2401.13586).
    end_of_turn: whether turns that are learned whole are learned to their end mark. document: the
    contents, where they have been read before; given: ratio and parameters of one strategy. Raises
    ParameterError or UnknownNameError.

    >>> from maskviz.text.conversation import Turn
    >>> hi = Conversation((Turn("user", "Hi"), Turn("assistant", "Hello")))
    >>> found = loss_mask(hi, prompt_weight=0.1)
    >>> [(span.start, span.end, span.weight) for span in found.spans], found.end_of_turn
    ([(0, 2, 0.1), (4, 9, 1.0)], (0.0, 1.0))
    """
    check_loss(strategy, prompt_weight)
    read = Document.of(conversation) if document is None else document

    def choose(name: str, parameters: dict[str, Any]) -> LossMask:
        if name == ROLE:
            return _of_roles(conversation, parameters.get("roles") or [OWN])
        if name == LAST:
            return _last(conversation)
        return _by_words(conversation, read, name, seed, {**given, **parameters})

    found: LossMask = evaluate(strategy, choose, _parse)
    if not end_of_turn:
        found = LossMask(conversation, found.spans, (), found.strategy)
    if prompt_weight:
        rest = LossMask(conversation, tuple(_spans(conversation, lambda _: True, "prompt")))
        found = found | rest.scaled(prompt_weight)
    return found


def check_loss(strategy: str, prompt_weight: float = 0.0) -> None:
    """Raise ParameterError or UnknownNameError where no loss mask can be made so."""
    if not 0 <= prompt_weight <= 1:
        raise ParameterError(f"prompt_weight is {prompt_weight}: give 0 to 1.")
    for name in _named(strategy):
        if name not in TURNS and name not in STRATEGIES:
            raise UnknownNameError.of("loss strategy", name, ["role:assistant", LAST, *STRATEGIES])
        if name not in TURNS and STRATEGIES[name].kind == "manual":
            raise ParameterError(
                f"The loss strategy {name!r} needs a person for each row: choose another."
            )
    evaluate(strategy, lambda name, given: _Read(), _parse)


class _Read:
    """Stands for a mask where an expression is only read."""

    def __or__(self, other: object) -> _Read:
        return self

    __and__ = __sub__ = __or__

    def __invert__(self) -> _Read:
        return self


def _named(strategy: str) -> list[str]:
    return [strategy] if strategy in (*TURNS, *STRATEGIES) else strategies_in(strategy)


def _parse(name: str, written: str) -> dict[str, Any]:
    if name == LAST:
        raise ParameterError(f"{LAST!r} takes nothing behind a colon: leave {written!r} out.")
    if name != ROLE:
        return parse_argument(name, written)
    roles = [role for role in written.split(",") if role]
    for role in roles:
        if role not in ROLES:
            raise UnknownNameError.of("role", role, ROLES)
    return {"roles": roles}


def _spans(
    conversation: Conversation, wanted: Callable[[Piece], bool], reason: str
) -> list[LossSpan]:
    return [LossSpan(p.start, p.end, 1.0, reason) for p in conversation.pieces if wanted(p)]


def _of_roles(conversation: Conversation, roles: list[str]) -> LossMask:
    spans = _spans(conversation, lambda piece: piece.role in roles, "role")
    ends = (turn.role == OWN and OWN in roles for turn in conversation.turns)
    return LossMask(conversation, tuple(spans), tuple(map(float, ends)), f"role:{','.join(roles)}")


def _last(conversation: Conversation) -> LossMask:
    """Learn the assistant's last turn alone."""
    turns = conversation.turns
    last = max((i for i, turn in enumerate(turns) if turn.role == OWN), default=-1)
    spans = _spans(conversation, lambda piece: piece.turn == last, "last turn")
    ends = tuple(float(i == last) for i in range(len(turns)))
    return LossMask(conversation, tuple(spans), ends, LAST)


def _by_words(
    conversation: Conversation, document: Document, name: str, seed: int, given: dict[str, Any]
) -> LossMask:
    try:
        chosen = mask(document, name, seed=seed, **given)
    except TextError:  # a conversation without words
        return LossMask(conversation, (), (), name)
    spans = (LossSpan(s.start, s.end, 1.0, s.reason) for s in chosen.spans)
    return LossMask(conversation, tuple(spans), (), name)
