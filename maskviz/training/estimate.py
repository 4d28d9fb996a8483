"""How long a run will take and how much memory, before it starts and without importing torch.

Time: tokens / speed. The speed is the one that earlier runs of the same size reached here; where
there is none, the machine's own (matrix products, in processor time) over 6 floating-point
operations per weight and token, forward and backward (Kaplan et al. 2020, arXiv:2001.08361).
Evaluations are forward alone, and so is a strategy that asks a model about a row: once for each
of its words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median

from ..errors import RunError
from ..text.words import word_offsets
from .data.rows import CURVE_ROWS, Rows, load_rows
from .machine.machine import Machine
from .machine.memory import asks_model, gigabytes
from .machine.model_size import Shape, model_shape, token_lengths
from .spec.spec import CAUSAL, EXAMPLE, RunSpec

_ASKED_LENGTH = 512  # tokens of a row that a strategy asks a model about
_STEPS_MEASURED = 10  # of an earlier run: in fewer it hardly gets going
_SAMPLE = 400  # rows whose tokens are counted
_FORWARD = 1 / 3  # of the cost of a training step


@dataclass(frozen=True)
class Estimate:
    """What a run will take.

    minutes: None where nothing is known of the model yet; basis: what the figure rests on.
    """

    rows: int
    steps: int
    tokens: int  # of all steps together
    minutes: float | None
    gigabytes: float | None
    gigabytes_free: float
    basis: str
    notes: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the memory that is free now is enough."""
        return self.gigabytes is None or self.gigabytes < self.gigabytes_free

    def sentence(self) -> str:
        """Say it in one line.

        >>> Estimate(2000, 189, 150_000, 2.5, 0.9, 8.0, "from 2 earlier runs").sentence()
        'About 3 minutes and 0.9 GB for 189 steps over 2,000 rows; from 2 earlier runs.'
        """
        if self.minutes is None or self.gigabytes is None:
            return f"{self.work}; {self.basis}."
        cost = f"About {self.duration} and {self.gigabytes:.1f} GB"
        return f"{cost} for {self.work}; {self.basis}."

    @property
    def work(self) -> str:
        """What is to be done, in words."""
        return f"{self.steps:,} steps over {self.rows:,} rows"

    @property
    def duration(self) -> str:
        """The time in words; empty where it is not known."""
        return "" if self.minutes is None else _duration(self.minutes)


def estimate(spec: RunSpec, rows: Rows | None = None) -> Estimate:
    """Estimate a run. Raises DataError for data that cannot train."""
    rows = rows or load_rows(spec)
    lengths = token_lengths(spec.model, rows.train.texts[:_SAMPLE], spec.training.max_length)
    mean = sum(lengths) / len(lengths)
    steps, seen = steps_of(spec, len(rows.train))
    tokens = round(seen * mean)
    shape = model_shape(spec.model)
    machine = Machine.of(spec.device)
    minutes, basis = None, "no estimate before the model is on this machine"
    if shape:
        speed, basis = _speed(spec, shape, machine)
        evaluated = _evaluated_rows(rows, spec) * mean * _FORWARD
        asked = _asked_tokens(rows, spec, seen) * _FORWARD
        minutes = spec.training.max_minutes or (tokens + evaluated + asked) / speed / 60
    return Estimate(
        len(rows.train), steps, tokens, minutes,
        gigabytes(spec, shape, lengths, machine.gpu), machine.gigabytes_free, basis, rows.notes,
    )  # fmt: skip


def require_memory(spec: RunSpec) -> None:
    """Raise RunError where the run would not fit the memory that is free, with both figures."""
    shape = model_shape(spec.model)
    lengths = token_lengths(spec.model, _first_texts(spec), spec.training.max_length)
    machine = Machine.of(spec.device)
    needed, free = gigabytes(spec, shape, lengths, machine.gpu), machine.gigabytes_free
    if needed is not None and needed >= free:
        raise RunError(
            f"The run needs about {needed:.1f} GB and {free:.1f} GB are free: lower "
            "per_device_train_batch_size or max_length, set gradient_checkpointing, or take a "
            "smaller model."
        )


