"""The network that is tuned: loaded fresh (never a shared one), saved whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...errors import ModelError
from ...models.locate import public_name
from ...models.raised import from_architecture
from ...paths import flush, write_atomic
from ..spec.spec import MULTI, REGRESSION, SINGLE, RunSpec
from .heads import CLASSES
from .lora_check import logits, require_same
from .mask_token import give_mask


def load_network(spec: RunSpec, model: Any, label_names: Sequence[str]) -> Any:
    """Return a new float32 network with the head the task needs.

    A classifier keeps its head where its labels are those of the data, or where these are the
    numbers of its outputs; otherwise a new one is drawn.
    """
    import torch
    import transformers
    from safetensors import SafetensorError

    from ...models.model import padded_by

    options = head_options(spec, model, label_names)
    if spec.task == "mlm" and model.mask_token_id is None:
        raise _unfit(spec, "it has no mask token")
    try:
        network = getattr(transformers, CLASSES[spec.task]).from_pretrained(
            model.path,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            **options,
        )
    except Exception as error:
        known = (OSError, ValueError, KeyError, RuntimeError, SafetensorError)
        if not isinstance(error, known) and not from_architecture(error):
            raise
        first = str(error).strip().split("\n")[0][:160]
        if first.startswith("Unrecognized configuration class"):
            first = f"the architecture {model.family!r} has no head for it"
        raise _unfit(spec, first) from None
    padded_by(network, model.padding)
    give_mask(network, model)
    numbers = tuple(map(str, range(len(label_names))))
    unlike = "label2id" in options and tuple(label_names) != numbers
    if unlike and "classify" in model.capabilities:
        _draw_head(network, len(label_names))
    return network


def drawn_head(spec: RunSpec, model: Any) -> str:
    """Say that a head of the task is drawn at random, where the model has none; else empty."""
    heads = {"mlm": ("masked-LM", "fill"), "seq2seq": ("language-model", "translate")}
    heads["causal"] = ("language-model", "generate")
    head, capability = heads.get(spec.task, ("", "encode"))
    if capability in model.capabilities:
        return ""
    return (
        f"The model {public_name(spec.model)!r} has no {head} head: one is drawn at random and "
        "learns from nothing, so its figures begin at chance."
    )


def _draw_head(network: Any, outputs: int) -> None:
    """Draw the last layer anew: one that fits by its size alone would give the wrong labels."""
    import torch

    spread = getattr(network.config, "initializer_range", 0.02)
    body = network.base_model
    inside = set() if body is network else set(body.modules())
    for layer in network.modules():
        if layer not in inside and getattr(layer, "out_features", None) == outputs:
            torch.nn.init.normal_(layer.weight, std=spread)
            if layer.bias is not None:
                torch.nn.init.zeros_(layer.bias)


def _unfit(spec: RunSpec, why: str) -> ModelError:
    return ModelError(
        f"The model {spec.model!r} cannot be tuned for {spec.task} ({why}): "
        f"choose another model, such as {_SUGGESTED[spec.task]!r}."
    )


_SUGGESTED = {
    "classification": "mini",
    "mlm": "mini",
    "seq2seq": "mini-translate",
    "causal": "mini-chat",
}


def head_options(spec: RunSpec, model: Any, label_names: Sequence[str]) -> dict[str, Any]:
    """Return what from_pretrained must know of the head; a fitting one is kept as it is."""
    from ...readings.heads import head_of

    if spec.task != "classification":
        return {}
    kinds = {"single": SINGLE, "multi": MULTI, "regression": REGRESSION}
    same = spec.problem_type == REGRESSION or tuple(label_names) == model.labels
    if (
        same
        and "classify" in model.capabilities
        and (kinds[head_of(model.config)] == spec.problem_type)
    ):
        return {"problem_type": spec.problem_type}
    return {
        "num_labels": len(label_names),
        "id2label": dict(enumerate(label_names)),
        "label2id": {name: i for i, name in enumerate(label_names)},
        "problem_type": spec.problem_type,
        "ignore_mismatched_sizes": True,
    }


def save_network(
    network: Any, model: Any, folder: Path, spec: RunSpec, result: dict[str, Any]
) -> Path:
    """Write `model/` with weights (safetensors), tokenizer and model card; return its path.

    Of LoRA's matrices alone there is `adapter/` before.
    """
    from .card import model_card

    plain, answer = network, None
    if spec.training.lora_r:
        plain, answer = _merged(network, model, folder, spec, result)
    for config in filter(None, (plain.config, getattr(plain, "generation_config", None))):
        if hasattr(config, "use_cache"):  # Trainer turns it off: writing would be slow for good
            config.use_cache = getattr(model.config, "use_cache", True)
    with _whole(folder / "model") as staged:
        plain.save_pretrained(staged)
        model.tokenizer.save_pretrained(staged)
        write_atomic(staged / "README.md", model_card(folder.name, spec, result))
        if answer is not None:
            require_same(answer, logits(_reloaded(staged, spec), model.tokenizer), spec, "saved")
    return folder / "model"


def _merged(
    network: Any, model: Any, folder: Path, spec: RunSpec, result: dict[str, Any]
) -> tuple[Any, Any]:
    """Keep LoRA's matrices alone; return the network with them in its weights, and its logits."""
    from .lora import merged, save_adapter

    before = logits(network, model.tokenizer)
    with _whole(folder / "adapter") as staged:
        save_adapter(network, staged, spec, result)
    plain = merged(network)
    try:
        require_same(before, logits(plain, model.tokenizer), spec, "merged")
    except ModelError:
        shutil.rmtree(folder / "adapter", ignore_errors=True)
        raise
    return plain, before


def _reloaded(folder: Path, spec: RunSpec) -> Any:
    import torch
    import transformers

    return getattr(transformers, CLASSES[spec.task]).from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
    )


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """Yield a folder to write into that takes the place of `target` once all of it is written."""

    staged = target.with_name(f".{target.name}")
    shutil.rmtree(staged, ignore_errors=True)
    yield staged
    flush(staged)
    shutil.rmtree(target, ignore_errors=True)
    staged.rename(target)
