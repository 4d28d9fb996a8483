"""What LoRA may adapt, and whether the model that is saved is the one that was evaluated.

A table of words is often shared: by the head that guesses words, by encoder and decoder. Matrices
on one of its names would be added to all of them, and the merged model would be another. Names
that share weights are refused; and for every LoRA run the logits are compared before the matrices
are added into the weights, after, and as they come back from the disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...errors import ModelError
from ..spec.spec import RunSpec
from .heads import CLASSES

ALL = "all-linear"
PROBE = "Anna saw a film in Paris, and it was not bad."
CLOSE = 1e-3  # of the largest logit: sums in another order differ by less than a hundredth of that


def asked_modules(spec: RunSpec) -> list[str]:
    """Return the names in lora_target_modules."""
    written = spec.training.lora_target_modules.split(",")
    return [name.strip() for name in written if name.strip()]


def refuse_tied(network: Any, spec: RunSpec) -> None:
    """Raise ModelError where LoRA is asked for on weights that another module shares."""
    names = asked_modules(spec)
    if not spec.training.lora_r or names == [ALL]:
        return
    for name, others in tied(network, names).items():
        raise ModelError(
            f"LoRA on {name!r} would change {', '.join(map(repr, others))} too, which shares its "
            f"weights, so the model saved would be another than the one tuned: leave "
            f"{_asked(name, names)!r} out of lora_target_modules, or set lora_r to 0."
        )


def tied(network: Any, names: Sequence[str]) -> dict[str, list[str]]:
    """Return the modules of these names that share their weights, each with those it shares with.

    A name stands for each module whose path ends in it, as PEFT reads it.
    """
    owners: dict[int, list[str]] = {}
    for path, module in network.named_modules(remove_duplicate=False):
        weight = getattr(module, "weight", None)
        if weight is not None and hasattr(weight, "requires_grad"):
            owners.setdefault(id(weight), []).append(path)
    return {
        path: [other for other in paths if other != path]
        for paths in owners.values()
        for path in paths
        if len(paths) > 1 and any(path == name or path.endswith(f".{name}") for name in names)
    }


def _asked(path: str, names: Sequence[str]) -> str:
    return next(name for name in names if path == name or path.endswith(f".{name}"))


def refuse_before(spec: RunSpec, folder: Path) -> None:
    """Raise the same error from a model's settings alone: its weights are not read.

    A network without weights takes a moment; it is made only where modules are named.
    """
    if not spec.training.lora_r or asked_modules(spec) == [ALL]:
        return
    import torch
    import transformers

    try:
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
        with torch.device("meta"):
            network = getattr(transformers, CLASSES[spec.task]).from_config(config)
    except (ValueError, KeyError, OSError):  # what cannot be loaded has its sentence in the run
        return
    refuse_tied(network, spec)


def logits(network: Any, tokenizer: Any) -> Any:
    """Return what a network answers to one sentence, in float32 on the CPU, without dropout."""
    import torch
    from accelerate.utils import extract_model_from_parallel

    # Trainer wraps the pass in bf16: two networks are to be compared in the same precision.
    plain = extract_model_from_parallel(network, keep_fp32_wrapper=False)
    where = next(plain.parameters()).device
    ids = torch.tensor([tokenizer(PROBE).input_ids[:32]], device=where)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if plain.config.is_encoder_decoder and not hasattr(plain, "classification_head"):
        inputs["decoder_input_ids"] = ids[:, :8]
    training = plain.training
    plain.eval()
    with torch.inference_mode():
        found = plain(**inputs).logits.float().cpu()
    plain.train(training)
    return found


def require_same(before: Any, after: Any, spec: RunSpec, when: str) -> None:
    """Raise ModelError where logits have moved by more than rounding."""
    moved = (before - after).abs().max().item()
    if not moved <= CLOSE * max(1.0, before.abs().max().item()):  # NaN is no answer either
        raise ModelError(
            f"The model {when} is another than the one tuned: its logits differ by {moved:.2g} "
            f"(lora_target_modules {spec.training.lora_target_modules!r}). Choose 'all-linear', or "
            "set lora_r to 0."
        )
