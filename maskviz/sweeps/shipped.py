"""Finished experiments that come with maskviz, for a first visitor to see what comes out.

`recipes/experiments.py` makes them: real runs, a sweep and a pre-training, as the commands there
give them. The folders of runs hold no models.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..paths import assets
from ..training.folder import Run, read_json, read_run
from .pretraining import Pretrained
from .results import Group, Results

RUNS = ("plain", "attribute")


def folder() -> Path:
    """Return where they are kept."""
    return assets() / "experiments"


def shipped_runs() -> list[Run]:
    """Return the two runs: tuned on plain rows, and with what the strategy finds hidden.

    >>> [run.state for run in shipped_runs()]
    ['done', 'done']
    """
    return [read_run(folder() / "runs" / name) for name in RUNS]


@lru_cache(maxsize=1)
def shipped_sweep() -> tuple[Results, str]:
    """Return what the sweep found, and the command that it was."""
    kept = read_json(folder() / "sweep.json")
    groups = tuple(_group(found, kept["results"]) for found in kept["results"])
    return Results(kept["measure"], groups, max(len(g.values) for g in groups)), kept["command"]


@lru_cache(maxsize=1)
def shipped_pretraining() -> tuple[Pretrained, str]:
    """Return what the pre-training changed, and the command that it was."""
    kept = read_json(folder() / "pretraining.json")
    return Pretrained.from_dict(kept), kept["command"]


def _group(found: Mapping[str, Any], groups: list[dict[str, Any]]) -> Group:
    """Read a group back, with the plain baseline and the control that stand beside it."""
    plain = next(g for g in groups if g["role"] == "plain")
    same = ("operator", "realised_ratio")
    controls = (g for g in groups if g["role"] == "control" and all(g[k] == found[k] for k in same))
    control = next(controls, None) if found["role"] == "grid" else None
    return Group(
        found["strategy"], found["operator"], found["ratio"], found["role"],
        found["realised_ratio"],
        values=_by_seed(found),
        interval=(found["mean"], *found["ci95"]),
        plain={} if found["role"] == "plain" else _by_seed(plain),
        control=_by_seed(control) if control else {},
    )  # fmt: skip


def _by_seed(found: Mapping[str, Any]) -> dict[int, float]:
    return {int(seed): value for seed, value in found["values"].items()}
