"""One fine-tune side by side with a plain Trainer: real tokens per second, lever by lever.

    python benchmarks/train.py                              # both tasks, about 4 minutes on 2 cores
    python benchmarks/train.py --data reviews.csv --task mlm --seeds 5

The same model, rows, hyperparameters, seed and number of steps. `plain Trainer` is transformers'
Trainer with its own collators, padding each batch to its longest row, and TrainingArguments'
defaults. Each further line adds one lever; the last is maskviz as it is. The variants take turns,
so that whatever else the machine does slows all of them; the figures are medians over the rounds.
Real tokens: padding is not counted. With --seeds, both are also trained for --accuracy-steps and
evaluated on the same held-out rows.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

RATIO = 0.15
WARM = 2  # steps that are not timed


@dataclass
class Variant:
    """One way to train, and what it measured."""

    name: str
    make: Callable[[int, int], Any]  # (steps, seed) -> a Trainer
    speeds: list[float] = field(default_factory=list)
    waiting: list[float] = field(default_factory=list)  # shares of the time spent on batches


def rows(path: str | None, count: int) -> tuple[list[str], list[str]]:
    """Return texts of very different lengths and their labels."""
    if path:
        from maskviz.data import guess_columns, read_table

        frame = read_table(path)
        columns = guess_columns(frame)
        frame = frame.sample(min(count, len(frame)), random_state=0)
        labels = frame[columns.label].astype(str).tolist() if columns.label else ["-"] * len(frame)
        return frame[columns.text].astype(str).tolist(), labels
    from maskviz.data import make_example

    frame = make_example(count, 0, 0.9, "name")
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
            trainer.tokens += int(found["attention_mask"].sum())
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
                if not sparse:
                    return super().compute_loss(model, inputs, *more, **options)
                inputs = dict(inputs)
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
        trainer.evaluate = partial(_skip_while_training, trainer, trainer.evaluate)
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


def _skip_while_training(
    trainer: Any, evaluate: Callable[..., Any], *args: Any, **more: Any
) -> Any:
    return {} if trainer.is_in_train else evaluate(*args, **more)


def timed(variant: Variant, steps: int) -> None:
    """Train once and note real tokens per second, and the share of the time spent on batches."""
    from transformers import TrainerCallback

    trainer = variant.make(steps + WARM, 0)
    marks: list[float] = []
    step_began: list[float] = []

    class Marks(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            step_began.append(time.perf_counter())

        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.append(time.perf_counter())

    trainer.add_callback(Marks())
    counted: list[int] = []
    collate = trainer.data_collator
    counter = trainer if hasattr(trainer, "tokens") else collate
    spent = [0.0]

    def watched(items: Any) -> Any:
        found = collate(items)
        counted.append(counter.tokens)
        return found

    fetch = getattr(type(trainer.train_dataset), "__getitems__", None)
    trainer.data_collator = watched
    drawing = _timed_rows(trainer.train_dataset, spent) if fetch else None
    trainer.train()
    if drawing:
        drawing()
    # Batches come one ahead of the step that uses them.
    tokens = counted[steps + WARM - 1] - counted[WARM - 1]
    seconds = marks[-1] - marks[WARM - 1]
    variant.speeds.append(tokens / seconds)
    variant.waiting.append(spent[0] / (marks[-1] - step_began[0]))
    print(f"  … {variant.name}: {variant.speeds[-1]:,.0f}", file=sys.stderr, flush=True)


def _timed_rows(dataset: Any, spent: list[float]) -> Callable[[], None]:
    """Time how long the masks of the batches take; return what undoes it."""
    kind, fetch = type(dataset), type(dataset).__getitems__

    def measured(self: Any, indices: Any) -> Any:
        began = time.perf_counter()
        found = fetch(self, indices)
        spent[0] += time.perf_counter() - began
        return found

    kind.__getitems__ = measured
    return lambda: setattr(kind, "__getitems__", fetch)


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
        masks = statistics.median(variant.waiting)
        lines[variant.name] = {"tokens_per_second": speed, "times": speed / base}
        drawn = f"   masks {masks:.1%} of the time" if "maskviz" in variant.name else ""
        print(
            f"  {variant.name:<26}{speed:>9,.0f}   x {speed / base:4.2f} of plain"
            f"   x {speed / before:4.2f} of the line above{drawn}"
        )
        if drawn:
            lines[variant.name]["masks"] = masks
        else:
            before = speed
    return lines


def interval(pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Return the mean difference maskviz − plain with Student's 95 % interval over the seeds."""
    from scipy.stats import t

    differences = [b - a for a, b in pairs]
    mean, n = statistics.mean(differences), len(differences)
    half = t.ppf(0.975, n - 1) * statistics.stdev(differences) / n**0.5
    print(
        f"  accuracy over {n} seeds: plain {statistics.mean(a for a, _ in pairs):.3f}, maskviz "
        f"{statistics.mean(b for _, b in pairs):.3f}, difference {mean:+.3f} "
        f"[{mean - half:+.3f}, {mean + half:+.3f}]"
    )
    return {"difference": mean, "low": mean - half, "high": mean + half}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a table with texts and labels; else generated reviews")
    parser.add_argument("--task", choices=("mlm", "classification", "both"), default="both")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=0, help="compare accuracies over so many")
    parser.add_argument("--accuracy-steps", type=int, default=40)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    import torch
    from transformers.utils import logging

    from maskviz.training.device import device_name

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"mini on {device_name(device)}, batch {options.batch}, at most 256 tokens a row")
    texts, labels = rows(options.data, options.rows)
    found = {}
    for task in ("mlm", "classification") if options.task == "both" else (options.task,):
        bench = Bench(task, texts, labels, options.batch)
        variants = bench.variants()
        for _ in range(options.rounds):
            for variant in variants:
                timed(variant, options.steps)
        found[task] = report(task, variants)
        if options.seeds > 1:
            found[task]["accuracy"] = interval(
                accuracies(bench, options.accuracy_steps, options.seeds)
            )
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
