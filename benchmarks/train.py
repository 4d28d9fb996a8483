"""One fine-tune side by side with a plain Trainer: real tokens per second, lever by lever.

    python benchmarks/train.py                              # about 5 minutes on 2 idle cores
    python benchmarks/train.py --data reviews.csv --task mlm --parts speed

Speed: the same model, rows, hyperparameters, seed and number of steps: one epoch, from its
first batch to its last step. `plain Trainer` is transformers' Trainer with its own collators,
padding each batch to its longest row, and TrainingArguments' defaults. Each further line adds one
lever; the last is maskviz as it is. The variants take turns, so that whatever else the machine
does slows all of them; a first turn of two steps is not counted, the figures are medians over the
others. Real tokens: padding is not counted. On a machine that does other work as well, count
seconds of computing: OMP_NUM_THREADS=1 … --clock cpu.

Masks: how long training waits for the masks of its batches, which are drawn in a thread of their
own, and which share of all computing is that thread's, by strategy: in the epoch that reads the
rows for the first time (a pipeline annotates them) and in the next.

Accuracy: both trained over some seeds on the same short rows and evaluated on others.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

RATIO = 0.15
PARTS = ("speed", "masks", "accuracy")
STRATEGIES = ("random-token", "random", "span", "sentence", "entity", "attribute", "collocation")


@dataclass
class Variant:
    """One way to train, and what it measured."""

    name: str
    make: Callable[[int, int], Any]  # (steps, seed) -> a Trainer
    speeds: list[float] = field(default_factory=list)


def rows(path: str | None, count: int, several: bool = True) -> tuple[list[str], list[str]]:
    """Return texts, of very different lengths where `several` sentences make one, and labels."""
    if path:
        from maskviz.data import guess_columns, read_table

        frame = read_table(path)
        columns = guess_columns(frame)
        frame = frame.sample(min(count, len(frame)), random_state=0)
        labels = frame[columns.label].astype(str).tolist() if columns.label else ["-"] * len(frame)
        return frame[columns.text].astype(str).tolist(), labels
    from maskviz.data import make_example

    frame = make_example(count, 0, 0.9, "name")
    if not several:
        return frame["text"].tolist(), frame["label"].tolist()
    rng = random.Random(0)  # noqa: S311 - repeatable
    by_label = {name: part["text"].tolist() for name, part in frame.groupby("label")}
    labels = [rng.choice(sorted(by_label)) for _ in range(count)]
    lengths = [min(20, max(1, round(rng.lognormvariate(0.7, 0.9)))) for _ in labels]
    texts = [" ".join(rng.choices(by_label[c], k=n)) for c, n in zip(labels, lengths, strict=True)]
    return texts, labels


class Bench:
    """The variants of one task over one set of rows."""

    def __init__(self, task: str, texts: list[str], labels: list[str], batch: int) -> None:
        from maskviz.models import load_model

        self.task, self.batch = task, batch
        self.model = load_model("mini")
        held = max(1, len(texts) // 5)
        self.names = sorted(set(labels))
        numbers = [self.names.index(label) for label in labels]
        self.train = (texts[held:], numbers[held:])
        self.dev = (texts[:held], numbers[:held])
        self.steps = -(-len(self.train[0]) // batch)  # of an epoch
        self.folder = Path(tempfile.mkdtemp())

    # a plain Trainer --------------------------------------------------------------------------

    def _tokenised(self, part: tuple[list[str], list[int]]) -> list[dict[str, Any]]:
        found = self.model.tokenizer(part[0], truncation=True, max_length=256)["input_ids"]
        rows = [{"input_ids": ids, "attention_mask": [1] * len(ids)} for ids in found]
        if self.task == "mlm":
            return rows
        return [{**row, "labels": label} for row, label in zip(rows, part[1], strict=True)]

    def plain(self, steps: int, seed: int, buckets: bool, bf16: bool, sparse: bool) -> Any:
        """Return a plain Trainer, with some of the levers."""
        import torch
        import transformers

        from maskviz.training.batches import LengthBuckets
        from maskviz.training.collating import hidden_alone
        from maskviz.training.hooks import CoreHooks
        from maskviz.training.metrics import compute_metrics, most_likely

        transformers.set_seed(seed)
        bench, network = self, self._network()
        hooks = CoreHooks(network) if sparse else None
        pad = self._hugging_face_collator()

        def collate(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
            found = dict(pad(items))
            found["real_tokens"] = int(found["attention_mask"].sum())
            return found | hidden_alone(found.pop("labels")) if sparse else found

        class Timed(transformers.Trainer):
            tokens = 0

            def get_train_dataloader(self) -> Any:
                if not buckets:
                    return super().get_train_dataloader()
                lengths = [len(row["input_ids"]) for row in self.train_dataset]
                sampler = LengthBuckets(lengths, bench.batch, seed)
                return torch.utils.data.DataLoader(
                    self.train_dataset, batch_sampler=sampler, collate_fn=self.data_collator
                )

            def compute_loss(self, model: Any, inputs: dict, *more: Any, **options: Any) -> Any:
                inputs = dict(inputs)
                self.tokens += inputs.pop("real_tokens") if model.training else 0
                if not sparse:
                    return super().compute_loss(model, inputs, *more, **options)
                inputs.pop("nothing_hidden")
                with hooks.fed(inputs.pop("head_positions"), None):
                    return super().compute_loss(model, inputs, *more, **options)

        trainer = Timed(
            model=network,
            args=transformers.TrainingArguments(
                str(self.folder / "plain"), max_steps=steps, learning_rate=1e-4, seed=seed,
                per_device_train_batch_size=self.batch, per_device_eval_batch_size=64, bf16=bf16,
                weight_decay=0.01, warmup_steps=0.1, use_cpu=not torch.cuda.is_available(),
                report_to="none", disable_tqdm=True, save_strategy="no", logging_steps=5,
                remove_unused_columns=False,
            ),
            train_dataset=self._tokenised(self.train),
            eval_dataset=self._tokenised(self.dev),
            data_collator=collate,
            compute_metrics=compute_metrics,
            preprocess_logits_for_metrics=most_likely,
        )  # fmt: skip
        trainer.remove_callback(transformers.PrinterCallback)
        return trainer

    def _network(self) -> Any:
        import torch
        import transformers

        kind = "MaskedLM" if self.task == "mlm" else "SequenceClassification"
        return getattr(transformers, f"AutoModelFor{kind}").from_pretrained(
            self.model.path, dtype=torch.float32, num_labels=len(self.names),
            ignore_mismatched_sizes=True,
        )  # fmt: skip

    def _hugging_face_collator(self) -> Any:
        import transformers

        tokenizer = self.model.tokenizer
        if self.task != "mlm":
            return transformers.DataCollatorWithPadding(tokenizer)
        return transformers.DataCollatorForLanguageModeling(
            tokenizer, mlm_probability=RATIO, mask_replace_prob=1.0, random_replace_prob=0.0
        )

    # maskviz ----------------------------------------------------------------------------------

    def maskviz(self, steps: int, seed: int, strategy: str) -> Any:
        """Return maskviz's own Trainer of the same run."""
        from transformers import set_seed

        from maskviz.training import RunSpec
        from maskviz.training.assemble import assemble
        from maskviz.training.device import resolve_device, resolve_precision
        from maskviz.training.recorder import Recorder
        from maskviz.training.rows import Part, Rows

        folder = Path(tempfile.mkdtemp(dir=self.folder))
        spec = RunSpec.build(
            task=self.task, strategy=strategy, max_steps=steps, eval_steps=10**6,
            save_steps=10**6, seed=seed, per_device_train_batch_size=self.batch,
            ratio=None if strategy == "none" else RATIO,
        )  # fmt: skip
        device = resolve_device("auto")
        train, dev = Part(*map(tuple, self.train)), Part(*map(tuple, self.dev))
        parts = Rows(train, {"dev": dev}, tuple(self.names))
        set_seed(seed)
        trainer, _ = assemble(
            folder, spec, parts, self.model, Recorder(folder), device,
            resolve_precision("auto", device),
        )  # fmt: skip
        trainer._save_checkpoint = lambda *_: None  # the plain Trainer saves none either
        trainer._evaluate = lambda *_, **__: {}  # nor does it evaluate on the way
        return trainer

    def variants(self) -> list[Variant]:
        """Return the variants in the order of their levers."""
        strategy = "random-token" if self.task == "mlm" else "none"
        plain = partial(partial, self.plain)
        found = [
            Variant("plain Trainer", plain(buckets=False, bf16=False, sparse=False)),
            Variant("+ length buckets", plain(buckets=True, bf16=False, sparse=False)),
            Variant("+ bf16", plain(buckets=True, bf16=True, sparse=False)),
        ]
        if self.task == "mlm":
            found.append(
                Variant("+ head at hidden tokens", plain(buckets=True, bf16=True, sparse=True))
            )
        found.append(Variant(f"maskviz ({strategy})", partial(self.maskviz, strategy=strategy)))
        if self.task != "mlm":
            found.append(Variant("maskviz (random)", partial(self.maskviz, strategy="random")))
        return found


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
        ahead = getattr(self.trainer, "ahead", None)
        drawn = (ahead.waited, ahead.worked) if ahead else (0.0, 0.0)
        clocks = (time.perf_counter(), time.process_time())
        self.marks.append((*clocks, self.trainer.tokens, *drawn))

    def spent(self, epoch: int) -> dict[str, float]:
        """Return what passed in an epoch: seconds by either clock, tokens, waited and worked."""
        before, after = self.marks[epoch : epoch + 2]
        names = ("wall", "cpu", "tokens", "waited", "worked")
        return {n: b - a for n, a, b in zip(names, before, after, strict=True)}


