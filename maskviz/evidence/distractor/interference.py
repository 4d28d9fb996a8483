"""The planted-distractor experiment: does hiding information that misleads keep a model from it?

A name, place, age or gender that says nothing of the label goes with it with strength ρ in
training; at test it is *aligned* with the label, *neutral* or *reversed*. Arms differ only in what
is hidden, in training and at test alike:

    plain      nothing                      random     as many words as `attribute`, at random
    entity     named entities               attribute  names, ages, genders, places of origin (any
                                                       place, where it is a place that is planted)
    key        the words that tell the labels apart, counted on the training rows
    oracle     exactly the planted words: what no method can know

A share of the training labels is turned (noise), so that the text alone is right less often than
what is planted: a model that knows the task well would else have nothing to gain from leaning on
it, and does not (Colored MNIST, Arjovsky et al. 2019). The tests have true labels.

    reliance = accuracy aligned − accuracy reversed
    recovery = (reliance plain − reliance arm) / reliance plain

Each seed draws rows, masks and batches anew; figures are means over seeds with Student's 95 %
interval, differences between arms paired by seed.
"""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...errors import ParameterError, UnknownNameError
from ...paths import home, write_atomic
from ..intervals import mean_interval

ARMS = ("plain", "random", "entity", "attribute", "key", "oracle")
TESTS = ("aligned", "neutral", "reversed")
FIGURES = (
    "accuracy_aligned", "accuracy_neutral", "accuracy_reversed", "reliance", "worst_group",
    "recovery", "leakage_text", "leakage_text_chance", "leakage_representation",
    "leakage_representation_chance",
)  # fmt: skip
QUICK = {"rows": 600, "steps": 60}
CACHE_VERSION = 1  # raise it when a cell's figures come to mean something else
OF_KIND = {"place": 1}  # the same for the cells of one kind
Listener = Callable[["Progress"], None]


