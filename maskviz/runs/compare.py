"""Runs side by side: one row each, and the settings in which they differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..models.locate import public_name
from ..text.percent import percent
from ..training.folder import Run
from ..training.loop.ending import unequal

if TYPE_CHECKING:
    from ..training.spec.spec import RunSpec

_NAMED = 2  # runs that are named beside the most accurate one


def reversed_accuracy(run: Run) -> float | None:
    """Return the accuracy with the distractor reversed, on inputs as the run was trained."""
    figures = run.metrics
    return figures.get("accuracy_reversed_masked", figures.get("accuracy_reversed_plain"))


def finding(runs: Sequence[Run]) -> str:
    """Say in one sentence what the runs show: the best and the worst where it matters.

    Where there is a distractor, that is the accuracy once it is reversed.
    """
    active = sum(not run.is_over for run in runs)
    going = f" {active} still going." if active else ""
    done = [run for run in runs if run.state == "done"]
    turned = [(right, run) for run in done if (right := reversed_accuracy(run)) is not None]
    going = f"{_early(done)}{going}"
    if len(turned) > 1:
        (most, best), (least, worst) = (pick(turned, key=itemgetter(0)) for pick in (max, min))
        return (
            f"With the distractor reversed, {best.id} ({best.spec.masking}) is right in "
            f"{percent(most, 0)} and {worst.id} ({worst.spec.masking}) in "
            f"{percent(least, 0)} of the rows.{going}"
        )
    rated = [run for run in done if "accuracy_plain" in run.metrics]
    if rated:
        return f"{_most_accurate(rated)}{going}"
    return f"{len(runs)} run{'s' * (len(runs) > 1)}, none with a result yet.{going}"


def _most_accurate(runs: Sequence[Run]) -> str:
    """Name the most accurate run where that can be told: the same data, intervals apart."""
    first, *rest = sorted(runs, key=lambda run: -run.metrics["accuracy_plain"])
    if any(run.spec.data != first.spec.data for run in rest):
        return "The runs have different data, so that their accuracies cannot be compared."
    near = [run for run in rest if _reach(first, -1) <= _reach(run, 1)]
    if near:
        others = " and ".join(f"{run.id} ({_accuracy(run)})" for run in near[:_NAMED])
        more = f" and {len(near) - _NAMED} more" if len(near) > _NAMED else ""
        return (
            f"{first.id} ({_accuracy(first)}) and {others}{more} cannot be told apart in accuracy."
        )
    return f"{first.id} is the most accurate: {_accuracy(first)}."


def _reach(run: Run, sign: int) -> float:
    """Return an end of the 95 % interval of a run's accuracy; without one it is not known."""
    half = run.metrics.get("ci95_plain")
    return run.metrics["accuracy_plain"] + sign * (math.inf if half is None else half)


def _accuracy(run: Run) -> str:
    half = run.metrics.get("ci95_plain")
    shown = percent(run.metrics["accuracy_plain"], 1)
    return f"{shown} ± {100 * half:.1f}" if half else shown


def _early(runs: Sequence[Run]) -> str:
    said = unequal(runs)
    return f" {said}" if said else ""


def summary_row(run: Run) -> dict[str, Any]:
    """Return a run as one row of a table; shares are in [0, 1].

    Reversed: the accuracy with the distractor reversed; reliance: aligned − reversed.
    """
    spec, figures = run.spec, run.metrics
    row = {
        "Run": run.id,
        "Progress": 1.0 if run.state == "done" else round(run.step / max(run.steps, 1), 2),
        "Accuracy plain": figures.get("accuracy_plain"),
        "± 95 %": figures.get("ci95_plain"),
        "Accuracy masked": figures.get("accuracy_masked"),
        "Reversed plain": figures.get("accuracy_reversed_plain"),
        "Reversed masked": figures.get("accuracy_reversed_masked"),
        "Reliance plain": figures.get("reliance_plain"),
        "Reliance masked": figures.get("reliance_masked"),
    }
    settings = {
        "Model": public_name(spec.model),
        "Data": Path(spec.data.path).name,
        "Strategy": spec.masking.named,
        "Ratio": spec.masking.ratio,
        "Operator": spec.masking.operator if spec.masking.active else None,
        "Seed": spec.seed,
        "Steps": run.steps or None,
        "Minutes": run.seconds / 60,
        "Started": datetime.fromtimestamp(run.created, UTC),
    }
    return row | settings


def differing_settings(specs: Mapping[str, RunSpec]) -> dict[str, list[Any]]:
    """Return the settings that are not the same in all runs, each with its value per run.

    >>> from maskviz.training import RunSpec
    >>> differing_settings({"a": RunSpec(seed=0), "b": RunSpec(seed=1)})
    {'seed': [0, 1]}
    """
    flat = [flat_settings(spec.to_dict()) for spec in specs.values()]
    for table in flat:
        if "masking.second" in table:  # none: nothing is joined
            del table["masking.second"], table["masking.join"]
    keys = {key: None for table in flat for key in table}
    values = {key: [table.get(key) for table in flat] for key in keys if key != "name"}
    return {key: row for key, row in values.items() if any(v != row[0] for v in row)}


def flat_settings(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings as one level of names such as `training.learning_rate`."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= flat_settings(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
