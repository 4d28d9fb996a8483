"""A mask changed by hand, word by word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .mask import Mask, MaskSpan


def with_words(mask: Mask, indices: Iterable[int]) -> Mask:
    """Return the mask that hides exactly the words with these 0-based indices.

    Spans of words that stay hidden keep their reasons; new ones say that a person chose them.

    >>> with_words(Mask("Ann met Bob", (MaskSpan(0, 3, "name"),)), [0, 2]).masked_text()
    '[MASK] met [MASK]'
    """
    wanted = {i for i in indices if 0 <= i < len(mask.words)}
    hidden = set(mask.hidden_words)
    shown = _by_hand(mask, hidden - wanted)
    added = _by_hand(mask, wanted - hidden)
    edited = (mask - shown) | added
    return replace(
        edited,
        strategy=mask.strategy,
        parameters={**mask.parameters, "edited": True},
        requested_ratio=mask.requested_ratio,
    )


def _by_hand(mask: Mask, indices: Iterable[int]) -> Mask:
    spans = tuple(MaskSpan(*mask.words[i], "chosen by hand") for i in sorted(indices))
    return Mask(mask.text, spans)
