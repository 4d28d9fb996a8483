"""When to stop early: after some evaluations in a row without a lower loss on held-out rows.

What is needed is read from metrics.jsonl, so a resumed run stops where an uninterrupted one does.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any


class Patience:
    """Follows the loss on held-out rows: plain, or masked where there is no plain one."""

    def __init__(self, evaluations: int, task: str, folder: Path) -> None:
        self.evaluations = evaluations
        self.folder = folder
        self.watched = "masked_loss" if task == "mlm" else "plain_loss"

    @property
    def _losses(self) -> list[tuple[int, float]]:
        from ..folder import read_metrics

        return [
            (line["step"], line[self.watched])
            for line in read_metrics(self.folder)
            if line.get(self.watched) is not None
        ]

    @property
    def best_step(self) -> int | None:
        """The step with the lowest loss, where stopping early is asked for."""
        if not self.evaluations:
            return None
        finite = [(loss, step) for step, loss in self._losses if math.isfinite(loss)]
        return min(finite)[1] if finite else None

    @property
    def is_over(self) -> bool:
        """Whether the loss has not fallen for as many evaluations as asked for."""
        best = self.best_step
        later = [step for step, _ in self._losses if best is not None and step > best]
        return len(later) >= self.evaluations > 0

    def look(self, control: Any, step: int) -> None:
        """After an evaluation: keep the best weights, and stop where patience is over."""
        if not self.evaluations:
            return
        if self.best_step == step:
            control.should_save = True
        if self.is_over:
            control.should_save = control.should_training_stop = True
