"""Distraction: do irrelevant sentences disturb a decoder, and which tuning cures it?

Generated questions (look up, compare, add small numbers) with k = 0, 1, 2, 4, 8 irrelevant
sentences; beside each the same question with as much neutral filler (`maskviz.data.distraction`).
Arms are tuned on k ≤ 2 and differ only in what is hidden while they are:

    base       not tuned                       plain      nothing
    masked     not tuned, and irrelevant       random     as many words as `oracle`, at random
               sentences hidden at test        sentence   as many words, in whole sentences
    reasoned   nothing; it writes down first   oracle     exactly the irrelevant sentences
               the facts that it takes         thought    as reasoned, and of what it has written
                                                          40 % of the words (masked thought)

By words alone, from a billion weights on where no arms are named: `instruction` is not tuned and
told at test to ignore what is irrelevant; `inoculation` is tuned as `plain`, with the trait named
in training and not at test (arXiv:2510.04340).

Masks of training hide neither questions nor answers. Every arm but `masked` is tested with
nothing hidden, the tuned ones with the irrelevant sentences hidden as well.

    cost   = accuracy beside filler − accuracy beside irrelevant sentences, mean over k > 0
    beyond = accuracy beside 4 and 8 irrelevant sentences, more than in training
    slope  = least squares of accuracy, or of ln p of the right answer, over k

Each seed draws questions, masks and batches anew; figures are means over seeds with Student's 95 %
interval, differences between arms paired by seed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...paths import assets
from ...training.folder import read_json
from ..cells import Cells, Listener, read_cells, run_missing
from ..intervals import mean_interval
from .cell import run_cell
from .experiment import Experiment
from .result import Distraction, Figure
from .words import finding, verdicts


def distraction(
    experiment: Experiment | None = None, listener: Listener | None = None, processes: int = 1
) -> Distraction:
    """Run the experiment and return its figures; cells finished before are read, not run.

    processes: how many cells run side by side, 0 for one per core (one where a GPU trains). More
    than one are started afresh, so a script that asks for them needs
    `if __name__ == "__main__":`.

    >>> distraction(Experiment(rows=720, tests=120, steps=90, seeds=2)).finding  # doctest: +SKIP
    'mini-chat answers 19.6 % of the questions right, beside 8 irrelevant sentences 3.3 %, ...'
    """
    experiment = experiment or Experiment()
    seconds = run_missing(experiment, run_cell, listener, processes)
    return summarise(experiment, read_cells(experiment), seconds)


def known_cells(experiment: Experiment) -> Cells:
    """Return what was measured here, or else what came with maskviz for the very same weights.

    The latter is of `maskviz bench distraction --quick --json`, kept among the assets, without
    the arms that were not measured then.
    """
    cells = read_cells(experiment)
    kept = read_json(assets() / "distraction.json")
    if cells["base"] or kept.get("id") != experiment.id:
        return cells
    return {
        arm: kept["cells"][arm][: experiment.seeds]
        for arm in experiment.arms
        if arm in kept["cells"]
    }


def summarise(
    experiment: Experiment, cells: Mapping[str, Sequence[Mapping[str, float]]], seconds: float = 0.0
) -> Distraction:
    """Return means with intervals over seeds, and what they say."""
    arms = {
        arm: {name: _possible(name, [row[name] for row in rows]) for name in next(iter(rows), ())}
        for arm, rows in cells.items()
    }
    found = Distraction(experiment, arms, cells, seconds)
    return replace(found, finding=finding(found), verdicts=tuple(verdicts(found)))


def _possible(name: str, values: Sequence[float]) -> Figure:
    """Return a mean with its interval; that of a share stays within 0 and 1."""
    mean, low, high = mean_interval(values)
    share = name.startswith(("accuracy", "preferred", "beyond", "hidden"))
    if math.isnan(low) or not share:
        return mean, low, high
    return mean, max(low, 0.0), min(high, 1.0)
