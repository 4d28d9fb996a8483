"""When to stop early: after some evaluations in a row without a better one on held-out rows.

Better is a lower loss, or a higher accuracy, of all rows or of the worst group. What is needed is
read from metrics.jsonl, so a resumed run stops where an uninterrupted one does.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any


class Patience:
    """Follows a figure on held-out rows: plain, or masked where there is no plain one."""

    def __init__(self, evaluations: int, task: str, folder: Path, metric: str = "loss") -> None:
        self.evaluations = evaluations
        self.folder = folder
        self.watched = "masked_loss" if task == "mlm" else f"plain_{metric}"
        self._sign = 1 if metric == "loss" else -1
        self._keeps = bool(evaluations) or metric != "loss"

    @property
    def said(self) -> str:
        """What the best weights are best in."""
        if self._sign > 0:
            return "the loss was lowest"
        return f"{self.watched.removeprefix('plain_').replace('_', ' ')} was highest"

    @property
    def _costs(self) -> list[tuple[int, float]]:
        """The figure after each evaluation, less being better."""
        from ..folder import read_metrics

        return [
            (line["step"], self._sign * line[self.watched])
            for line in read_metrics(self.folder)
            if line.get(self.watched) is not None
        ]

    @property
    def best_step(self) -> int | None:
        """The first step with the best figure, where the best weights are to be kept."""
        if not self._keeps:
            return None
        finite = [(cost, step) for step, cost in self._costs if math.isfinite(cost)]
        return min(finite)[1] if finite else None

    @property
    def is_over(self) -> bool:
        """Whether nothing was better for as many evaluations as asked for."""
        best = self.best_step
        later = [step for step, _ in self._costs if best is not None and step > best]
        return len(later) >= self.evaluations > 0

    def look(self, control: Any, step: int) -> None:
        """After an evaluation: keep the best weights, and stop where patience is over."""
        if not self._keeps:
            return
        if self.best_step == step:
            control.should_save = True
        if self.is_over:
            control.should_save = control.should_training_stop = True
