"""A mask over a conversation, broken down by who says what it hides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...errors import CapabilityError, MaskError
from ...masks.mask import Mask
from ...masks.spans import MaskSpan
from ...readings.question import Question
from ...text.conversation import Conversation
from .compare import Comparison, compare


@dataclass(frozen=True)
class RoleEffect:
    """What the part of a mask does that hides what one role says.

    words: how many it hides. delta: by how far the subject's value moves; None where nothing would
    be left to read.
    """

    role: str
    words: int
    delta: float | None
    flip: bool | None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        return dict(vars(self))


def by_role(compared: Comparison, put: Question, long: str = "cut") -> list[RoleEffect]:
    """Return what each role's part of a mask does by itself; empty where there are no turns.

    >>> by_role(comparison, put)[0].role                          # doctest: +SKIP
    'system'
    """
    mask = compared.mask
    spoken = put.model.conversation(mask.text)
    if spoken is None:
        return []
    label = compared.subject or compared.original.label
    found = []
    for role in spoken.roles:
        part = _said_by(mask, spoken, role)
        if not part.spans:
            continue
        try:
            one = compare(part, put, compared.operator, long)
        except (CapabilityError, MaskError):
            found.append(RoleEffect(role, len(part.hidden_words), None, None))
            continue
        found.append(RoleEffect(role, len(part.hidden_words), one.delta[label], one.flip))
    return found


def _said_by(mask: Mask, spoken: Conversation, role: str) -> Mask:
    spans = [
        replace(span, start=max(span.start, piece.start), end=min(span.end, piece.end))
        for span in mask.spans
        for piece in spoken.pieces_in(span.start, span.end)
        if piece.role == role
    ]
    kept: tuple[MaskSpan, ...] = tuple(spans)
    return replace(mask, spans=kept)