def speeds(bench: Bench, rounds: int, clock: str) -> list[Variant]:
    """Train every variant for one epoch in each round; they take turns."""
    variants = bench.variants()
    for variant in variants:
        variant.make(2, 0).train()
    for _ in range(rounds):
        for variant in variants:
            trainer = variant.make(bench.steps, 0)
            epochs = Epochs(trainer)
            trainer.train()
            variant.speeds.append(epochs.spent(0)["tokens"] / epochs.spent(0)[clock])
    return variants


def masks(texts: Sequence[str], labels: list[str], batch: int) -> dict[str, dict[str, float]]:
    """Print what drawing the masks costs a classification, by strategy; return the shares."""
    print("\nmasks: share of the time that training waits for them; of computing that draws them")
    found = {}
    for strategy in STRATEGIES:
        # Rows of its own: what a pipeline said of others' rows is remembered.
        bench = Bench("classification", [f"{t} {strategy}." for t in texts], labels, batch)
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


def accuracies(bench: Bench, steps: int, seeds: int) -> list[tuple[float, float]]:
    """Return (plain, maskviz) accuracy on the held-out rows for each seed."""
    found = []
    first, last = bench.variants()[0], next(v for v in bench.variants() if "maskviz" in v.name)
    for seed in range(seeds):
        pair = []
        for variant in (first, last):
            trainer = variant.make(steps, seed)
            trainer.train()
            figures = trainer.evaluate()
            pair.append(next(v for k, v in figures.items() if k.endswith("accuracy")))
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
    return lines


