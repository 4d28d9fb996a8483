"""Which rows a run answers right, kept so that two runs on the same rows can be compared in pairs.

`answers.json` in the run's folder: split → rows (a hash of texts and labels, in order) and, for
each mask, `right`, a 0 or 1 for every row. Only of classifications with one label a row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...paths import write_atomic
from ..data.rows import Part
from ..spec.spec import SINGLE

if TYPE_CHECKING:
    from .trainer import MaskTrainer

NAME = "answers.json"


class Answers:
    """Listens to the evaluations of a trainer."""

    def __init__(self, trainer: MaskTrainer) -> None:
        self._trainer = trainer
        self._kept: dict[str, dict[str, Any]] = {}

    @contextmanager
    def of(self, split: str, mask: str, part: Part, rows: Any) -> Iterator[None]:
        """Keep what is right of `rows`, which are read from long to short."""
        if self._trainer.spec.kind != SINGLE or self._trainer.args.world_size > 1:
            yield
            return
        from ..data.batches import SortedBatches

        order = SortedBatches(rows.lengths, self._trainer.args.eval_batch_size).order
        measure = self._trainer.compute_metrics
        if measure is None:
            yield
            return
        right = [0] * len(order)

        def listening(prediction: Any) -> dict[str, float]:
            pairs = zip(prediction.predictions, prediction.label_ids, strict=True)
            for row, (answer, label) in zip(order, pairs, strict=True):
                right[row] = int(answer == label)
            return dict(measure(prediction))

        self._trainer.compute_metrics = listening
        try:
            yield
        finally:
            self._trainer.compute_metrics = measure
        own = self._kept.setdefault(split, {"rows": _hash(part), "right": {}})
        own["right"][mask] = "".join(map(str, right))

    def save(self, folder: Path) -> None:
        """Write what was kept into the run's folder."""
        if self._kept:
            write_atomic(folder / NAME, json.dumps(self._kept))


def _hash(part: Part) -> str:
    """Return a short name of texts and labels, in their order."""
    digest = hashlib.blake2b(digest_size=16)
    for text, label in zip(part.texts, part.labels, strict=True):
        digest.update(json.dumps([text, str(label)]).encode())
    return digest.hexdigest()


def answers_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what is kept of a run, empty where nothing is."""
    try:
        found: dict[str, dict[str, Any]] = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found
