"""What ended a run before the steps that were asked for: its minutes, or a loss that stayed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..folder import Run
    from ..spec.spec import RunSpec, TrainingSpec


def steps_asked(spec: RunSpec, batches: int) -> int:
    """Return the steps that max_steps or num_train_epochs ask for, of `batches` an epoch.

    >>> from maskviz.training import RunSpec
    >>> steps_asked(RunSpec.build(epochs=3.0), 57), steps_asked(RunSpec.build(max_steps=40), 57)
    (171, 40)
    """
    training = spec.training
    if training.max_steps > 0:
        return training.max_steps
    an_epoch = max(1, -(-batches // training.gradient_accumulation_steps))
    return math.ceil(training.num_train_epochs * an_epoch)


def ended_early(spec: RunSpec, steps: int, asked: int) -> str:
    """Say in a sentence why a run took fewer steps than asked for; empty where it did not.

    >>> from maskviz.training import RunSpec
    >>> ended_early(RunSpec.build(max_minutes=2.0, epochs=3.0), 94, 171)
    'Its 2 minutes were over after 94 of the 171 steps of 3 epochs.'
    """
    training = spec.training
    if steps >= asked:
        return ""
    whole = f"{asked:,} steps"
    if training.max_steps <= 0:
        epochs = training.num_train_epochs
        whole += f" of {epochs:g} epoch{'s' * (epochs != 1)}"
    if training.max_minutes:
        minutes = training.max_minutes
        were = "minute was" if minutes == 1 else "minutes were"
        return f"Its {minutes:g} {were} over after {steps:,} of the {whole}."
    if training.early_stopping_patience:
        return (
            f"It stopped after {steps:,} of the {whole}: {_not_better(training)} in "
            f"{training.early_stopping_patience} evaluations."
        )
    return ""


def _not_better(training: TrainingSpec) -> str:
    if training.metric_for_best_model == "loss":
        return "the loss had not fallen"
    return f"{training.metric_for_best_model.replace('_', ' ')} had not risen"


def unequal(runs: Sequence[Run]) -> str:
    """Say which of several runs that are compared ended early; empty where none did."""
    early = [run for run in runs if run.state == "done" and run.result.get("ended_early")]
    if not early:
        return ""
    steps = sorted(run.step for run in early)
    asked = max(run.result["steps_asked"] for run in early)
    reached = f"{steps[0]:,}" if steps[0] == steps[-1] else f"{steps[0]:,} to {steps[-1]:,}"
    which = early[0].id if len(early) == 1 else f"{len(early)} of {len(runs)} runs"
    return f"{which} ended early, after {reached} of {asked:,} steps: they differ in that, too."
