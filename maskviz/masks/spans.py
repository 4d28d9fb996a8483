"""Hidden spans of characters, and the algebra on lists of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..errors import MaskError
from ..text.specials import special_spans, without
from ..text.words import whole_characters


@dataclass(frozen=True)
class MaskSpan:
    """Hidden characters `text[start:end]`, why they were chosen, and how strongly."""

    start: int
    end: int
    reason: str = ""
    score: float | None = None
    label: str = ""


def normalise(text: str, spans: Iterable[MaskSpan]) -> tuple[MaskSpan, ...]:
    """Return the spans trimmed of white space, sorted and disjoint.

    What a person sees as one character is hidden whole, and a special token that the text spells
    is left out. Raises MaskError for a span outside the text.
    """
    kept: list[MaskSpan] = []
    reach, specials = 0, special_spans(text)
    for span in sorted(spans, key=lambda s: (s.start, s.end)):
        if not 0 <= span.start <= span.end <= len(text):
            raise MaskError(
                f"The span {span.start}–{span.end} lies outside the text of {len(text)} "
                "characters: use the mask with the text it was made for."
            )
        if max(span.start, reach) >= span.end:
            continue
        start, end = whole_characters(text, max(span.start, reach), span.end)
        for edges in without([(start, end)], specials) if specials else [(start, end)]:
            start, end = _trim(text, *edges)
            if start < end:
                same = (start, end) == (span.start, span.end)
                kept.append(span if same else replace(span, start=start, end=end))
                reach = end
    return tuple(kept)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    if not piece.strip():
        return start, start
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))


def runs(positions: Iterable[int]) -> list[tuple[int, int]]:
    """Return the (start, end) of each run of positions that follow each other.

    >>> runs([0, 1, 4])
    [(0, 2), (4, 5)]
    """
    found: list[list[int]] = []
    for i in positions:
        if found and found[-1][1] == i:
            found[-1][1] = i + 1
        else:
            found.append([i, i + 1])
    return [(start, end) for start, end in found]


def joined(stretches: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return sorted (start, end) with those in one that meet or overlap, empty ones left out.

    >>> joined([(0, 2), (2, 3), (5, 5), (7, 9)])
    ((0, 3), (7, 9))
    """
    found: list[tuple[int, int]] = []
    for start, end in stretches:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif start < end:
            found.append((start, end))
    return tuple(found)


def shared(first: Iterable[MaskSpan], second: Iterable[MaskSpan]) -> list[MaskSpan]:
    """Return what two sorted, disjoint lists of spans share, with the reasons of both."""
    found, others = [], deque(second)
    for span in first:
        while others and others[0].end <= span.start:
            others.popleft()
        for other in others:
            if other.start >= span.end:
                break
            found.append(
                replace(
                    span,
                    start=max(span.start, other.start),
                    end=min(span.end, other.end),
                    reason="; ".join(dict.fromkeys(filter(None, (span.reason, other.reason)))),
                    label=span.label or other.label,
                )
            )
    return found


def cut(spans: Iterable[MaskSpan], away: frozenset[int]) -> list[MaskSpan]:
    """Return the parts of `spans` whose characters are not in `away`, with their reasons."""
    return [
        replace(span, start=start, end=end)
        for span in spans
        for start, end in runs(i for i in range(span.start, span.end) if i not in away)
    ]