def interval(task: str, pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Print both accuracies with Student's 95 % interval over the seeds; return the figures."""
    from scipy.stats import t

    n = len(pairs)

    def mean(values: Sequence[float]) -> tuple[float, float]:
        half = t.ppf(0.975, n - 1) * statistics.stdev(values) / n**0.5
        return statistics.mean(values), half

    plain, ours = (mean([pair[i] for pair in pairs]) for i in (0, 1))
    difference = mean([b - a for a, b in pairs])
    print(
        f"  {task:<15} over {n} seeds: plain {plain[0]:.1%} ± {plain[1] * 100:.1f}, maskviz "
        f"{ours[0]:.1%} ± {ours[1] * 100:.1f}; difference {difference[0] * 100:+.1f} points "
        f"± {difference[1] * 100:.1f}"
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
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--accuracy-steps", type=int, default=40)
    parser.add_argument(
        "--clock", choices=("wall", "cpu"), default="wall", help="cpu on a busy machine"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    import torch
    from transformers.utils import logging

    from maskviz.training.device import device_name

    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["MASKVIZ_HOME"] = tempfile.mkdtemp()  # where no row is known yet
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    device = "cuda" if torch.cuda.is_available() else "cpu"
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
        bench = Bench(task, texts, labels, options.batch)
        found[task] = report(task, speeds(bench, options.rounds, options.clock))
    if "masks" in parts:
        found["masks"] = masks(texts, labels, options.batch)
    if "accuracy" in parts:
        print(f"\naccuracy after {options.accuracy_steps} steps on rows of one sentence")
        short = rows(None, 1000, several=False)
        for task in tasks:
            pairs = accuracies(
                Bench(task, *short, options.batch), options.accuracy_steps, options.seeds
            )
            found[f"{task} accuracy"] = interval(task, pairs)
    return found


if __name__ == "__main__":
    main()
