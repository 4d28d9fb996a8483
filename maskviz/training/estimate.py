"""How long a run will take and how much memory, before it starts and without importing torch.

Time: tokens / speed. The speed is the one that earlier runs of the same size reached here; where
there is none, the machine's own (matrix products, in processor time) over 6 floating-point
operations per weight and token, forward and backward (Kaplan et al. 2020, arXiv:2001.08361).
Evaluations are forward alone, and so is a strategy that asks a model about a row: once for each
of its words.

Memory: 24 bytes a weight (weight, gradient and Adam's two moments in float32, and a checkpoint
on its way to the disk), what is kept for the backward pass, and what Python and torch take.
Korthikanti et al. (2022, arXiv:2205.05198) count 34 bytes a token, layer and channel in half
precision; three times that fits what runs on a CPU were measured to take (benchmarks/memory.py): 92
bytes in bf16 and 116 in float32, with gradients on their way and the allocator's reserve. A GPU
holds tensors alone: 16 bytes a weight and the paper's own figures, not yet checked on one.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median

from ..errors import RunError
from ..masks.expression import asks
from ..text.words import word_offsets
from .machine import Machine
from .mask_spec import MaskingSpec
from .model_size import Shape, model_shape, token_lengths
from .rows import CURVE_ROWS, Rows, load_rows
from .spec import EXAMPLE, RunSpec

# Of a process that has imported torch and transformers: the CPU build, and the one for CUDA.
_CPU_BUILD_BYTES, _CUDA_BUILD_BYTES = 0.53e9, 0.91e9
# Of that, what pandas and transformers import where it is installed.
_IMPORTED_BYTES = {"pyarrow": 0.032e9, "scipy": 0.028e9, "peft": 0.02e9}
_BYTES_PER_WEIGHT = 24
_BYTES_PER_FIXED_WEIGHT = 8  # under LoRA: the weight, and once more when it is merged and saved
_BYTES_PER_CHANNEL = 34 * 3
_GPU_BYTES_PER_WEIGHT = 16  # no checkpoint on its way: it is made in the machine's own memory
_GPU_BYTES_PER_FIXED_WEIGHT = 4
_GPU_BYTES_PER_CHANNEL = {"float32": 68, "bf16": 34, "auto": 34}
_LORA_BYTES_PER_CHANNEL = 40  # the inputs of its matrices are kept beside
_INPUT_BYTES = 4 * 3  # of a layer whose activations are computed again
_BYTES_PER_LOGIT = 12  # the logit, its probability and its gradient in float32
_WRITING_BYTES = 0.2e9  # of what writes texts and scores them, at the end of a seq2seq run
_PIPELINE_BYTES = 0.1e9  # of spaCy with a small pipeline, where the strategy needs one
_ASKED_LENGTH = 512  # tokens of a row that a strategy asks a model about
_ASKING_BYTES = 0.05e9  # of the texts with a word hidden each that are read at a time
_BYTES_PER_ASKED_WEIGHT = 8  # of the model that is asked: as loaded, and as oneDNN lays it out
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
        _gigabytes(spec, shape, lengths, machine.gpu), machine.gigabytes_free, basis, rows.notes,
    )  # fmt: skip


def require_memory(spec: RunSpec) -> None:
    """Raise RunError where the run would not fit the memory that is free, with both figures."""
    shape = model_shape(spec.model)
    lengths = token_lengths(spec.model, _first_texts(spec), spec.training.max_length)
    machine = Machine.of(spec.device)
    needed, free = _gigabytes(spec, shape, lengths, machine.gpu), machine.gigabytes_free
    if needed is not None and needed >= free:
        raise RunError(
            f"The run needs about {needed:.1f} GB and {free:.1f} GB are free: lower "
            "per_device_train_batch_size or max_length, set gradient_checkpointing, or take a "
            "smaller model."
        )


def _first_texts(spec: RunSpec) -> list[str]:
    from ..data import guess_columns, make_example, preview

    data = spec.data
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


def asks_model(masking: MaskingSpec) -> bool:
    """Tell whether a strategy asks a model once for each word of a row."""
    return any(asks(choice.strategy, choice.parameters) for choice in masking.choices)


# time and memory --------------------------------------------------------------------------------


def _speed(spec: RunSpec, shape: Shape, machine: Machine) -> tuple[float, str]:
    """Return tokens per second of training, and what that rests on."""
    measured = _earlier_speeds(shape.weights, machine.gpu)
    if measured:
        runs = "run" if len(measured) == 1 else "runs"
        return median(measured), f"from {len(measured)} earlier {runs} of this size here"
    flops = machine.flops(spec.precision)
    return flops / (6 * shape.dense), "a first guess that the first run will correct"


def _earlier_speeds(weights: int, gpu: bool) -> list[float]:
    from ..runs.folder import folders, read_json

    speeds = []
    for folder in folders():
        result = read_json(folder / "result.json")
        near = abs(result.get("parameters", 0) / weights - 1) < 0.1
        same = str(result.get("device", "")).startswith("cpu") != gpu
        long = result.get("steps", 0) >= _STEPS_MEASURED
        if near and same and long and result.get("tokens_per_second"):
            speeds.append((folder.stat().st_mtime, result["tokens_per_second"]))
    return [speed for _, speed in sorted(speeds)[-5:]]


def _gigabytes(
    spec: RunSpec, shape: Shape | None, lengths: Sequence[int], gpu: bool
) -> float | None:
    if shape is None:
        return None
    longest = sorted(lengths)[int(0.98 * (len(lengths) - 1))]
    tokens = spec.training.per_device_train_batch_size * longest
    channel = _BYTES_PER_CHANNEL + (_LORA_BYTES_PER_CHANNEL if spec.training.lora_r else 0)
    logits = tokens * _share_guessed(spec) * shape.vocabulary * _BYTES_PER_LOGIT
    if gpu:
        return _gigabytes_of_tensors(spec, shape, tokens, logits)
    kept = tokens * shape.width * _layers_kept(spec, shape, channel) + logits
    base = _base_bytes() + (_PIPELINE_BYTES if _needs_pipeline(spec) else 0)
    base += _WRITING_BYTES if spec.task == "seq2seq" else 0
    if asks_model(spec.masking) or asks_model(spec.evaluated_mask):
        base += _ASKING_BYTES + _BYTES_PER_ASKED_WEIGHT * shape.weights
    each = _BYTES_PER_FIXED_WEIGHT if spec.training.lora_r else _BYTES_PER_WEIGHT
    return (base + each * shape.weights + kept) / 1e9


def _gigabytes_of_tensors(spec: RunSpec, shape: Shape, tokens: int, logits: float) -> float:
    """Return what a GPU holds: weights, their optimiser, and what the backward pass needs."""
    lora = bool(spec.training.lora_r)
    channel = _GPU_BYTES_PER_CHANNEL[spec.precision] + (_LORA_BYTES_PER_CHANNEL if lora else 0)
    each = _GPU_BYTES_PER_FIXED_WEIGHT if lora else _GPU_BYTES_PER_WEIGHT
    if asks_model(spec.masking) or asks_model(spec.evaluated_mask):
        each += _GPU_BYTES_PER_FIXED_WEIGHT  # the model that is asked
    kept = tokens * shape.width * _layers_kept(spec, shape, channel) + logits
    return (each * shape.weights + kept) / 1e9


def _layers_kept(spec: RunSpec, shape: Shape, channel: float) -> float:
    """Return the bytes that all layers keep of a token and channel for the backward pass.

    With gradient checkpointing each keeps its input, and one at a time all that it computes.
    """
    if spec.training.gradient_checkpointing:
        return shape.layers * _INPUT_BYTES + channel
    return shape.layers * channel


def _share_guessed(spec: RunSpec) -> float:
    """Return for which share of the tokens a batch has logits over the vocabulary."""
    if spec.task == "seq2seq":
        return 1.0
    if spec.task != "mlm":
        return 0.0
    shares = [choice.ratio or 0.15 for choice in spec.masking.choices]
    share = min(1.0, sum(shares)) if spec.masking.join == "or" else shares[0]
    return 1 - share if spec.masking.complement else share


def _base_bytes() -> float:
    from importlib.metadata import version

    # Only Linux has builds for CUDA under torch's plain name; the small one says "+cpu".
    small = sys.platform != "linux" or version("torch").endswith("+cpu")
    absent = sum(size for name, size in _IMPORTED_BYTES.items() if not find_spec(name))
    return (_CPU_BUILD_BYTES if small else _CUDA_BUILD_BYTES) - absent


def _needs_pipeline(spec: RunSpec) -> bool:
    return "pipeline" in spec.masking.needs


def _duration(minutes: float) -> str:
    if minutes < 1:
        seconds = max(10, math.ceil(minutes * 6) * 10)
        return f"{seconds} seconds"
    if minutes < 90:
        whole = math.ceil(minutes)
        return f"{whole} minute{'s' if whole > 1 else ''}"
    return f"{minutes / 60:.1f} hours"
