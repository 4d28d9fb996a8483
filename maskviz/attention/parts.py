"""The parts that a text is read in: those of a pair, or the turns of a conversation."""

from __future__ import annotations

from ..masks.encoding import Encoding
from ..models.model import Model
from ..text.conversation import Conversation


def segments(model: Model, encoding: Encoding) -> tuple[int, ...]:
    """Return to which part of the text each token belongs, from 0; separators end their part.

    Of a conversation the turn; what its template writes belongs to one part behind all turns.
    """
    spoken = model.conversation(encoding.text)
    if spoken is not None:
        behind = len(spoken.turns)
        return tuple(behind if t is None else t for t in turn_numbers(encoding, spoken))
    separator, part = model.tokenizer.sep_token_id, 0
    numbers: list[int] = []
    last_was = False
    for token, typed in zip(encoding.input_ids, encoding.typed, strict=True):
        is_separator = token == separator and typed is not None
        part += last_was and not is_separator
        last_was = is_separator
        numbers.append(part)
    return tuple(numbers)


def part_names(model: Model, text: str) -> tuple[str, ...]:
    """Return what the parts are called, by number: turns by number and role, the template not.

    Empty for all other texts, whose parts have letters.
    """
    spoken = model.conversation(text)
    if spoken is None:
        return ()
    return (*(f"{i} {turn.role}" for i, turn in enumerate(spoken.turns, 1)), "")


def turn_numbers(encoding: Encoding, spoken: Conversation) -> list[int | None]:
    """Return the turn of each token, the first is 0; None of what the template writes."""
    typed = encoding.typed or (None,) * len(encoding)
    found: list[int | None] = []
    for place, mark in zip(encoding.offsets, typed, strict=True):
        at = place or mark
        piece = None if at is None else spoken.piece_at(at[0])
        found.append(None if piece is None else piece.turn)
    return found
