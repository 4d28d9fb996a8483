"""The text of a script that trains as a run did, with transformers alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.heads import CLASSES
from ..spec.spec import CAUSAL, MULTI, REGRESSION, RunSpec

_HEAD = '''"""Tune {model} ({task}) with transformers' Trainer, as the run {run} did.

{hidden}
steps.jsonl holds a batch a line, as the network reads it: words hidden as the run hid them, rows
in its order, padded. Needs torch, transformers and accelerate{more}.
"""

import json
from pathlib import Path

import torch
from torch.nn import functional
from torch.utils.data import DataLoader
from transformers import {head}, Trainer, TrainingArguments, set_seed
{imports}
HERE = Path(__file__).resolve().parent


def batches(name):
    """Return the batches of a file: tensors, and what its step is divided by."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [{{k: torch.tensor(v) for k, v in json.loads(line).items()}} for line in lines]


def loss_of(logits, labels, weights=None):
    """Return the sum of the losses of a batch."""
{loss}


class InOrder(Trainer):
    """A Trainer that takes the batches as they come."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.model_accepts_loss_kwargs = True  # a step's loss is divided below, once

    def get_train_dataloader(self):
        """Return the batches; each is one item."""
        return DataLoader(self.train_dataset, batch_size=None, collate_fn=lambda batch: batch)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        """Return the loss of a batch, divided by what its whole step holds."""
        inputs = dict(inputs)
        labels, items = inputs.pop("labels"), inputs.pop("items")
        weights = inputs.pop("loss_weights", None)
        outputs = model(**inputs{cache})
        loss = loss_of(outputs.logits.float(), labels, weights) / items.clamp(min=1e-9)
        return (loss, outputs) if return_outputs else loss


set_seed({seed})
model = {head}.from_pretrained({start}, dtype=torch.float32{options})
{prepared}trainer = InOrder(
    model=model,
    train_dataset=batches("steps.jsonl"),
    args=TrainingArguments(
{arguments}
    ),
)
trainer.train()
model = trainer.model.eval()
for name in sorted(path.name for path in HERE.glob("evaluation-*.jsonl")):
    with torch.inference_mode():
        found = [
            (trainer.compute_loss(model, trainer._prepare_inputs(batch)), batch["items"])
            for batch in batches(name)
        ]
    total = sum(items.item() for _, items in found)
    loss = sum(one.item() * items.item() for one, items in found) / max(total, 1e-9)
    print(json.dumps({{"evaluation": Path(name).stem.removeprefix("evaluation-"), "loss": loss}}))
{merged}model.save_pretrained(HERE / "model")
'''

_TOKENS = """    return functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), labels.reshape(-1), {weight}ignore_index=-100,
        label_smoothing={smoothing}, reduction="sum",
    )"""
_WEIGHED = """    each = functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), labels.reshape(-1), ignore_index=-100,
        label_smoothing={smoothing}, reduction="none",
    )  # a label stands where its token is predicted: nothing is shifted
    return (each * weights.reshape(-1)).sum()"""
_SEVERAL = (
    """    return functional.binary_cross_entropy_with_logits(logits, labels, reduction="sum")"""
)
_NUMBERS = (
    """    return functional.mse_loss(logits.reshape(-1), labels.reshape(-1), reduction="sum")"""
)


def script_text(
    spec: RunSpec,
    run: str,
    arguments: Mapping[str, Any],
    *,
    drawn: bool = False,
    options: Mapping[str, Any] | None = None,
    class_weights: list[float] | None = None,
) -> str:
    """Return the script. arguments: of TrainingArguments; options: of from_pretrained.

    drawn: whether the network to begin with lies beside the script, its head drawn at random.
    class_weights: of the classes of a classification.
    """
    lora = bool(spec.training.lora_r)
    prepared = ""
    if spec.training.gradient_checkpointing:
        prepared += "model.gradient_checkpointing_enable({'use_reentrant': False})\n"
    if lora:
        prepared += 'adapter = HERE / "adapter"\n'
        prepared += "model = PeftModel.from_pretrained(model, adapter, is_trainable=True)\n"
    return _HEAD.format(
        model=spec.model, task=spec.kind, run=run, head=CLASSES[spec.task], seed=spec.seed,
        hidden=f"Hidden: {spec.masking}.",
        more=", and peft" if lora else "",
        imports="from peft import PeftModel\n" if lora else "",
        loss=_loss(spec, class_weights),
        cache=", use_cache=False" if spec.task in (CAUSAL, "seq2seq") else "",
        start='HERE / "start"' if drawn else repr(spec.model),
        options="".join(f", {name}={value!r}" for name, value in (options or {}).items()),
        prepared=prepared,
        arguments="\n".join(f"        {name}={value!r}," for name, value in arguments.items()),
        merged="model = model.merge_and_unload()\n" if lora else "",
    )  # fmt: skip


def _loss(spec: RunSpec, class_weights: list[float] | None) -> str:
    smoothing = spec.training.label_smoothing_factor
    if spec.task == CAUSAL:
        return _WEIGHED.format(smoothing=smoothing)
    if spec.kind in (MULTI, REGRESSION):
        return _SEVERAL if spec.kind == MULTI else _NUMBERS
    given = f"torch.tensor({class_weights}, device=logits.device), "
    weight = "" if class_weights is None else given
    return _TOKENS.format(smoothing=smoothing, weight=weight)
