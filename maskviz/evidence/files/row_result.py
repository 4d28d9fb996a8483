"""One row's result from a model's answers to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...masks.mask import Mask
from ...readings.heads import valued
from ...readings.question import Question
from ..statistics import divergence
from .rows import Row, joined
from .tally import RowEffect, RowResult


def row_result(
    row: Row,
    masks: Sequence[Mask],
    question: Question,
    names: Iterable[str],
    plain: Any,
    masked: Sequence[Any],
    chance: Sequence[Sequence[Any]] | None,
) -> RowResult:
    """Return what each mask changes; each answer is an array (outputs,).

    `chance` holds for each mask the answers under its random masks, None where none were asked for;
    chance changes nothing where a mask hides nothing, and a mask that no other is like has none.
    """
    head, index = question.head, question.answer(plain)
    before = question.chosen(plain)
    label = joined(question.outputs, before)
    effects = {}
    for i, (name, mask, answer) in enumerate(zip(names, masks, masked, strict=True)):
        after = question.chosen(answer)
        drawn = None if chance is None else chance[i] or (None if mask.spans else [plain])
        effects[name] = RowEffect(
            joined(question.outputs, after),
            float(answer[question.answer(answer)]),
            float(answer[index] - plain[index]),
            after != before,
            divergence(head, plain, answer),
            mask.realised_ratio,
            tuple(sorted({span.label for span in mask.spans if span.label})),
            None if drawn is None else _mean([question.chosen(a) != before for a in drawn]),
            _score(row, question, drawn),
            _roles(row, mask),
            mask.hidden_texts,
        )
    return RowResult(
        row.number, row.text, row.expected, label, float(plain[index]), effects, row.groups,
        masks[0].seed, row.cluster, row.spoken.to_dict() if row.spoken else None,
    )  # fmt: skip


def _roles(row: Row, mask: Mask) -> tuple[str, ...] | None:
    """Return who says what is hidden, None of a plain text."""
    if row.spoken is None:
        return None
    pieces = [p for span in mask.spans for p in row.spoken.pieces_in(span.start, span.end)]
    return tuple(sorted({piece.role for piece in pieces}))


def _score(row: Row, question: Question, drawn: Sequence[Any] | None) -> float | None:
    """Return the share of answers that are right; of a regression the mean error, or value."""
    if drawn is None or (row.expected is None and not valued(question.head)):
        return None
    if row.expected is None:
        return _mean([float(answer[0]) for answer in drawn])
    if question.head == "regression":
        return _mean([abs(float(answer[0]) - float(row.expected)) for answer in drawn])
    return _mean([joined(question.outputs, question.chosen(a)) == row.expected for a in drawn])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
