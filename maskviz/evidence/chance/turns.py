"""The reference set of a mask over a conversation: what else could have been hidden there.

It is drawn from what the same roles say, and only from what the model reads. The last turn, the
question that ends the conversation, is left out unless the mask touches it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from ...masks.mask import Mask
from ...masks.spans import MaskSpan
from ...text.alignment import Tokenised
from ...text.conversation import Conversation, Piece

_OF_TURNS = ("role", "turn", "thought", "tool", "example")  # strategies whose unit is a turn
Place = tuple[int, int]  # characters


def in_turns(
    spoken: Conversation,
    mask: Mask,
    spans: Sequence[MaskSpan],
    read: Tokenised,
    unit: str,
    places: Sequence[Place],
) -> tuple[str, list[Place]]:
    """Return the unit of a mask, and where else it could stand in the conversation.

    places: of the unit in all of the text. Whole turns are set beside other whole turns.
    """
    touched = [piece for span in spans for piece in spoken.pieces_in(span.start, span.end)]
    open_to = [piece for piece in spoken.pieces if _open(spoken, piece, touched)]
    whole = {_trimmed(spoken, piece): piece for piece in open_to}
    by_turns = unit != "sentence" or mask.strategy.partition(":")[0] in _OF_TURNS
    if by_turns and spans and all((span.start, span.end) in whole for span in spans):
        several = any(a.turn == b.turn for a, b in pairwise(touched))
        unit, places = ("part of a turn" if several else "turn"), list(whole)
    starts = sorted(o[0] for o in read.offsets if o is not None and o[0] < o[1])
    return unit, [
        place
        for place in places
        if any(p.start <= place[0] and place[1] <= p.end for p in open_to)
        and bisect_left(starts, place[1]) > bisect_left(starts, place[0])
    ]


def _open(spoken: Conversation, piece: Piece, touched: Sequence[Piece]) -> bool:
    """Tell whether a piece is said by a role of the mask's, and not the question at the end."""
    if piece.role not in {one.role for one in touched}:
        return False
    last = spoken.last
    return piece.turn != last or any(one.turn == last for one in touched)


def _trimmed(spoken: Conversation, piece: Piece) -> Place:
    text = spoken.text[piece.start : piece.end]
    start = piece.start + len(text) - len(text.lstrip())
    return start, max(start, piece.start + len(text.rstrip()))
