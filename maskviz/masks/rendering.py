"""A masked text as a person reads it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from .mask import Mask, MaskSpan


def masked_text(mask: Mask, operator: str = "mask") -> str:
    """Return the text with each hidden word replaced by what `operator` puts in its place.

    `attention` keeps the words: they stay in the input and only attention skips them.
    """
    if operator == "attention":
        return mask.text
    pieces, end = [], 0
    for span in mask.spans:
        pieces += [mask.text[end : span.start], _shown(mask, span, operator)]
        end = span.end
    masked = "".join([*pieces, mask.text[end:]])
    return _tidy(masked) if operator == "delete" else masked


def placeholder(span: MaskSpan) -> str:
    """Return the typed placeholder of a span: `[PERSON]`, or `[HIDDEN]` where it has no type."""
    return f"[{span.label.upper() or 'HIDDEN'}]"


def _shown(mask: Mask, span: MaskSpan, operator: str) -> str:
    if operator == "delete":
        return ""
    if operator == "placeholder":
        return placeholder(span)
    mark = {"mask": "[MASK]", "unk": "[UNK]", "pad": "[PAD]"}.get(operator, "[MASK]")
    # Words are in order, and a long text has many: look only at those the span touches.
    first = bisect_right(mask.words, span.start, key=lambda word: word[1])
    words = mask.words[first : bisect_left(mask.words, span.end, key=lambda word: word[0])]
    if not words:  # punctuation alone
        return mark
    pieces, end = [], span.start
    for start, stop in words:
        pieces += [mask.text[end : max(start, span.start)], mark]
        end = min(stop, span.end)
    return "".join([*pieces, mask.text[end : span.end]])


def _tidy(text: str) -> str:
    """Close the gaps that deleted words leave: doubled spaces, a space before a full stop."""
    return re.sub(r" +([.,;:!?])", r"\1", re.sub(r"[ \t]{2,}", " ", text)).strip()
