"""A masked text as a person reads it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from .spans import MaskSpan

Words = Sequence[tuple[int, int]]


def masked_text(text: str, spans: Sequence[MaskSpan], words: Words, operator: str = "mask") -> str:
    """Return the text with each hidden word replaced by what `operator` puts in its place.

    `attention` keeps the words: they stay in the input and only attention skips them.
    """
    if operator == "attention":
        return text
    pieces, end = [], 0
    for span in spans:
        pieces += [text[end : span.start], _shown(text, span, words, operator)]
        end = span.end
    masked = "".join([*pieces, text[end:]])
    return _tidy(masked) if operator == "delete" else masked


def placeholder(span: MaskSpan) -> str:
    """Return the typed placeholder of a span: `[PERSON]`, or `[HIDDEN]` where it has no type."""
    return f"[{span.label.upper() or 'HIDDEN'}]"


def _shown(text: str, span: MaskSpan, words: Words, operator: str) -> str:
    if operator == "delete":
        return ""
    if operator == "placeholder":
        return placeholder(span)
    mark = {"mask": "[MASK]", "unk": "[UNK]", "pad": "[PAD]"}.get(operator, "[MASK]")
    # Words are in order, and a long text has many: look only at those the span touches.
    first = bisect_right(words, span.start, key=lambda word: word[1])
    touched = words[first : bisect_left(words, span.end, key=lambda word: word[0])]
    if not touched:  # punctuation alone
        return mark
    pieces, end = [], span.start
    for start, stop in touched:
        pieces += [text[end : max(start, span.start)], mark]
        end = min(stop, span.end)
    return "".join([*pieces, text[end : span.end]])


def _tidy(text: str) -> str:
    """Close the gaps that deleted words leave: doubled spaces, a space before a full stop."""
    return re.sub(r" +([.,;:!?])", r"\1", re.sub(r"[ \t]{2,}", " ", text)).strip()
