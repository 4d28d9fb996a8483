"""What a distraction experiment found, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...data.distraction import FAMILIES
from .experiment import COUNTS, Experiment

Figure = tuple[float, float, float]  # mean, low, high
Figures = Mapping[str, Figure]
SHOWN = ("irrelevant", "filler", "masked")  # what stands beside the facts of a test
MEASURES = ("accuracy", "log_p", "preferred", "tokens")
SUMMARIES = (
    "beyond", "cost", "cost_log_p", "slope_accuracy", "slope_accuracy_filler", "slope_log_p",
    "slope_log_p_filler", "hidden",
)  # fmt: skip


@dataclass(frozen=True)
class Distraction:
    """The figures of every arm, one sentence of finding, and what they say of the claim.

    arms: arm → figure → (mean, low, high); cells: arm → one dictionary of figures per seed.
    verdicts: each part of the claim, whether it holds (None: cannot be told), and the figures;
    none of fewer than five seeds.
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
            "experiment": asdict(self.experiment),
            "id": self.experiment.id,
            "cells": {arm: list(rows) for arm, rows in self.cells.items()},
            "seconds": round(self.seconds, 1),
        }


def _arm_dict(figures: Figures) -> dict[str, Any]:
    """Return an arm's figures: a curve of points, and those over all k with their intervals."""
    summaries = [name for name in SUMMARIES if name in figures]
    return {
        "curve": [_point(figures, shown, k) for shown in SHOWN for k in COUNTS
                  if f"accuracy_{shown}_{k}" in figures],
        **{name: figures[name][0] for name in summaries},
        "intervals": {name: list(figures[name][1:]) for name in summaries},
    }  # fmt: skip


def _point(figures: Figures, shown: str, k: int) -> dict[str, Any]:
    """Return one point: k sentences of a kind, each measure, and its interval over seeds."""
    found: dict[str, Any] = {"beside": shown, "k": k}
    for name in MEASURES:
        mean, low, high = figures[f"{name}_{shown}_{k}"]
        found |= {name: mean} if name == "tokens" else {name: mean, f"{name}_ci95": [low, high]}
    if shown == "irrelevant":
        found["families"] = {family: figures[f"accuracy_{family}_{k}"][0] for family in FAMILIES}
    return found
