"""A run's parts put together: network, rows under their masks, Trainer, and the pace."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import CapabilityError
from ..data.rows import CURVE_ROWS, Rows
from ..spec.spec import CAUSAL, RunSpec
from .recorder import Recorder
from .sets import evaluation_sets, masked_rows

if TYPE_CHECKING:
    from ..data.ahead import Ahead
    from ..data.batches import LengthBuckets, MaskedRows
    from ..machine.compiling import Lengths
    from ..model.hooks import CoreHooks
    from .losses import Loss


def assemble(
    folder: Path,
    spec: RunSpec,
    rows: Rows,
    model: Any,
    recorder: Recorder,
    device: str,
    precision: str,
) -> tuple[Any, Any]:
    """Return the Trainer of a run and its Pacer."""
    import gc

    from transformers import PrinterCallback

    from ..model.trial import passing
    from .metrics import answer_of, metrics_of
    from .pacer import Pacer
    from .trainer import MaskTrainer

    # Trainer collects garbage as it begins: over all that is loaded that takes a quarter second.
    gc.freeze()
    recorder.phase("tokenising")
    args = training_arguments(folder, spec, device, precision)
    early = hooked_network(spec, model, rows) if spec.training.packing else None
    packing = early is not None and early[1].packing.works
    train = masked_rows(spec, model, rows.train, spec.masking, spec.seed, packing)
    buckets, reading = _order(train, args)
    network, hooks = early or hooked_network(spec, model, rows)
    if hooks.packing.said:
        recorder.log(hooks.packing.said)
    able = passing(network, model, precision, spec.precision)
    if able != precision:
        recorder.log(f"The architecture {model.family!r} cannot be run in bf16: trains in float32.")
        recorder.update(precision=able)
        args = training_arguments(folder, spec, device, able)
    first = next(iter(rows.evaluation.values())).sample(CURVE_ROWS)
    trainer = MaskTrainer(
        spec=spec,
        recorder=recorder,
        hooks=hooks,
        buckets=buckets,
        reading=reading,
        model=network,
        args=args,
        train_dataset=train,
        eval_dataset=evaluation_sets(spec, model, first),
        data_collator=_collator(spec, model, hooks, train),
        compute_loss_func=_loss(spec, rows),
        compute_metrics=metrics_of(spec.kind),
        preprocess_logits_for_metrics=answer_of(spec.kind),
    )
    pacer = Pacer(trainer)
    trainer.add_callback(pacer)
    trainer.remove_callback(PrinterCallback)
    return trainer, pacer


def _order(train: MaskedRows, args: Any) -> tuple[LengthBuckets, Ahead]:
    """Return the batches of each epoch, and the thread in which a pipeline reads their rows.

    It reads those that the run will see, in the order of the first epoch, while the network loads
    and learns.
    """
    from ..data.ahead import Ahead
    from ..data.batches import LengthBuckets

    buckets = LengthBuckets(
        train.lengths,
        args.train_batch_size,
        args.seed,
        args.process_index,
        args.world_size,
    )
    seen = args.max_steps * args.gradient_accumulation_steps if args.max_steps > 0 else None
    batches = islice(buckets, seen) if train.masker.needs_pipeline else ()
    return buckets, Ahead(map(train.prepare, batches), depth=0)


def hooked_network(spec: RunSpec, model: Any, rows: Rows) -> tuple[Any, Any]:
    """Return the network to tune, LoRA's matrices in it where asked for, and its hooks."""
    from ..model.hooks import CoreHooks, require_matrix
    from ..model.network import load_network
    from ..model.unseen import out_of_sight

    network = load_network(spec, model, rows.label_names)
    hooks = CoreHooks(network)
    if spec.training.gradient_checkpointing:
        _checkpoint_layers(network, model.family, hooks)
    if spec.masking.matrix or spec.evaluated_mask.matrix:
        require_matrix(network, hooks, model.family)
    if spec.task == "classification" and _hides_by_attention(spec):
        hooks.unseen = out_of_sight(network, model)
    if spec.task == CAUSAL:
        _reads_rows(spec, model, network, hooks)
    if spec.training.lora_r:
        from ..model.lora import with_lora

        network = with_lora(network, spec)
    return network, hooks


