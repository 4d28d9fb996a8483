"""What a planted-distractor experiment found, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .experiment import Experiment

Figures = Mapping[str, tuple[float, float, float]]


@dataclass(frozen=True)
class Interference:
    """The figures of every arm, one sentence of finding, and what they say of the claim.

    arms: arm → figure → (mean, low, high); cells: arm → one dictionary of figures per seed.
    verdicts: each part of the claim, whether it holds (None: cannot be told), and the figures.
    """

    experiment: Experiment
    arms: Mapping[str, Figures]
    cells: Mapping[str, Sequence[Mapping[str, float]]]
    seconds: float
    finding: str = ""
    verdicts: tuple[tuple[str, bool | None, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; the keys are the command line's."""
        return {
            "arms": {arm: _arm_dict(figures) for arm, figures in self.arms.items()},
            "seeds": self.experiment.seeds,
            "finding": self.finding,
            "verdicts": [
                {"claim": claim, "holds": holds, "figures": said}
                for claim, holds, said in self.verdicts
            ],
            "experiment": self.experiment.settings(),
            "id": self.experiment.id,
            "cells": {arm: list(rows) for arm, rows in self.cells.items()},
            "seconds": round(self.seconds, 1),
        }


def _arm_dict(figures: Figures) -> dict[str, Any]:
    """Return the means by name; `ci95` is the interval of the reliance, `intervals` has all."""
    means: dict[str, Any] = {name: value[0] for name, value in figures.items()}
    intervals = {name: [value[1], value[2]] for name, value in figures.items()}
    return {**means, "ci95": intervals["reliance"], "intervals": intervals}
