"""Hugging Face's Trainer with length-bucketed batches, whole checkpoints and our own clock.

Overridden: where batches come from, where a checkpoint is written (aside, then renamed, so
that it is complete or absent), and the learning-rate schedule of a budget in minutes.
"""

from __future__ import annotations

import math
import shutil
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from transformers import PreTrainedModel, Trainer

from ..data.ahead import Ahead
from ..data.batches import LengthBuckets, MaskedRows, SortedBatches
from ..data.parts import limits_of, parts_of
from ..machine.compiling import Compiled
from ..model.hooks import CoreHooks
from ..spec.spec import CAUSAL, REGRESSION, RunSpec
from .checkpoints import checkpoints, publish
from .losses import decoder_inputs
from .metrics import group_accuracies
from .recorder import Recorder

_STAGING = ".staging"  # what is being written; nobody takes it for a checkpoint


class MaskTrainer(Trainer):
    """A Trainer over MaskedRows."""

    model: PreTrainedModel
    train_dataset: MaskedRows
    eval_dataset: dict[str, MaskedRows]

    def __init__(
        self,
        *,
        spec: RunSpec,
        recorder: Recorder,
        hooks: CoreHooks,
        buckets: LengthBuckets,
        reading: Ahead,
        **options: Any,
    ) -> None:
        self.spec = spec
        self.recorder = recorder
        self.hooks = hooks
        self.buckets = buckets
        self.reading = reading
        self.tokens = 0  # real ones, of this process's training steps
        self.ahead = Ahead(())  # the batches of this epoch
        self._compiled: Compiled | None = None
        self._staged = False
        self._evaluated: list[Any] = []  # of each batch: the sum of its losses, and of how many
        self.best_step: int | None = None  # its checkpoint is kept
        self.by_group: dict[str, float] = {}  # accuracies of the last evaluation
        self._groups: list[str] = []  # of its rows, in their order
        super().__init__(**options)

    # batches --------------------------------------------------------------------------------

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return batches of similar length, in an order drawn from (seed, epoch)."""
        return self._loader(self.train_dataset, self.buckets)

    def _loader(self, rows: MaskedRows, sampler: Any) -> DataLoader[Any]:
        pinned = self.args.dataloader_pin_memory
        return DataLoader(
            rows, batch_sampler=sampler, collate_fn=self.data_collator, pin_memory=pinned
        )

    def _prepare_input(self, data: Any) -> Any:
        """Copy a batch to the GPU while it still computes the last one."""
        if self.args.device.type == "cuda" and isinstance(data, torch.Tensor):
            return data.to(self.args.device, non_blocking=True)
        return super()._prepare_input(data)

    def get_batch_samples(self, epoch_iterator: Any, *more: Any) -> Any:
        """Return the next batches, made ahead in a thread: drawing masks holds up no step."""
        if self.ahead.source is not epoch_iterator:
            self.ahead.close()
            self.ahead = Ahead(epoch_iterator, self.ahead)
        return super().get_batch_samples(self.ahead, *more)

    def train(self, *args: Any, **options: Any) -> Any:
        """Train as Trainer does; the threads that read rows and make batches end with it."""
        try:
            return super().train(*args, **options)
        finally:
            self.reading.close()
            self.ahead.close()

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader[Any]:
        """Return the rows from long to short."""
        rows = self.eval_dataset[eval_dataset] if isinstance(eval_dataset, str) else eval_dataset
        sampler = SortedBatches(rows.lengths, self.args.eval_batch_size)
        self._groups = [rows.groups[i] for batch in sampler for i in batch] if rows.groups else []
        loader = self._loader(rows, sampler)
        return self.accelerator.prepare(loader) if self.args.world_size > 1 else loader

    def set_epoch(self, epoch: int) -> None:
        """Draw the order and the masks of this epoch."""
        self.train_dataset.epoch = self.buckets.epoch = epoch

    # loss -----------------------------------------------------------------------------------

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Learn from a batch; a decoder's on a processor is read in parts, see `parts_of`."""
        alone = self.args.device.type == "cpu" and self.args.world_size == 1
        if self.spec.task != CAUSAL or not alone:
            return super().training_step(model, inputs, num_items_in_batch)
        limits = limits_of(self.model.config)
        losses = [
            super(MaskTrainer, self).training_step(model, part, num_items_in_batch)
            for part in parts_of(inputs, limits)
        ]
        return torch.stack(losses).sum()

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Return the loss, with a batch's hidden places and attention matrix put to use."""
        inputs = self.hooks.unseen(dict(inputs))
        tokens = inputs.pop("real_tokens", 0)
        self.tokens += tokens if model.training else 0
        positions = inputs.pop("head_positions", None)
        matrix = inputs.pop("attention_matrix", None)
        if self.spec.task == CAUSAL:
            inputs = {k: v for k, v in inputs.items() if k not in ("row_lengths", "left")}
            weighed: Any = self.compute_loss_func
            weighed.weights = inputs.pop("loss_weights")
            inputs["use_cache"] = False
        if self.spec.task == "seq2seq":
            read = decoder_inputs(self.model, inputs["labels"])
            inputs |= {"decoder_input_ids": read, "use_cache": False}
        with self.hooks.fed(positions, matrix):
            network = self._as_it_trains(model)
            loss, outputs = super().compute_loss(network, inputs, True, num_items_in_batch)
        if not model.training:
            self._evaluated.append(
                torch.stack([loss.detach() * num_items_in_batch, num_items_in_batch])
            )
        return (loss, outputs) if return_outputs else loss

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Return 6 operations a weight and token; counting weights at each step takes its time."""
        return 6 * inputs["input_ids"].numel() * self._dense

    @cached_property
    def _dense(self) -> int:
        return self.model.num_parameters(exclude_embeddings=True)

    def _as_it_trains(self, model: Any) -> Any:
        """Return the network, compiled in training where that is asked for."""
        if not (model.training and self.spec.training.torch_compile):
            return model
        if self._compiled is None:
            single = self.args.gradient_accumulation_steps == 1  # graphs overwrite gradients
            self._compiled = Compiled(model, single, self.recorder.log)
        return self._compiled

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: Any) -> Any:
        if self.spec.task == CAUSAL:  # what a step learns weighs as much as its weights together
            weights = sum(batch["loss_weights"].sum() for batch in batch_samples).to(device)
            return self.accelerator.gather(weights).sum() if self.args.world_size > 1 else weights
        if self.spec.kind == REGRESSION:  # transformers takes a −100 for a place without a label
            batch_samples = [{"labels": torch.zeros_like(b["labels"])} for b in batch_samples]
        return super()._get_num_items_in_batch(batch_samples, device)

    def evaluation_loop(self, *args: Any, **options: Any) -> Any:
        """Evaluate; the loss is the mean over all rows or tokens, not over batches."""
        self._evaluated = []
        output = super().evaluation_loop(*args, **options)
        sums = self.accelerator.reduce(torch.stack(self._evaluated).sum(0), "mean")
        name = f"{options.get('metric_key_prefix', 'eval')}_loss"
        found = dict(output.metrics or {})
        found.pop(name, None)
        if sums[1] > 0:  # a mean over nothing is no figure
            found[name] = (sums[0] / sums[1]).item()
        self.by_group = {}
        if self._groups and self.args.world_size == 1:  # several read the rows in another order
            self.by_group = group_accuracies(output.predictions, output.label_ids, self._groups)
            name = f"{options.get('metric_key_prefix', 'eval')}_worst_group_accuracy"
            found[name] = min(self.by_group.values())
        return output._replace(metrics=found)

    # checkpoints ----------------------------------------------------------------------------

    def _get_output_dir(self, trial: Any) -> str:
        folder = super()._get_output_dir(trial)
        return str(Path(folder) / _STAGING) if self._staged else folder

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        folder = Path(self._get_output_dir(trial))
        if self.args.process_index == 0:
            shutil.rmtree(folder / _STAGING, ignore_errors=True)
        self.accelerator.wait_for_everyone()
        self._staged = True
        try:
            super()._save_checkpoint(model, trial)
        finally:
            self._staged = False
        self.accelerator.wait_for_everyone()
        if self.args.process_index == 0:
            self._publish(folder)
        self.accelerator.wait_for_everyone()

    def _publish(self, folder: Path) -> None:
        publish(folder / _STAGING / f"checkpoint-{self.state.global_step}", folder)
        best = f"checkpoint-{self.best_step}"
        for old in checkpoints(folder)[: -self.spec.training.save_total_limit]:
            if old.name != best:  # moved away first: one that is half deleted is no checkpoint
                old.rename(folder / _STAGING / old.name)
        shutil.rmtree(folder / _STAGING)

    # a budget in minutes --------------------------------------------------------------------

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Return the schedule; in a budget of minutes it follows the clock, not the steps."""
        if not self.spec.training.max_minutes:
            return super().create_scheduler(num_training_steps, optimizer)
        if optimizer is None:
            optimizer = self.optimizer
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda _: self._clock_factor()
        )
        self._created_lr_scheduler = True
        return self.lr_scheduler

    def _clock_factor(self) -> float:
        done = min(1.0, self.recorder.seconds / (self.spec.training.max_minutes * 60))
        kind = self.spec.training.lr_scheduler_type
        if kind == "constant":  # as by steps, without a warm-up
            return 1.0
        warmup = min(self.spec.training.warmup_steps, 0.5)
        if done < warmup:
            return max(done / warmup, 0.02)
        rest = (done - warmup) / (1 - warmup)
        if kind == "constant_with_warmup":
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * rest)) if kind == "cosine" else 1 - rest
