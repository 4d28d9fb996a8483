"""The loss mask: what of a conversation a model is to learn, and how strongly.

Spans over contents with a weight in (0, 1], and for each turn the weight of its end: whether the
model learns to stop there. As a `Mask` it belongs to a text, not to a model; a model's template
resolves it to tokens (`resolving`). Weights combine character by character:

    a | b = max(a, b)      a & b = min(a, b)      a - b = max(0, a − b)      ~a = 1 − a
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from typing import Any

from ...errors import MaskError
from ...models.chat.own import OWN
from ...text.conversation import Conversation
from ..reading import json_list, json_object

Combine = Callable[[float, float], float]


@dataclass(frozen=True)
class LossSpan:
    """Characters `text[start:end]` of a conversation's contents that are learned, and why."""

    start: int
    end: int
    weight: float = 1.0
    reason: str = ""


@dataclass(frozen=True, eq=False)
class LossMask:
    """What is learned of one conversation.

    spans: sorted and disjoint, each inside one content (what stands over a border is cut there).
    end_of_turn: a weight in [0, 1] for each turn. Raises MaskError for a span outside the text, a
    weight outside its range, spans that overlap, or another number of turns.

    >>> from maskviz.text.conversation import Turn
    >>> hi = Conversation((Turn("user", "Hi"), Turn("assistant", "Hello you")))
    >>> mask = LossMask(hi, (LossSpan(4, 9),), (0, 1))
    >>> [(item["turn"], item["text"]) for item in mask.to_dict()["learned"]]
    [(1, 'Hello')]
    """

    conversation: Conversation
    spans: tuple[LossSpan, ...] = ()
    end_of_turn: tuple[float, ...] = ()
    strategy: str = "manual"

    def __post_init__(self) -> None:
        turns = len(self.conversation.turns)
        ends = tuple(map(float, self.end_of_turn or (0.0,) * turns))
        if len(ends) != turns:
            raise MaskError(
                f"end_of_turn has {len(ends)} weights and the conversation {turns} turns: give "
                "one for each."
            )
        if not all(0 <= weight <= 1 for weight in ends):
            raise MaskError(f"end_of_turn is {list(ends)}: give weights from 0 to 1.")
        object.__setattr__(self, "end_of_turn", ends)
        object.__setattr__(self, "spans", tuple(self._within(self.spans)))

    def _within(self, spans: Iterable[LossSpan]) -> Iterable[LossSpan]:
        text, reach = self.conversation.text, 0
        for span in sorted(spans, key=lambda s: (s.start, s.end)):
            if not 0 < span.weight <= 1:
                raise MaskError(f"A span is learned with weight {span.weight}: give 0 to 1.")
            if not reach <= span.start <= span.end <= len(text):
                raise MaskError(
                    f"The learned span {span.start}–{span.end} lies outside the contents of "
                    f"{len(text)} characters or over another one: correct it."
                )
            reach = span.end
            for piece in self.conversation.pieces_in(span.start, span.end):
                start, end = max(span.start, piece.start), min(span.end, piece.end)
                if start < end:
                    yield replace(span, start=start, end=end)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LossMask):
            return NotImplemented
        return (self.conversation, self._plain, self.end_of_turn) == (
            other.conversation,
            other._plain,
            other.end_of_turn,
        )

    def __hash__(self) -> int:
        return hash((self.conversation.text, self._plain, self.end_of_turn))

    @cached_property
    def _plain(self) -> tuple[tuple[int, int, float], ...]:
        """The spans without their reasons, those in one that meet with the same weight."""
        found: list[tuple[int, int, float]] = []
        for s in self.spans:
            if found and found[-1][1:] == (s.start, s.weight):
                found[-1] = (found[-1][0], s.end, s.weight)
            else:
                found.append((s.start, s.end, s.weight))
        return tuple(found)

    @cached_property
    def _starts(self) -> list[int]:
        return [span.start for span in self.spans]

    def at(self, character: int) -> LossSpan | None:
        """Return the span that a character of the contents lies in; None: it is not learned."""
        i = bisect_right(self._starts, character) - 1
        span = self.spans[i] if i >= 0 else None
        return span if span is not None and character < span.end else None

    @cached_property
    def weights(self) -> list[float]:
        """The weight of each character of the contents."""
        found = [0.0] * len(self.conversation.text)
        for span in self.spans:
            found[span.start : span.end] = [span.weight] * (span.end - span.start)
        return found

    @property
    def learns(self) -> bool:
        """Whether anything is learned at all."""
        return bool(self.spans) or any(self.end_of_turn)

    def __or__(self, other: LossMask) -> LossMask:
        return self._combined("|", other, max)

    def __and__(self, other: LossMask) -> LossMask:
        return self._combined("&", other, min)

    def __sub__(self, other: LossMask) -> LossMask:
        return self._combined("-", other, lambda a, b: max(0.0, a - b))

    def __invert__(self) -> LossMask:
        """Return the rest of all contents; of ends, of the assistant's turns."""
        turns = self.conversation.turns
        ends = tuple(float(turn.role == OWN) for turn in turns)
        pieces = (LossSpan(p.start, p.end) for p in self.conversation.pieces)
        rest = LossMask(self.conversation, tuple(pieces), ends) - self
        return replace(rest, strategy=f"~({self.strategy})")

    def scaled(self, weight: float) -> LossMask:
        """Return the same with every weight multiplied by one in (0, 1]."""
        spans = tuple(replace(span, weight=span.weight * weight) for span in self.spans)
        ends = tuple(end * weight for end in self.end_of_turn)
        return replace(self, spans=spans, end_of_turn=ends)

    def _combined(self, sign: str, other: LossMask, combine: Combine) -> LossMask:
        if self.conversation != other.conversation:
            raise MaskError(
                "The two loss masks belong to different conversations: make both of the same one."
            )
        edges = {e for mask in (self, other) for s in mask.spans for e in (s.start, s.end)}
        found: list[LossSpan] = []
        for start, end in pairwise(sorted(edges)):
            here, there = self.at(start), other.at(start)
            own, given = here.weight if here else 0.0, there.weight if there else 0.0
            if (weight := combine(own, given)) > 0:
                said = [s.reason for s in (here, there) if s and s.weight >= weight and s.reason]
                found.append(LossSpan(start, end, weight, "; ".join(dict.fromkeys(said))))
        ends = tuple(map(combine, self.end_of_turn, other.end_of_turn))
        name = f"({self.strategy} {sign} {other.strategy})"
        return LossMask(self.conversation, tuple(found), ends, name)

    def to_dict(self) -> dict[str, Any]:
        """Return the loss mask as JSON-ready values; characters are those of all contents."""
        text = self.conversation.text
        return {
            "text_sha256": stamp(self.conversation),
            "strategy": self.strategy,
            "learned": [
                {
                    "turn": piece.turn if (piece := self.conversation.piece_at(s.start)) else None,
                    "start": s.start,
                    "end": s.end,
                    "text": text[s.start : s.end],
                    "weight": s.weight,
                    "reason": s.reason,
                }
                for s in self.spans
            ],
            "end_of_turn": list(self.end_of_turn),
        }

    def to_json(self) -> str:
        """Return the loss mask as a JSON document."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2)

    @classmethod
    def from_json(cls, document: str | bytes, conversation: Conversation) -> LossMask:
        """Read a loss mask back; raises MaskError where it is none, or of another conversation."""
        values = json_object(document, "loss mask", _NEXT)
        if values.get("text_sha256", stamp(conversation)) != stamp(conversation):
            raise MaskError(
                "The loss mask belongs to another conversation: load that one first, or choose a "
                "mask of this one."
            )
        spans = tuple(_span(item) for item in json_list(values, "learned", "loss mask", _NEXT))
        ends = json_list(values, "end_of_turn", "loss mask", _NEXT)
        if not all(_is_number(end) for end in ends):
            raise MaskError(f"end_of_turn is {str(ends)[:60]}: give weights from 0 to 1.")
        return cls(conversation, spans, tuple(ends), str(values.get("strategy", "manual")))


def stamp(conversation: Conversation) -> str:
    """Return the SHA-256 of what is said and by whom, in hexadecimal."""
    said = [[p.turn, p.role, p.kind] for p in conversation.pieces]
    return sha256(json.dumps([said, conversation.text]).encode()).hexdigest()


_NEXT = "give 'learned', a list of {turn, start, end, weight}, and 'end_of_turn', weights."


def _span(item: Any) -> LossSpan:
    wanted = isinstance(item, dict) and all(type(item.get(k)) is int for k in ("start", "end"))
    if not wanted or not _is_number(item.get("weight", 1.0)):
        raise MaskError(f"{str(item)[:60]} is no learned span: {_NEXT}")
    weight = float(item.get("weight", 1.0))
    return LossSpan(item["start"], item["end"], weight, str(item.get("reason", "")))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
