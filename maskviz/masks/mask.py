"""The mask: hidden spans of characters with their reasons, and the algebra on them.

Two masks are equal when they hide the same characters of the same text (white space aside):
reasons and scores are notes on a mask, not part of what it hides.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ..errors import MaskError
from ..text.words import word_offsets


@dataclass(frozen=True)
class MaskSpan:
    """Hidden characters `text[start:end]`, why they were chosen, and how strongly."""

    start: int
    end: int
    reason: str = ""
    score: float | None = None
    label: str = ""


@dataclass(frozen=True, eq=False)
class Mask:
    """The hidden spans of one text, sorted and disjoint, and how they were chosen.

    Spans are trimmed of white space, sorted and made disjoint (of two that overlap, the later
    one loses the overlap). Raises MaskError for a span outside the text.

    >>> a = Mask("Bob met Ann", (MaskSpan(0, 3),)); b = Mask("Bob met Ann", (MaskSpan(8, 11),))
    >>> (a | b).masked_text()
    '[MASK] met [MASK]'
    """

    text: str
    spans: tuple[MaskSpan, ...] = ()
    strategy: str = "manual"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    requested_ratio: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "spans", _normalise(self.text, self.spans))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mask):
            return NotImplemented
        return self.text == other.text and self.characters == other.characters

    def __hash__(self) -> int:
        return hash((self.text, self.characters))

    @cached_property
    def characters(self) -> frozenset[int]:
        """The positions of the hidden characters, white space left out."""
        return frozenset(
            i for s in self.spans for i in range(s.start, s.end) if not self.text[i].isspace()
        )

    @cached_property
    def text_hash(self) -> str:
        """The SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def words(self) -> tuple[tuple[int, int], ...]:
        """The (start, end) of every word of the text."""
        return tuple(word_offsets(self.text))

    @cached_property
    def hidden_words(self) -> tuple[int, ...]:
        """The indices of the words that are hidden, wholly or in part."""
        return tuple(
            i
            for i, (start, end) in enumerate(self.words)
            if any(c in self.characters for c in range(start, end))
        )

    @property
    def realised_ratio(self) -> float:
        """Hidden words / words, in [0, 1]."""
        return len(self.hidden_words) / len(self.words) if self.words else 0.0

    def __or__(self, other: Mask) -> Mask:
        self._same_text(other)
        return self._combined("|", other, (*self.spans, *other.spans))

    def __and__(self, other: Mask) -> Mask:
        self._same_text(other)
        return self._combined("&", other, _shared(self.spans, other.spans))

    def __sub__(self, other: Mask) -> Mask:
        self._same_text(other)
        return self._combined("-", other, _cut(self.spans, other.characters))

    def __invert__(self) -> Mask:
        shown = (i for i, c in enumerate(self.text) if not c.isspace() and i not in self.characters)
        spans = tuple(
            MaskSpan(start, end, "not chosen by " + self.strategy) for start, end in _runs(shown)
        )
        return replace(self, spans=spans, strategy=f"~({self.strategy})", requested_ratio=None)

    def _same_text(self, other: Mask) -> None:
        if self.text != other.text:
            raise MaskError("The two masks belong to different texts: make both of the same one.")

    def _combined(self, sign: str, other: Mask, spans: Iterable[MaskSpan]) -> Mask:
        return Mask(
            self.text,
            tuple(spans),
            strategy=f"({self.strategy} {sign} {other.strategy})",
            parameters={"left": dict(self.parameters), "right": dict(other.parameters)},
            seed=self.seed,
        )

    def masked_text(self, operator: str = "mask") -> str:
        """Return the text as a person reads it after `operator`, one mark per hidden word.

        >>> Mask("Ann left", (MaskSpan(0, 3, label="PERSON"),)).masked_text("placeholder")
        '[PERSON] left'
        """
        from .rendering import masked_text

        return masked_text(self, operator)

    def blocked_text(self) -> str:
        """Return the text with every hidden character as a block of ink.

        >>> Mask("Ann left", (MaskSpan(0, 3),)).blocked_text()
        '███ left'
        """
        return "".join("█" if i in self.characters else c for i, c in enumerate(self.text))

    def to_dict(self) -> dict[str, Any]:
        """Return the mask as JSON-ready values; the keys are the command line's."""
        return {
            "text": self.text,
            "text_sha256": self.text_hash,
            "strategy": self.strategy,
            "parameters": dict(self.parameters),
            "seed": self.seed,
            "requested_ratio": self.requested_ratio,
            "realised_ratio": self.realised_ratio,
            "spans": [
                {
                    "start": s.start,
                    "end": s.end,
                    "text": self.text[s.start : s.end],
                    "label": s.label,
                    "reason": s.reason,
                    "score": s.score,
                }
                for s in self.spans
            ],
            "masked_text": self.masked_text(),
        }

    def to_json(self) -> str:
        """Return the mask as a JSON document."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2)

    @classmethod
    def from_json(cls, document: str | bytes, text: str | None = None) -> Mask:
        """Read a mask back; with `text`, refuse a mask that belongs to another text.

        Raises MaskError where the document is not a mask, or not of this text.
        """
        from .reading import mask_from_json

        return mask_from_json(document, text)


def _normalise(text: str, spans: Iterable[MaskSpan]) -> tuple[MaskSpan, ...]:
    kept: list[MaskSpan] = []
    reach = 0
    for span in sorted(spans, key=lambda s: (s.start, s.end)):
        if not 0 <= span.start <= span.end <= len(text):
            raise MaskError(
                f"The span {span.start}–{span.end} lies outside the text of {len(text)} "
                "characters: use the mask with the text it was made for."
            )
        start, end = _trim(text, max(span.start, reach), span.end)
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


def _runs(positions: Iterable[int]) -> list[tuple[int, int]]:
    runs: list[list[int]] = []
    for i in positions:
        if runs and runs[-1][1] == i:
            runs[-1][1] = i + 1
        else:
            runs.append([i, i + 1])
    return [(start, end) for start, end in runs]


def _shared(first: Iterable[MaskSpan], second: Iterable[MaskSpan]) -> list[MaskSpan]:
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


def _cut(spans: Iterable[MaskSpan], away: frozenset[int]) -> list[MaskSpan]:
    """Return the parts of `spans` whose characters are not in `away`, with their reasons."""
    return [
        replace(span, start=start, end=end)
        for span in spans
        for start, end in _runs(i for i in range(span.start, span.end) if i not in away)
    ]
