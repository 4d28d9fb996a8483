"""The mask: hidden spans of characters with their reasons, and the algebra on them.

Two masks are equal when they hide the same characters of the same text (white space aside):
reasons and scores are notes on a mask, not part of what it hides.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ..errors import MaskError
from ..text.languages import language_of, said
from ..text.words import word_offsets
from .reading import mask_values
from .rendering import masked_text
from .spans import MaskSpan, cut, normalise, runs, shared


@dataclass(frozen=True, eq=False)
class Mask:
    """The hidden spans of one text, sorted and disjoint, and how they were chosen.

    Spans are trimmed of white space, sorted and made disjoint (of two that overlap, the later
    one loses the overlap). spoken: the language as the user gave it, "" where it is found. Raises
    MaskError for a span outside the text.

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
    spoken: str = field(default_factory=said)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spans", normalise(self.text, self.spans))

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
        return tuple(word_offsets(self.text, self.spoken))

    @cached_property
    def hidden_words(self) -> tuple[int, ...]:
        """The indices of the words that are hidden, wholly or in part."""
        return tuple(
            i
            for i, (start, end) in enumerate(self.words)
            if any(c in self.characters for c in range(start, end))
        )

    @property
    def hidden_texts(self) -> tuple[str, ...]:
        """What each span hides, in the order of the text.

        >>> mask("Anna left.", "pattern", words="anna").hidden_texts
        ('Anna',)
        """
        return tuple(self.text[span.start : span.end] for span in self.spans)

    @property
    def realised_ratio(self) -> float:
        """Hidden words / words, in [0, 1]."""
        return len(self.hidden_words) / len(self.words) if self.words else 0.0

    def __or__(self, other: Mask) -> Mask:
        self._same_text(other)
        return self._combined("|", other, (*self.spans, *other.spans))

    def __and__(self, other: Mask) -> Mask:
        self._same_text(other)
        return self._combined("&", other, shared(self.spans, other.spans))

    def __sub__(self, other: Mask) -> Mask:
        self._same_text(other)
        return self._combined("-", other, cut(self.spans, other.characters))

    def __invert__(self) -> Mask:
        shown = (i for i, c in enumerate(self.text) if not c.isspace() and i not in self.characters)
        spans = tuple(
            MaskSpan(start, end, "not chosen by " + self.strategy) for start, end in runs(shown)
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
            spoken=self.spoken,
        )

    @cached_property
    def language(self) -> str | None:
        """The code of the text's language; None where it cannot be told."""
        return language_of(self.text, self.spoken).code

    def masked_text(self, operator: str = "mask") -> str:
        """Return the text as a person reads it after `operator`, one mark per hidden word.

        >>> Mask("Ann left", (MaskSpan(0, 3, label="PERSON"),)).masked_text("placeholder")
        '[PERSON] left'
        """
        return masked_text(self.text, self.spans, self.words, operator)

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
            "language": self.language,
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
        mask = cls(**mask_values(document))
        if text is not None and text != mask.text:
            raise MaskError(
                f"The mask belongs to another text, which begins {mask.text[:40]!r}: "
                "load that text first, or choose a mask of this one."
            )
        return mask