def _first_texts(spec: RunSpec) -> list[str]:
    from ..data import guess_columns, make_example, preview

    data = spec.data
    if spec.task == CAUSAL:
        from .data.rows import read_frame
        from .data.spoken import read_spoken

        few = replace(spec, data=replace(data, max_rows=min(data.max_rows or _SAMPLE, _SAMPLE)))
        return list(read_spoken(spec, read_frame(few)).selection.texts)
    if data.path == EXAMPLE:
        return make_example(100, 0, data.strength, data.kind)["text"].tolist()
    head = preview(data.path, rows=_SAMPLE)
    column = data.text_column or guess_columns(head).text
    return [str(text) for text in head[column]]


def steps_of(spec: RunSpec, rows: int) -> tuple[int, int]:
    """Return optimiser steps and rows seen; a budget in minutes is taken as the epochs."""
    training = spec.training
    batch = training.per_device_train_batch_size * training.gradient_accumulation_steps
    per_epoch = max(1, math.ceil(rows / batch))
    if training.max_steps > 0 and not training.max_minutes:
        return training.max_steps, training.max_steps * min(batch, rows)
    steps = math.ceil(per_epoch * training.num_train_epochs)
    return steps, round(rows * training.num_train_epochs)


def _evaluated_rows(rows: Rows, spec: RunSpec) -> int:
    masks = 2 if spec.evaluated_mask.changes and spec.task != "mlm" else 1
    first = len(next(iter(rows.evaluation.values())))
    at_the_end = sum(len(part) for part in rows.evaluation.values())
    return masks * (10 * min(first, CURVE_ROWS) + at_the_end)


def _asked_tokens(rows: Rows, spec: RunSpec, seen: int) -> float:
    """Return the tokens that strategies read which ask a model once for each word of a row.

    Each row of training is asked about once, whatever the epochs; those of the evaluation that
    is followed come again at the end.
    """
    first = len(next(iter(rows.evaluation.values())))
    evaluated = min(first, CURVE_ROWS) + sum(map(len, rows.evaluation.values()))
    asked = min(seen, len(rows.train)) if asks_model(spec.masking) else 0
    asked += evaluated if asks_model(spec.evaluated_mask) else 0
    if not asked:
        return 0.0
    texts = rows.train.texts[:_SAMPLE]
    lengths = token_lengths(spec.model, texts, _ASKED_LENGTH)
    words = (sum(1 for _ in word_offsets(text)) for text in texts)
    each = [n * (1 + min(n, w)) for n, w in zip(lengths, words, strict=True)]
    return asked * sum(each) / len(each)


# time -----------------------------------------------------------------------------------------


def _speed(spec: RunSpec, shape: Shape, machine: Machine) -> tuple[float, str]:
    """Return tokens per second of training, and what that rests on."""
    measured = _earlier_speeds(shape.weights, machine.gpu)
    if measured:
        runs = "run" if len(measured) == 1 else "runs"
        return median(measured), f"from {len(measured)} earlier {runs} of a model of this size here"
    flops = machine.flops(spec.precision)
    return flops / (6 * shape.dense), "a first guess that the first run will correct"


def _earlier_speeds(weights: int, gpu: bool) -> list[float]:
    from .folder import folders, read_json

    speeds = []
    for folder in folders():
        result = read_json(folder / "result.json")
        near = abs(result.get("parameters", 0) / weights - 1) < 0.1
        same = str(result.get("device", "")).startswith("cpu") != gpu
        long = result.get("steps", 0) >= _STEPS_MEASURED
        if near and same and long and result.get("tokens_per_second"):
            speeds.append((folder.stat().st_mtime, result["tokens_per_second"]))
    return [speed for _, speed in sorted(speeds)[-5:]]


def _duration(minutes: float) -> str:
    if minutes < 1:
        seconds = max(10, math.ceil(minutes * 6) * 10)
        return f"{seconds} seconds"
    if minutes < 90:
        whole = math.ceil(minutes)
        return f"{whole} minute{'s' if whole > 1 else ''}"
    return f"{minutes / 60:.1f} hours"
