"""A run as a script of its own: transformers' Trainer over the very batches that the run reads.

What a strategy hides needs maskviz to be chosen, and often a pipeline or a model; so the batches go
along, masks drawn and rows in order, and the script needs neither. It begins from the same weights
(a head that is drawn at random and LoRA's first matrices lie beside it), takes the same steps, and
prints the loss of each evaluation. Only dropout is drawn anew.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from ...errors import CapabilityError, ParameterError
from ...paths import write_atomic
from ..spec.spec import SINGLE, RunSpec
from .ending import steps_asked
from .script_text import script_text

_TAKEN = (
    "learning_rate", "weight_decay", "warmup_steps", "lr_scheduler_type", "max_grad_norm",
    "gradient_accumulation_steps",
)  # fmt: skip
_NOTHING = 1e30  # what a loss is divided by, so that nothing is left of it


def write_script(spec: RunSpec, folder: str | Path, run: str = "") -> Path:
    """Write `train.py` with its batches into a new folder; return it, whole or not at all.

    Raises CapabilityError for what a script cannot do as the run does, ParameterError where the
    folder is there already, and what the run itself would raise for its data and model.
    """
    refuse(spec)
    target = Path(folder).expanduser().absolute()
    if target.exists():
        raise ParameterError(f"{target.name!r} is there already: name a new folder.")
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    staged.mkdir()
    try:
        _write(spec, staged, run or spec.name or "of this script")
        staged.rename(target)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return target


def refuse(spec: RunSpec) -> None:
    """Raise CapabilityError where a script could not do the same."""
    for masking in (spec.masking, spec.evaluated_mask):
        if masking.matrix:
            raise CapabilityError(
                "An attention matrix acts inside the network, which transformers' Trainer cannot: "
                "take the run's model as it is."
            )
    hides = any(m.active and m.operator == "attention" for m in (spec.masking, spec.evaluated_mask))
    if spec.training.packing and hides:
        raise CapabilityError(
            "Packed rows whose words are hidden from attention need a mask inside the network: set "
            "packing to false, or the operator to 'delete'."
        )
    if spec.training.max_minutes or spec.training.early_stopping_patience:
        raise CapabilityError(
            "A run that ends by the clock or by its evaluations has no steps to write down: set "
            "max_steps, and max_minutes and early_stopping_patience to 0."
        )


def _write(spec: RunSpec, folder: Path, run: str) -> None:
    from .recorder import Recorder
    from .sets import evaluation_sets
    from .stages import prepare

    with tempfile.TemporaryDirectory(prefix="maskviz-") as scratch:
        write_atomic(Path(scratch) / "spec.toml", spec.to_toml())
        job = prepare(Path(scratch), None, Recorder(Path(scratch)))
        trainer = job.trainer
        steps = steps_asked(spec, len(trainer.buckets))
        trainer.reading.close()
        _lines(folder / "steps.jsonl", _steps(job, steps))
        for split, part in job.rows.evaluation.items():
            for mask, rows in evaluation_sets(spec, job.model, part).items():
                size = spec.training.per_device_eval_batch_size
                chunks = [range(len(rows))[i : i + size] for i in range(0, len(rows), size)]
                found = (_batch(job, rows.__getitems__(list(some))) for some in chunks)
                each = ({**b, "items": _items(job, [b])} for b in found)
                _lines(folder / f"evaluation-{split}-{mask}.jsonl", each)
        drawn = _begin(job, folder)
        spec = replace(spec, model=str(job.model.path) if not drawn else spec.model)
        text = script_text(
            spec, run, _arguments(job, steps), drawn=drawn, options=_options(job, drawn),
            class_weights=_class_weights(job),
        )  # fmt: skip
        write_atomic(folder / "train.py", text)


def _steps(job: Any, steps: int) -> Iterator[Mapping[str, Any]]:
    """Yield the batches of all steps, each with what its whole step is divided by."""
    size = job.spec.training.gradient_accumulation_steps
    left = steps
    for epoch in range(steps):
        job.trainer.set_epoch(epoch)
        batches = iter(job.trainer.buckets)
        while left and (step := list(islice(batches, size))):
            rows = [_batch(job, job.trainer.train_dataset.__getitems__(some)) for some in step]
            items = _items(job, rows)
            yield from ({**batch, "items": items} for batch in rows)
            left -= 1
            # Where an epoch ends within a step, the batch that fills it up teaches nothing.
            yield from [{**rows[-1], "items": _NOTHING}] * (size - len(step))
        if not left:
            return


def _batch(job: Any, rows: Sequence[Any]) -> dict[str, Any]:
    """Return a batch as the network is fed: every place with its label, nothing of maskviz."""
    from .losses import decoder_inputs

    trainer = job.trainer
    trainer.data_collator.sparse = False
    batch = trainer.hooks.unseen(dict(trainer.data_collator(rows)))
    for name in ("real_tokens", "row_lengths", "left"):
        batch.pop(name, None)
    if job.spec.task == "seq2seq":
        batch["decoder_input_ids"] = decoder_inputs(trainer.model, batch["labels"])
    return batch


def _items(job: Any, batches: Sequence[Mapping[str, Any]]) -> float:
    """Return what the loss of a step is divided by, as the run divides it."""
    import torch

    found = job.trainer._get_num_items_in_batch(list(batches), torch.device("cpu"))
    return float(found)


def _lines(path: Path, batches: Iterator[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for batch in batches:
            plain = {k: v.tolist() if hasattr(v, "tolist") else v for k, v in batch.items()}
            file.write(json.dumps(plain) + "\n")


def _begin(job: Any, folder: Path) -> bool:
    """Write what the run draws before its first step; return whether that is the whole network."""
    from ...models import load_model
    from ..model.network import drawn_head

    network, spec = job.trainer.model, job.spec
    if spec.training.lora_r:
        network.save_pretrained(folder / "adapter", save_embedding_layers=False)
        return False
    learns_mask = job.model.mask_token_id != load_model(spec.model).mask_token_id
    same_head = "ignore_mismatched_sizes" not in _head_of(job) and not drawn_head(spec, job.model)
    if same_head and not learns_mask:
        return False
    network.save_pretrained(folder / "start")
    return True


def _head_of(job: Any) -> dict[str, Any]:
    from ..model.network import head_options

    return head_options(job.spec, job.model, job.rows.label_names)


def _options(job: Any, drawn: bool) -> dict[str, Any]:
    return {} if drawn else _head_of(job)


def _arguments(job: Any, steps: int) -> dict[str, Any]:
    chosen = job.spec.training
    return {
        "output_dir": "checkpoints",
        "max_steps": steps,
        "per_device_train_batch_size": chosen.per_device_train_batch_size,
        **{name: getattr(chosen, name) for name in _TAKEN},
        "seed": job.spec.seed,
        "bf16": job.precision == "bf16",
        "use_cpu": job.device == "cpu",
        "logging_steps": chosen.logging_steps,
        "save_strategy": "no",
        "report_to": "none",
        "remove_unused_columns": False,
    }


def _class_weights(job: Any) -> list[float] | None:
    from ..data.targets import class_weights

    if job.spec.kind != SINGLE or job.spec.training.class_weights == "none":
        return None
    return class_weights(job.rows.train.labels, len(job.rows.label_names))


__all__ = ["refuse", "write_script"]