def _reads_rows(spec: RunSpec, model: Any, network: Any, hooks: CoreHooks) -> None:
    """Find out what a decoder needs to read rows by themselves, several in one too."""
    from ...models.checks import demand
    from ..model.packing import packing_of, takes_places

    if _hides_by_attention(spec):
        demand(model, "out of sight")
    hooks.require_picks(network)
    hooks.places = takes_places(network)
    if spec.training.packing:
        hooks.packing = packing_of(network, model.family)


def _collator(spec: RunSpec, model: Any, hooks: CoreHooks, train: MaskedRows) -> Any:
    """Return what makes a batch of items."""
    from ..data.collating import TaskCollator
    from ..data.teaching import TaughtCollator

    if spec.task != CAUSAL:
        return TaskCollator(model.padding, spec.task, hooks.sparse, _lengths(spec, train))
    return TaughtCollator(
        model.padding,
        side=spec.training.padding_side,
        sparse=hooks.sparse,
        places=hooks.places,
        packing=hooks.packing.works,
    )


def _hides_by_attention(spec: RunSpec) -> bool:
    masks = (spec.masking, spec.evaluated_mask)
    return any(mask.active and mask.operator == "attention" for mask in masks)


def _checkpoint_layers(network: Any, family: str, hooks: CoreHooks) -> None:
    """Let each layer keep its input alone, and compute the rest again on the way back.

    Then the batch's matrix is gone from the hooks, so each layer keeps it with its input.
    """
    if not network.supports_gradient_checkpointing:
        raise CapabilityError(
            f"The architecture {family!r} takes no gradient_checkpointing: set it to false."
        )
    newer = getattr(network, "activation_checkpointing_enable", None)  # its later name
    options = {"use_reentrant": False, "context_fn": hooks.again}
    (newer or network.gradient_checkpointing_enable)(options)


def _lengths(spec: RunSpec, train: MaskedRows) -> Lengths | None:
    """Return the lengths to which rows are padded, where the network is compiled for these."""
    from ..machine.compiling import Lengths

    return Lengths.up_to(max(train.masker.lengths)) if spec.training.torch_compile else None


def _loss(spec: RunSpec, rows: Rows) -> Loss:
    """Return the loss of the task, which weighs the classes where that is asked for."""
    from ..data.targets import class_weights
    from .losses import loss_of

    weights = None
    if spec.training.class_weights != "none":
        weights = class_weights(rows.train.labels, len(rows.label_names))
    return loss_of(spec.kind, weights, spec.training.label_smoothing_factor)


def training_arguments(folder: Path, spec: RunSpec, device: str, precision: str) -> Any:
    """Return Hugging Face's TrainingArguments; when to log, evaluate and save is the Pacer's."""
    from transformers import TrainingArguments

    chosen = spec.training
    minutes = bool(chosen.max_minutes)
    same = (
        "learning_rate", "per_device_train_batch_size", "per_device_eval_batch_size",
        "gradient_accumulation_steps", "weight_decay", "warmup_steps", "lr_scheduler_type",
        "max_grad_norm",
    )  # fmt: skip
    arguments = TrainingArguments(
        output_dir=str(folder / "checkpoints"),
        num_train_epochs=10_000 if minutes else chosen.num_train_epochs,
        max_steps=-1 if minutes else chosen.max_steps,
        **{name: getattr(chosen, name) for name in same},
        seed=spec.seed,
        bf16=precision == "bf16",
        use_cpu=device == "cpu",
        eval_strategy="no",
        save_strategy="no",
        logging_strategy="no",
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_pin_memory=device == "cuda",
    )
    if arguments.n_gpu > 1:  # one a process: a batch that is torn apart loses its hidden places
        arguments._n_gpu = 1
    return arguments
