"""Plausibility: do the words that an explanation ranks first match those that people marked?

After ERASER (DeYoung et al. 2020, https://arxiv.org/abs/1911.03429, section 4.2). The top words of
a text are as many as people mark on average: the mean share over the data set times its words.

    token-F1   harmonic mean of precision and recall of the top words against the marked ones
    IoU-F1     the same over runs of words; a run matches one whose overlap / union is ≥ 0.5
    average precision   of the scores, Σ (R_i − R_{i−1}) · P_i; needs no cut (ERASER's AUPRC)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...masks.mask import Mask
from ...models.model import Model
from ...readings.question import Question, Spec, asked
from ..statistics import bootstrap_interval
from .attribution import explain
from .rationales import Rationale, read_rationales

_MATCH = 0.5


@dataclass(frozen=True)
class Plausibility:
    """Agreement with people over a data set: means over its texts, with 95 % intervals.

    share: of the words that people mark, which sets how many top words count. An interval is None
        where the texts do not differ, as of one alone.
    """

    method: str
    model: str
    rows: int
    token_f1: float
    iou_f1: float
    average_precision: float
    token_f1_ci95: tuple[float, float] | None
    iou_f1_ci95: tuple[float, float] | None
    average_precision_ci95: tuple[float, float] | None
    share: float
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        return {**vars(self), "notes": list(self.notes)}


def plausibility(
    source: str | Path | bytes | Sequence[Rationale],
    method: str = "occlusion",
    model: Model | str | Question = "mini",
    *,
    rows: int | None = None,
    long: str = "cut",
    seed: int = 0,
    name: str | None = None,
    question: Spec = "labels",
) -> Plausibility:
    """Score the texts of a file and hold the scores against the marked spans.

    For the file see `read_rationales`; `rows` takes the first so many. Raises DataError.
    """
    from itertools import islice

    put = asked(model, question)
    items = list(islice(_rationales(source, name), rows))
    notes: tuple[str, ...] = ()
    if long == "cut":
        items, notes = _within_reach(items, put.model)
    if not items:
        raise DataError(
            "No row has both a text and marked words that the model reads: mark a span in at least "
            "one, or read long texts in windows."
        )
    share = sum(len(r.words) / len(Mask(r.text).words) for r in items) / len(items)
    found = []
    for item in items:
        scores = [w.score for w in explain(item.text, put, method, None, long, seed).words]
        found.append(agreement(scores, item.words, max(1, round(share * len(scores)))))
    columns = [list(column) for column in zip(*found, strict=True)]
    f1, iou, area = (sum(column) / len(column) for column in columns)
    f1_ci95, iou_ci95, area_ci95 = (_interval(column) for column in columns)
    return Plausibility(
        method,
        put.model.name,
        len(items),
        f1,
        iou,
        area,
        f1_ci95,
        iou_ci95,
        area_ci95,
        share,
        notes,
    )


def _interval(values: Sequence[float]) -> tuple[float, float] | None:
    low, high = bootstrap_interval(values)
    return (low, high) if low < high else None


def _within_reach(
    items: Sequence[Rationale], model: Model
) -> tuple[list[Rationale], tuple[str, ...]]:
    """Return the texts as far as the model reads them, and a note on the marks behind that.

    A word that is never read has no score: to count it as missed would blame the method.
    """
    kept, cut, marks, beyond = [], 0, 0, 0
    for item in items:
        end = model.tokenise(item.text).truncated_at
        words = Mask(item.text).words
        read = item.words if end is None else {i for i in item.words if words[i][0] < end}
        cut += end is not None
        marks += len(item.words)
        beyond += len(item.words) - len(read)
        if read:
            text = item.text if end is None else item.text[: _end_of_word(words, end)]
            kept.append(Rationale(item.row, text, frozenset(read)))
    note = (
        f"{cut} of {len(items)} texts are longer than {model.name} reads: {beyond} of {marks} "
        "marked words lie behind that and do not count; read in windows, all do."
    )
    return kept, (note,) if cut else ()


def _end_of_word(words: Sequence[tuple[int, int]], end: int) -> int:
    return next((e for s, e in words if s < end <= e), end)


def _rationales(
    source: str | Path | bytes | Sequence[Rationale], name: str | None
) -> Iterable[Rationale]:
    if isinstance(source, str | Path | bytes):
        return read_rationales(source, name)
    return source


def agreement(
    scores: Sequence[float], marked: frozenset[int], top: int
) -> tuple[float, float, float]:
    """Return token-F1, IoU-F1 and average precision of one text.

    >>> agreement([0.9, 0.1, 0.8], frozenset({0, 2}), 2)
    (1.0, 1.0, 1.0)
    """
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    chosen = frozenset(order[:top])
    return token_f1(chosen, marked), iou_f1(chosen, marked), average_precision(scores, marked)


def token_f1(chosen: frozenset[int], marked: frozenset[int]) -> float:
    """Return 2PR / (P + R) over words; 0 where nothing is shared."""
    return 2 * len(chosen & marked) / max(1, len(chosen) + len(marked))


def iou_f1(chosen: frozenset[int], marked: frozenset[int]) -> float:
    """Return F1 over runs of words; a run counts where one of the other side overlaps it by half.

    Overlap is intersection / union of words, and 0.5 is enough.
    """
    mine, theirs = list(_runs(chosen)), list(_runs(marked))
    if not mine or not theirs:
        return 0.0
    hits = [any(_iou(a, b) >= _MATCH for b in theirs) for a in mine]
    found = [any(_iou(a, b) >= _MATCH for a in mine) for b in theirs]
    precision, recall = sum(hits) / len(mine), sum(found) / len(theirs)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _runs(words: Iterable[int]) -> Iterator[frozenset[int]]:
    run: set[int] = set()
    for word in sorted(words):
        if run and word - 1 not in run:
            yield frozenset(run)
            run = set()
        run.add(word)
    if run:
        yield frozenset(run)


def _iou(one: frozenset[int], other: frozenset[int]) -> float:
    return len(one & other) / len(one | other)


def average_precision(scores: Sequence[float], marked: frozenset[int]) -> float:
    """Return Σ (R_i − R_{i−1}) · P_i over the distinct scores from high to low; ties go together.

    It is scikit-learn's `average_precision_score`.
    """
    import numpy as np

    if not marked:
        return 0.0
    values = np.asarray(scores, float)
    truth = np.array([i in marked for i in range(len(values))])
    area = before = 0.0
    for threshold in np.unique(values)[::-1]:
        taken = values >= threshold
        recall = (taken & truth).sum() / truth.sum()
        area += (recall - before) * (taken & truth).sum() / taken.sum()
        before = recall
    return float(area)
