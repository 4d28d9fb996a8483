"""A mask changed by hand, word by word or token by token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .mask import Mask
from .spans import MaskSpan

BY_HAND = "chosen by hand"  # the reason of what a person clicked
Units = Sequence[tuple[int, int]]  # (start, end) of what a person can hide, in order


def hidden_units(mask: Mask, units: Units) -> tuple[int, ...]:
    """Return the indices of the units that are hidden, wholly or in part.

    >>> hidden_units(Mask("Ann met Bob", (MaskSpan(0, 3),)), [(0, 3), (4, 7), (8, 11)])
    (0,)
    """
    hidden = mask.characters
    return tuple(
        i for i, (start, end) in enumerate(units) if any(c in hidden for c in range(start, end))
    )


def with_units(mask: Mask, units: Units, indices: Iterable[int]) -> Mask:
    """Return the mask that hides exactly the units with these 0-based indices.

    Spans of units that stay hidden keep their reasons; new ones say that a person chose them.
    """
    wanted = {i for i in indices if 0 <= i < len(units)}
    hidden = set(hidden_units(mask, units))
    shown = _by_hand(mask, units, hidden - wanted)
    added = _by_hand(mask, units, wanted - hidden)
    edited = (mask - shown) | added
    return replace(
        edited,
        strategy=mask.strategy,
        parameters={**mask.parameters, "edited": True},
        requested_ratio=mask.requested_ratio,
    )


def beginning(mask: Mask, end: int) -> Mask:
    """Return the mask of the first `end` characters of its text.

    >>> beginning(Mask("Ann met Bob", (MaskSpan(0, 3), MaskSpan(4, 11))), 7).masked_text()
    '[MASK] [MASK]'
    """
    text = mask.text[:end]
    spans = tuple(
        replace(span, end=min(span.end, len(text))) for span in mask.spans if span.start < len(text)
    )
    return replace(mask, text=text, spans=spans)


def _by_hand(mask: Mask, units: Units, indices: Iterable[int]) -> Mask:
    spans = tuple(MaskSpan(*units[i], BY_HAND) for i in sorted(indices))
    return Mask(mask.text, spans, spoken=mask.spoken)
