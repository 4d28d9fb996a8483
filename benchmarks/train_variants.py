"""What benchmarks/train.py compares: one run as a plain Trainer, with some levers, as maskviz."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

RATIO = 0.15
DRAWS = 10  # of the held-out rows' masks: one alone hides too few tokens to tell 2 points apart


@dataclass
class Variant:
    """One way to train, and what it measured."""

    name: str
    make: Callable[[int, int], Any]  # (steps, seed) -> a Trainer
    counted: int = 0  # the epoch that counts; a compiler works in the one before
    compiling: list[float] = field(default_factory=list)  # seconds that epoch took longer
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

    def __init__(
        self, task: str, texts: list[str], labels: list[str], batch: int, device: str
    ) -> None:
        from maskviz.models import load_model

        self.task, self.batch, self.device = task, batch, device
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

        from maskviz.training.data.batches import LengthBuckets
        from maskviz.training.data.collating import hidden_alone
        from maskviz.training.loop.metrics import compute_metrics, most_likely
        from maskviz.training.model.hooks import CoreHooks

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
                with hooks.fed(inputs.pop("head_positions"), None):
                    return super().compute_loss(model, inputs, *more, **options)

        trainer = Timed(
            model=network,
            args=transformers.TrainingArguments(
                str(self.folder / "plain"), max_steps=steps, learning_rate=1e-4, seed=seed,
                per_device_train_batch_size=self.batch, per_device_eval_batch_size=64, bf16=bf16,
                weight_decay=0.01, warmup_steps=0.1, use_cpu=self.device == "cpu",
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

    # accuracy ---------------------------------------------------------------------------------

    @cached_property
    def held_out(self) -> list[dict[str, Any]]:
        """The held-out rows as batches, the same for whoever is measured; for mlm drawn often."""
        import torch

        collate, dev = self._hugging_face_collator(), self._tokenised(self.dev)
        draws = DRAWS if self.task == "mlm" else 1
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return [collate(dev[i : i + 64]) for _ in range(draws) for i in range(0, len(dev), 64)]

    def accuracy(self, network: Any) -> float:
        """Return the share of labels, or of hidden tokens, that a network gets right."""
        import torch

        right = total = 0
        network.eval()
        for batch in self.held_out:
            batch = {name: tensor.to(network.device) for name, tensor in batch.items()}
            labels = batch.pop("labels")
            with torch.no_grad():
                said = network(**batch).logits.argmax(-1)
            right += int((said == labels)[labels != -100].sum())
            total += int((labels != -100).sum())
        return right / total

    # maskviz ----------------------------------------------------------------------------------

    def maskviz(self, steps: int, seed: int, strategy: str, compiled: bool = False) -> Any:
        """Return maskviz's own Trainer of the same run."""
        from transformers import set_seed

        from maskviz.training import RunSpec
        from maskviz.training.data.rows import Part, Rows
        from maskviz.training.loop.assemble import assemble
        from maskviz.training.loop.recorder import Recorder
        from maskviz.training.machine.device import resolve_precision

        folder = Path(tempfile.mkdtemp(dir=self.folder))
        spec = RunSpec.build(
            task=self.task, strategy=strategy, max_steps=steps, eval_steps=10**6,
            save_steps=10**6, seed=seed, per_device_train_batch_size=self.batch,
            ratio=None if strategy == "none" else RATIO, torch_compile=compiled,
        )  # fmt: skip
        train, dev = Part(*map(tuple, self.train)), Part(*map(tuple, self.dev))
        parts = Rows(train, {"dev": dev}, tuple(self.names))
        set_seed(seed)
        trainer, _ = assemble(
            folder, spec, parts, self.model, Recorder(folder), self.device,
            resolve_precision("auto", self.device),
        )  # fmt: skip
        trainer._save_checkpoint = lambda *_: None  # the plain Trainer saves none either
        trainer._evaluate = lambda *_, **__: {}  # nor does it evaluate on the way
        return trainer

    def variants(self, compiled: bool = False) -> list[Variant]:
        """Return the variants in the order of their levers; `compiled` adds one that compiles."""
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
            strategy = "random"
            found.append(Variant("maskviz (random)", partial(self.maskviz, strategy=strategy)))
        if compiled:
            make = partial(self.maskviz, strategy=strategy, compiled=True)
            found.append(Variant("maskviz, compiled", make, counted=1))
        return found
