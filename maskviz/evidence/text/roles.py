"""A conversation broken down: what each role's part of a mask does, and each turn hidden alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...errors import CapabilityError, MaskError
from ...masks.encoding import Encoding
from ...masks.mask import Mask
from ...masks.spans import MaskSpan
from ...readings.language.answering import FLIP, written
from ...readings.question import Question
from ...readings.windows import answers_of, encodings_of
from ...text.conversation import Conversation
from .compare import Comparison
from .scale import Scale

Read = Sequence[Encoding]  # of one mask, its windows
Moved = tuple[float | None, bool | None]  # delta, flip
_NOTHING: Moved = (None, None)


@dataclass(frozen=True)
class RoleEffect:
    """What the part of a mask does that hides what one role says.

    words: how many it hides. delta: by how far the comparison's figure (`Scale`) moves; None where
    nothing would be left to read.
    """

    role: str
    words: int
    delta: float | None
    flip: bool | None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        return dict(vars(self))


@dataclass(frozen=True)
class TurnEffect:
    """What it does to hide one whole turn by itself.

    turn: its number, the first is 1. hidden: how many of its words the mask hides. delta: as
    `RoleEffect` has it. flip: None where only what the model writes would tell it, too.
    """

    turn: int
    role: str
    words: int
    hidden: int
    delta: float | None
    flip: bool | None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        return dict(vars(self))


def by_role(compared: Comparison, put: Question, long: str = "cut") -> list[RoleEffect]:
    """Return what each role's part of a mask does by itself; empty where there are no turns.

    >>> by_role(comparison, put)[0].role                          # doctest: +SKIP
    'system'
    """
    mask = compared.mask
    spoken = put.model.conversation(mask.text)
    if spoken is None:
        return []
    parts = {role: _said_by(mask, spoken, role) for role in spoken.roles}
    parts = {role: part for role, part in parts.items() if part.spans}
    found = _moved(compared, put, list(parts.values()), long, written_too=True)
    return [
        RoleEffect(role, len(part.hidden_words), *moved)
        for (role, part), moved in zip(parts.items(), found, strict=True)
    ]


def by_turn(compared: Comparison, put: Question, long: str = "cut") -> list[TurnEffect]:
    """Return what hiding each turn alone does, under the comparison's operator.

    Empty where there are no turns, or where one alone says anything.

    >>> [one.turn for one in by_turn(comparison, put)]            # doctest: +SKIP
    [1, 2]
    """
    mask = compared.mask
    spoken = put.model.conversation(mask.text)
    turns = [] if spoken is None else sorted({piece.turn for piece in spoken.pieces})
    if spoken is None or len(turns) < 2:
        return []
    parts = [_turn(mask.text, spoken, turn) for turn in turns]
    found = _moved(compared, put, parts, long)
    return [
        TurnEffect(
            turn + 1,
            spoken.turns[turn].role,
            len(part.hidden_words),
            len(set(part.hidden_words) & set(mask.hidden_words)),
            *moved,
        )
        for turn, part, moved in zip(turns, parts, found, strict=True)
    ]


def _moved(
    compared: Comparison,
    put: Question,
    masks: Sequence[Mask],
    long: str,
    written_too: bool = False,
) -> list[Moved]:
    """Return by how far each mask moves the comparison's value, and whether it flips the answer.

    None where nothing would be left to read; written_too: whether the model is let write where its
    outputs alone do not tell a flip.
    """
    plain = encodings_of([(Mask(compared.mask.text), "attention")], put.model, long)[0]
    reads = [_read(mask, compared.operator, put, long) for mask in masks]
    there = [one for one in reads if one is not None]
    answers = answers_of(put, [plain, *there])
    scale, before = Scale.of(compared), answers.prediction(0)
    numbers, found = iter(range(1, len(reads) + 1)), []
    for one in reads:
        if one is None:
            found.append(_NOTHING)
            continue
        after = answers.prediction(next(numbers))
        flip: bool | None = after.chosen != before.chosen
        if not put.kind.flips(put.given):
            flip = _writes_other(put, plain, one) if written_too else None
        found.append((scale.value(after) - scale.value(before), flip))
    return found


def _read(mask: Mask, operator: str, put: Question, long: str) -> list[Encoding] | None:
    try:
        return encodings_of([(mask, operator)], put.model, long)[0]
    except (CapabilityError, MaskError):
        return None


def _writes_other(put: Question, plain: Read, masked: Read) -> bool:
    """Tell whether a model goes on with other tokens."""
    if put.name != "answer":
        return bool(put.detail(plain[0], masked[0])["flip"])
    first, second = (written(put.model, one[0], FLIP) for one in (plain, masked))
    return first != second


def _turn(text: str, spoken: Conversation, turn: int) -> Mask:
    own = [piece for piece in spoken.pieces if piece.turn == turn]
    return Mask(text, tuple(MaskSpan(piece.start, piece.end, "said in it") for piece in own))


def _said_by(mask: Mask, spoken: Conversation, role: str) -> Mask:
    spans = [
        replace(span, start=max(span.start, piece.start), end=min(span.end, piece.end))
        for span in mask.spans
        for piece in spoken.pieces_in(span.start, span.end)
        if piece.role == role
    ]
    kept: tuple[MaskSpan, ...] = tuple(spans)
    return replace(mask, spans=kept)
