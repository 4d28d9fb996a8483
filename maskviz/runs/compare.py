"""Runs side by side: one row each, and the settings in which they differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..models.locate import public_name
from ..text.listed import listed
from ..text.percent import number, percent
from ..training.folder import Run
from ..training.loop.ending import unequal

if TYPE_CHECKING:
    from ..training.spec.spec import RunSpec

_NAMED = 2  # runs that are named beside the most accurate one
_LEVEL = 0.05
_ONE_RUN = "That is of these runs: another seed gives other figures."


def reversed_accuracy(run: Run) -> float | None:
    """Return the accuracy with the distractor reversed, on inputs as the run was trained."""
    figures = run.metrics
    return figures.get("accuracy_reversed_masked", figures.get("accuracy_reversed_plain"))


def finding(runs: Sequence[Run]) -> str:
    """Say what the runs show: what is told apart, and where there is a distractor, once reversed.

    Of two on the same rows that is their paired difference.
    """
    active = sum(not run.is_over for run in runs)
    going = f" {active} still going." if active else ""
    done = [run for run in runs if run.state == "done"]
    turned = [run for run in done if reversed_accuracy(run) is not None]
    going = f"{_early(done)}{going}"
    if len(turned) > 1:
        said = " and ".join(
            f"{name_of(run)} ({run.spec.masking}) is right in "
            f"{percent(reversed_accuracy(run) or 0.0, 0)}"
            for run in turned[:_NAMED]
        )
        more = f" (and {len(turned) - _NAMED} more)" if len(turned) > _NAMED else ""
        rated = [run for run in turned if "accuracy_plain" in run.metrics]
        plain = f" {_most_accurate(rated)}" if len(rated) > 1 else ""
        return f"With the distractor reversed, {said} of the rows{more}.{plain}{going}"
    rated = [run for run in done if "accuracy_plain" in run.metrics]
    if rated:
        return f"{_most_accurate(rated)}{going}"
    return f"{len(runs)} run{'s' * (len(runs) > 1)}, none with a result yet.{going}"


def _most_accurate(runs: Sequence[Run]) -> str:
    """Name the most accurate run where a test bears it: the same rows, told apart from all others.

    Pair by pair where the runs kept their answers (McNemar, allowing for all), else by intervals
    that do not meet.
    """
    first, *rest = sorted(runs, key=lambda run: -run.metrics["accuracy_plain"])
    if not rest:
        return f"{name_of(first)}: accuracy {_accuracy(first)}."
    if any(run.spec.data != first.spec.data or run.spec.task != first.spec.task for run in rest):
        return "The runs have different data, so that their accuracies cannot be compared."
    pairs = [paired(run, first) for run in rest]
    if len(rest) == 1 and pairs[0] is not None:
        return pairs[0].said
    least = len(rest)  # the smallest p stands for all, Bonferroni
    near = [
        run
        for run, pair in zip(rest, pairs, strict=True)
        if (pair.p_value * least > _LEVEL if pair else _reach(first, -1) <= _reach(run, 1))
    ]
    if near:
        named = [f"{name_of(run)} ({_accuracy(run)})" for run in (first, *near[:_NAMED])]
        more = [f"{len(near) - _NAMED} more"] if len(near) > _NAMED else []
        return f"{listed([*named, *more])} cannot be told apart in accuracy."
    return f"{name_of(first)} is the most accurate: {_accuracy(first)}. {_ONE_RUN}"


@dataclass(frozen=True)
class PairedRuns:
    """Two runs on the same held-out rows, plain: how many each alone has right.

    difference: second − first, with Tango's 95 % interval; p_value: McNemar's exact test.
    """

    first: str
    second: str
    rows: int
    only_first: int
    only_second: int
    difference: float
    ci95: tuple[float, float]
    p_value: float

    @property
    def said(self) -> str:
        """The difference, its interval and test in one sentence, and what it does not say."""
        low, high = (number(100 * bound, "+.1f") for bound in self.ci95)
        size = f"{100 * abs(self.difference):.1f} points"
        lead = f"On the same {self.rows:,} held-out rows "
        test = f"(95 %: {low} to {high}; McNemar p {_p(self.p_value)})"
        alone = f"{self.only_second} are right in it alone, {self.only_first} in {self.first} alone"
        if self.p_value > _LEVEL:
            return (
                f"{lead}{self.second} and {self.first} cannot be told apart in accuracy: they are "
                f"{size} apart {test}; of {self.second} {alone}."
            )
        way = "more" if self.difference > 0 else "less"
        return (
            f"{lead}{self.second} is right {size} {way} often than {self.first} {test}: {alone}. "
            f"{_ONE_RUN}"
        )


def paired(first: Run, second: Run) -> PairedRuns | None:
    """Compare two runs row by row on the first held-out part, both plain.

    None where one kept no answers, or their rows are not the same.
    """
    from ..shares import mcnemar, tango
    from ..training.loop.answers import answers_of

    one, other = answers_of(first.folder), answers_of(second.folder)
    split = next(iter(one), "")
    ours, theirs = one.get(split, {}), other.get(split, {})
    if not ours or ours.get("rows") != theirs.get("rows"):
        return None
    right = [found["right"].get("plain", "") for found in (ours, theirs)]
    if not right[0] or len(right[0]) != len(right[1]):
        return None
    pairs = list(zip(*right, strict=True))
    lost, won = pairs.count(("1", "0")), pairs.count(("0", "1"))
    return PairedRuns(
        name_of(first), name_of(second), len(pairs), lost, won, (won - lost) / len(pairs),
        tango(lost, won, len(pairs)), mcnemar(lost, won),
    )  # fmt: skip


def name_of(run: Run) -> str:
    """Return a run's given name, its id where it has none."""
    return run.spec.name or run.id


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}" if value < 0.1 else f"= {value:.2f}"


def _reach(run: Run, sign: int) -> float:
    """Return an end of the 95 % interval of a run's accuracy; without one it is not known."""
    own: float | None = run.metrics.get("ci95_low_plain" if sign < 0 else "ci95_high_plain")
    if own is not None:
        return own
    half: float | None = run.metrics.get("ci95_plain")
    accuracy: float = run.metrics["accuracy_plain"]
    return accuracy + sign * (math.inf if half is None else half)


def _accuracy(run: Run) -> str:
    shown = percent(run.metrics["accuracy_plain"], 1)
    low, high = _reach(run, -1), _reach(run, 1)
    return f"{shown}; 95 %: {100 * low:.1f} to {100 * high:.1f}" if math.isfinite(low) else shown


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
        "95 % from": figures.get("ci95_low_plain"),
        "95 % to": figures.get("ci95_high_plain"),
        "Accuracy masked": figures.get("accuracy_masked"),
        "Worst group plain": figures.get("worst_group_accuracy_plain"),
        "Worst group masked": figures.get("worst_group_accuracy_masked"),
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
