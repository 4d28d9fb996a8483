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

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...paths import assets
from ...training.folder import read_json
from ..cells import Listener, cell_file, read_cells, run_missing
from ..intervals import mean_interval
from .cell import frame_of, run_cell, start_of
from .experiment import Experiment
from .result import Interference
from .words import finding, verdicts

FIGURES = (
    "accuracy_aligned", "accuracy_neutral", "accuracy_reversed", "reliance", "worst_group",
    "recovery", "leakage_text", "leakage_text_chance", "leakage_representation",
    "leakage_representation_chance",
)  # fmt: skip


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
    experiment = experiment or Experiment()
    _check_rows(experiment)
    seconds = run_missing(
        experiment, run_cell, listener, processes, lambda: start_of(experiment)
    )  # what all start from is written once, before several look for it
    return summarise(experiment, read_cells(experiment), seconds)


def _check_rows(experiment: Experiment) -> None:
    """Raise what one's own rows of any seed would raise, before the first is trained on."""
    if experiment.own is not None:
        for seed in range(experiment.seeds):
            if not all(cell_file(experiment, seed, arm).is_file() for arm in experiment.arms):
                frame_of(experiment, seed)


def known_cells(experiment: Experiment) -> dict[str, list[dict[str, float]]]:
    """Return what was measured here, or else what came with maskviz for the very same weights.

    The latter is what `maskviz bench interference --quick --json` prints, kept among the assets.
    """
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
    found = Interference(experiment, arms, cells, seconds)
    return replace(found, finding=finding(found), verdicts=tuple(verdicts(found)))


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
