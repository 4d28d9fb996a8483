"""Scores of words in a conversation, turn by turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...text.conversation import Conversation
from .attribution import WordScore


def by_turn(words: Sequence[WordScore], spoken: Conversation) -> list[dict[str, Any]]:
    """Return each turn with the sum of its words' scores, and its share of all |scores|."""
    sums = [0.0] * len(spoken.turns)
    sizes, counts = [0.0] * len(spoken.turns), [0] * len(spoken.turns)
    for word in words:
        piece = spoken.piece_at(word.start)
        if piece is not None:
            sums[piece.turn] += word.score
            sizes[piece.turn] += abs(word.score)
            counts[piece.turn] += 1
    total = sum(sizes)
    return [
        {
            "turn": i + 1,
            "role": turn.role,
            "words": counts[i],
            "score": sums[i],
            "share": sizes[i] / total if total else None,
        }
        for i, turn in enumerate(spoken.begun)
    ]