@dataclass(frozen=True)
class Experiment:
    """What is asked for; the same values give the same figures.

    strength: ρ in [0.5, 1]; noise: η in [0, 0.5]; kind: name, place, age or gender; rows: to train
    on, each test set has a fifth of them; steps: optimiser steps of 32 rows. fresh: start from the
    pretrained encoder with a new head; otherwise from the classifier, which may know the task.
    """

    model: str = "mini"
    kind: str = "name"
    strength: float = 0.95
    noise: float = 0.25
    seeds: int = 5
    rows: int = 2000
    steps: int = 250
    learning_rate: float = 3e-4
    fresh: bool = True
    arms: tuple[str, ...] = ARMS

    def __post_init__(self) -> None:
        from ...data.distractor import KINDS

        for arm in self.arms:
            if arm not in ARMS:
                raise UnknownNameError.of("arm", arm, ARMS)
        if self.kind not in KINDS:
            raise UnknownNameError.of("kind of distractor", self.kind, KINDS)
        for name, low, high in (
            ("strength", 0.5, 1), ("noise", 0, 0.5), ("seeds", 2, 100), ("rows", 200, 100_000),
            ("steps", 1, 100_000),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise ParameterError(f"{name} is {value}: give {low} to {high:,}.")
        if "plain" not in self.arms:
            raise ParameterError("The arm 'plain' is what the others are measured by: keep it.")

    @property
    def id(self) -> str:
        """A short name that changes with everything that changes a cell, arms and seeds aside."""
        settings = {k: v for k, v in asdict(self).items() if k not in ("arms", "seeds")}
        version = CACHE_VERSION + OF_KIND.get(self.kind, 0)
        said = json.dumps([version, settings, weights_of(self.model)], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:12]

    @property
    def folder(self) -> Path:
        """Where the finished cells are kept, so that none is run twice."""
        return home() / "interference" / self.id


@dataclass(frozen=True)
class Progress:
    """How far an experiment is: `cell` of `cells` begins; `seconds_left` is None at first."""

    cell: int
    cells: int
    arm: str
    seed: int
    seconds_left: float | None


@dataclass(frozen=True)
class Interference:
    """The figures of every arm, and one sentence of finding.

    arms: arm → figure → (mean, low, high); cells: arm → one dictionary of figures per seed.
    """

    experiment: Experiment
    arms: Mapping[str, Mapping[str, tuple[float, float, float]]]
    cells: Mapping[str, Sequence[Mapping[str, float]]]
    seconds: float

    @property
    def finding(self) -> str:
        """Say what came out, also where it is not what was expected."""
        from .words import finding

        return finding(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; the keys are the command line's."""
        from .words import verdicts

        return {
            "arms": {arm: _arm_dict(figures) for arm, figures in self.arms.items()},
            "seeds": self.experiment.seeds,
            "finding": self.finding,
            "verdicts": [
                {"claim": claim, "holds": holds, "figures": said}
                for claim, holds, said in verdicts(self)
            ],
            "experiment": asdict(self.experiment),
            "id": self.experiment.id,
            "cells": {arm: list(rows) for arm, rows in self.cells.items()},
            "seconds": round(self.seconds, 1),
        }


def _arm_dict(figures: Mapping[str, tuple[float, float, float]]) -> dict[str, Any]:
    """Return the means by name; `ci95` is the interval of the reliance, `intervals` has all."""
    means: dict[str, Any] = {name: value[0] for name, value in figures.items()}
    intervals = {name: [value[1], value[2]] for name, value in figures.items()}
    return {**means, "ci95": intervals["reliance"], "intervals": intervals}


def interference(
    experiment: Experiment | None = None, listener: Listener | None = None, processes: int = 1
) -> Interference:
    """Run the experiment and return its figures; cells finished before are read, not run.

    processes: how many cells are trained side by side, 0 for one per core (one where a GPU
    trains). More than one are started afresh, so a script that asks for them needs
    `if __name__ == "__main__":`.

    >>> interference(Experiment(rows=600, steps=60)).finding       # doctest: +SKIP
    'Trained on plain text, the model loses 31.0 points of accuracy when the name turns ...'
    """
    from .cells import run_cells

    experiment = experiment or Experiment()
    began = time.monotonic()
    todo = [(seed, arm) for seed in range(experiment.seeds) for arm in experiment.arms]
    missing = [cell for cell in todo if not cell_file(experiment, *cell).is_file()]

    def tell(begun: int, finished: int, seed: int, arm: str) -> None:
        if listener:
            spent = time.monotonic() - began
            left = spent / finished * (len(missing) - finished) if finished else None
            number = len(todo) - len(missing) + begun
            listener(Progress(number, len(todo), arm, seed, left))

    run_cells(experiment, missing, tell, processes)
    return summarise(experiment, read_cells(experiment), time.monotonic() - began)


def run_cell(experiment: Experiment, seed: int, arm: str) -> None:
    """Tune one model, measure it and keep the figures; everything else is thrown away."""
    from .cell import measure

    with tempfile.TemporaryDirectory(prefix="maskviz-") as folder:
        figures = measure(experiment, arm, seed, Path(folder))
    write_atomic(cell_file(experiment, seed, arm), json.dumps(figures))


def cell_file(experiment: Experiment, seed: int, arm: str) -> Path:
    """Return where the figures of a cell are kept."""
    return experiment.folder / f"{arm}-{seed}.json"


def read_cells(experiment: Experiment) -> dict[str, list[dict[str, float]]]:
    """Return arm → figures per seed of the cells that are finished for every arm."""
    cells: dict[str, list[dict[str, float]]] = {arm: [] for arm in experiment.arms}
    for seed in range(experiment.seeds):
        files = [cell_file(experiment, seed, arm) for arm in experiment.arms]
        if all(file.is_file() for file in files):
            for arm, file in zip(experiment.arms, files, strict=True):
                cells[arm].append(json.loads(file.read_text(encoding="utf-8")))
    return cells


def known_cells(experiment: Experiment) -> dict[str, list[dict[str, float]]]:
    """Return what was measured here, or else what came with maskviz for the very same weights.

    The latter is what `maskviz bench interference --quick --json` prints, kept among the assets.
    """
    from ...paths import assets
    from ...training.folder import read_json

    cells = read_cells(experiment)
    if cells["plain"]:
        return cells
    kept = read_json(assets() / "interference.json")
    if kept.get("id") != experiment.id or not set(experiment.arms) <= set(kept["cells"]):
        return cells
    return {arm: kept["cells"][arm][: experiment.seeds] for arm in experiment.arms}


def summarise(
    experiment: Experiment, cells: Mapping[str, Sequence[Mapping[str, float]]], seconds: float = 0.0
) -> Interference:
    """Return means with intervals over seeds; recovery is a ratio of means, see `recovery`."""
    arms = {}
    plain = [row["reliance"] for row in cells["plain"]]
    for arm, rows in cells.items():
        names = [name for name in FIGURES if name != "recovery"]
        figures = {name: _possible(name, [row[name] for row in rows]) for name in names}
        own = [row["reliance"] for row in rows]
        arms[arm] = {**figures, "recovery": recovery(plain, own)}
    return Interference(experiment, arms, cells, seconds)


def _possible(name: str, values: Sequence[float]) -> tuple[float, float, float]:
    """Return a mean with its interval, which of few seeds would reach beyond what can be."""
    mean, low, high = mean_interval(values)
    least = -1.0 if name == "reliance" else 0.0
    return (mean, low, high) if math.isnan(low) else (mean, max(low, least), min(high, 1.0))


def recovery(plain: Sequence[float], arm: Sequence[float]) -> tuple[float, float, float]:
    """Return (Σ plain − Σ arm) / Σ plain over paired seeds, with a jackknife 95 % interval.

    One seed whose plain reliance is near 0 would make a mean of ratios meaningless; a ratio of
    means is not moved so (Cochran 1977, section 6.3). All three are NaN where the plain arm leans
    on nothing.
    """
    total = sum(plain)
    if total <= 0:
        return (float("nan"),) * 3
    whole = (total - sum(arm)) / total
    if len(plain) < 2:
        return whole, float("nan"), float("nan")
    parts = []
    for p, a in zip(plain, arm, strict=True):
        rest = total - p
        parts.append((rest - (sum(arm) - a)) / rest if rest > 0 else whole)
    n = len(parts)
    pseudo = [n * whole - (n - 1) * part for part in parts]
    _, low, high = mean_interval(pseudo)
    half = (high - low) / 2
    return whole, whole - half, whole + half


def weights_of(model: str) -> str:
    """Return what tells two versions of a model apart: a cell belongs to the weights it tuned."""
    from ...models.locate import locate

    folder = Path(locate(model))
    files = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    stamps = tuple((str(f), f.stat().st_mtime_ns, f.stat().st_size) for f in files)
    return _digest(stamps) if files else str(folder)


@lru_cache(maxsize=32)
def _digest(stamps: tuple[tuple[str, int, int], ...]) -> str:
    """Read the files once; time and size tell whether they have changed since."""
    digest = hashlib.sha256()
    for file, _, _ in stamps:
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()
