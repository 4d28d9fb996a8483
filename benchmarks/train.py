"""One fine-tune side by side with a plain Trainer: real tokens per second, lever by lever.

    python benchmarks/train.py                              # about 5 minutes on 2 idle cores
    python benchmarks/train.py --data reviews.csv --task mlm --parts speed

Speed: the same model, rows, hyperparameters, seed and number of steps: one epoch, from its
first batch to its last step. `plain Trainer` is transformers' Trainer with its own collators,
padding each batch to its longest row, and TrainingArguments' defaults. Each further line adds one
lever; then comes maskviz as it is, and with --compile, on a GPU always, maskviz as torch.compile
makes it: there the second epoch counts, and a line says what compiling took in the first. The
variants take turns, so that whatever else the machine does slows all of them; a first turn of two
steps is not counted, the figures are medians over the others. Real tokens: padding is not counted.
On a machine that does other work as well, count seconds of computing: OMP_NUM_THREADS=1 … --clock
cpu.

Masks: how long training waits for the masks of its batches, which are drawn in a thread of their
own, and which share of all computing is that thread's, by strategy: in the epoch that reads the
rows for the first time (a pipeline annotates them) and in the next.

Accuracy: both trained over some seeds on the same short rows; then both are asked, in float32, the
same held-out rows, with the same hidden tokens where the task is mlm.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from train_variants import Bench, Variant, rows

PARTS = ("speed", "masks", "accuracy")
# The 97.5 % point of Student's t for n seeds: a bare GPU machine has no SciPy.
STUDENT = dict(enumerate((12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262), start=2))
STRATEGIES = ("random-token", "random", "span", "sentence", "entity", "attribute", "collocation")


class Epochs:
    """The moments at which epochs began and ended, and what had been done by then."""

    def __init__(self, trainer: Any) -> None:
        from transformers import TrainerCallback

        self.trainer, self.marks = trainer, []
        mark = self._mark

        class Marks(TrainerCallback):
            def on_epoch_begin(self, *_: Any, **__: Any) -> None:
                mark()

            def on_train_end(self, *_: Any, **__: Any) -> None:
                mark()

        trainer.add_callback(Marks())

    def _mark(self) -> None:
        if self.trainer.args.device.type == "cuda":
            import torch

            torch.cuda.synchronize()  # what was asked of the GPU is done
        drawn = (0.0, 0.0)
        if ahead := getattr(self.trainer, "ahead", None):
            drawn = (ahead.waited, ahead.worked + self.trainer.reading.worked)
        clocks = (time.perf_counter(), time.process_time())
        self.marks.append((*clocks, self.trainer.tokens, *drawn))

    def spent(self, epoch: int) -> dict[str, float]:
        """Return what passed in an epoch: seconds by either clock, tokens, waited and worked."""
        before, after = self.marks[epoch : epoch + 2]
        names = ("wall", "cpu", "tokens", "waited", "worked")
        return {n: b - a for n, a, b in zip(names, before, after, strict=True)}


def speeds(bench: Bench, rounds: int, clock: str, compiled: bool) -> list[Variant]:
    """Train every variant for one epoch in each round; they take turns."""
    variants = bench.variants(compiled)
    for variant in variants:
        variant.make(2, 0).train()
    for _ in range(rounds):
        for variant in variants:
            trainer = variant.make((variant.counted + 1) * bench.steps, 0)
            epochs = Epochs(trainer)
            trainer.train()
            spent = [epochs.spent(i) for i in range(variant.counted + 1)]
            variant.speeds.append(spent[-1]["tokens"] / spent[-1][clock])
            variant.compiling.append(spent[0][clock] - spent[-1][clock])
    return variants


def masks(
    texts: Sequence[str], labels: list[str], batch: int, device: str
) -> dict[str, dict[str, float]]:
    """Print what drawing the masks costs a classification, by strategy; return the shares."""
    from maskviz.training.loop.warm import warm_up

    warm_up()  # as the worker is: the pipeline is loaded
    print("\nmasks: share of the time that training waits for them; of computing that draws them")
    found = {}
    for strategy in filter(installed, STRATEGIES):
        # Rows of its own: what a pipeline said of others' rows is remembered.
        bench = Bench("classification", [f"{t} {strategy}." for t in texts], labels, batch, device)
        trainer = bench.maskviz(2 * bench.steps, 0, strategy)
        epochs = Epochs(trainer)
        trainer.train()
        shares = {}
        for epoch, name in enumerate(("first epoch", "later epoch")):
            spent = epochs.spent(epoch)
            shares[f"{name}: waits"] = spent["waited"] / spent["wall"]
            shares[f"{name}: draws"] = spent["worked"] / spent["cpu"]
        found[strategy] = shares
        print(f"  {strategy:<14}" + "   ".join(f"{k} {v:5.1%}" for k, v in shares.items()))
    return found


def installed(strategy: str) -> bool:
    """Tell whether what a strategy runs on is here; say so where it is not."""
    from maskviz.masks import STRATEGIES as ALL

    missing = "pipeline" in ALL[strategy].needs and not find_spec("spacy")
    if missing:
        print(f"  {strategy:<14}needs spaCy, which is not installed")
    return not missing


def accuracies(bench: Bench, steps: int, seeds: int) -> list[tuple[float, float]]:
    """Return (plain, maskviz) accuracy on the held-out rows for each seed."""
    found = []
    first, last = bench.variants()[0], next(v for v in bench.variants() if "maskviz" in v.name)
    for seed in range(seeds):
        pair = []
        for variant in (first, last):
            trainer = variant.make(steps, seed)
            trainer.train()
            pair.append(bench.accuracy(trainer.model))
        found.append((pair[0], pair[1]))
    return found


def report(task: str, variants: Sequence[Variant]) -> dict[str, Any]:
    """Print the table of one task and return its figures."""
    print(f"\n{task}: real tokens per second, median of {len(variants[0].speeds)} rounds")
    before = base = statistics.median(variants[0].speeds)
    lines = {}
    for variant in variants:
        speed = statistics.median(variant.speeds)
        lines[variant.name] = {"tokens_per_second": speed, "times": speed / base}
        print(
            f"  {variant.name:<26}{speed:>9,.0f}   x {speed / base:5.2f} of plain"
            f"   x {speed / before:4.2f} of the line above"
        )
        before = speed
        if variant.counted:
            seconds = lines[variant.name]["compiling"] = statistics.median(variant.compiling)
            print(f"  {'':<26}after {seconds:.0f} s of compiling")
    return lines


def interval(task: str, pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Print both accuracies with Student's 95 % interval over the seeds; return the figures."""
    n = len(pairs)

    def mean(values: Sequence[float]) -> tuple[float, float]:
        half = STUDENT[n] * statistics.stdev(values) / n**0.5
        return statistics.mean(values), half

    plain, ours = (mean([pair[i] for pair in pairs]) for i in (0, 1))
    difference = mean([b - a for a, b in pairs])
    print(
        f"  {task:<15} over {n} seeds: plain {plain[0]:.1%} ± {plain[1] * 100:.1f}, maskviz "
        f"{ours[0]:.1%} ± {ours[1] * 100:.1f}; paired difference {difference[0] * 100:+.1f} "
        f"± {difference[1] * 100:.1f} points"
    )
    return {"plain": plain[0], "maskviz": ours[0], "difference": difference[0],
            "half_width": difference[1]}  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a table with texts and labels; else generated reviews")
    parser.add_argument("--task", choices=("mlm", "classification", "both"), default="both")
    parser.add_argument("--parts", default=",".join(PARTS), help="of speed,masks,accuracy")
    parser.add_argument("--rows", type=int, help="by default 240, on a GPU 12,000")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=5, choices=STUDENT)
    parser.add_argument("--accuracy-steps", type=int, default=40)
    parser.add_argument(
        "--clock", choices=("wall", "cpu"), default="wall", help="cpu on a busy machine"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument(
        "--compile", action="store_true", help="with torch.compile, too; on a GPU always"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    from transformers.utils import logging

    from maskviz.training.machine.device import device_name, resolve_device

    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["MASKVIZ_HOME"] = tempfile.mkdtemp()  # where no row is known yet
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    device = options.device = resolve_device(options.device)
    options.compile |= device == "cuda"
    count = options.rows or (12_000 if device == "cuda" else 240)
    print(f"mini on {device_name(device)}, batch {options.batch}, at most 256 tokens a row")
    tasks = ("mlm", "classification") if options.task == "both" else (options.task,)
    found = measure(options, tasks, count)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


def measure(options: argparse.Namespace, tasks: Sequence[str], count: int) -> dict[str, Any]:
    """Measure the parts asked for; return every figure."""
    parts, found = options.parts.split(","), {}
    texts, labels = rows(options.data, count)
    for task in tasks if "speed" in parts else ():
        bench = Bench(task, texts, labels, options.batch, options.device)
        found[task] = report(task, speeds(bench, options.rounds, options.clock, options.compile))
    if "masks" in parts:
        found["masks"] = masks(texts, labels, options.batch, options.device)
    if "accuracy" in parts:
        print(f"\naccuracy after {options.accuracy_steps} steps on rows of one sentence")
        short = rows(None, 1000, several=False)
        for task in tasks:
            bench = Bench(task, *short, options.batch, options.device)
            pairs = accuracies(bench, options.accuracy_steps, options.seeds)
            found[f"{task} accuracy"] = interval(task, pairs)
    return found


if __name__ == "__main__":
    main()
