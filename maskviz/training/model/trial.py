"""One pass before a run: what an architecture cannot learn at all is said before it starts."""

from __future__ import annotations

from typing import Any

from ...errors import CapabilityError
from ...inside.checks.probe import probe
from ...models.model import Model
from ...models.raised import from_architecture


def require_pass(network: Any, model: Model, precision: str) -> None:
    """Raise CapabilityError where a network cannot be run as it would be in training.

    precision: of the run, `bf16` or `float32`. Nothing is learned and no random number is used up.
    """
    said = _raised(network, model, precision)
    if said is None:
        return
    if precision != "float32" and _raised(network, model, "float32") is None:
        raise CapabilityError(
            f"The architecture {model.family!r} cannot be trained in {precision} ({said}): set "
            "precision to float32."
        )
    raise CapabilityError(
        f"The architecture {model.family!r} cannot be trained ({said}): choose another model."
    )


def _raised(network: Any, model: Model, precision: str) -> str | None:
    """Return what a pass over a few tokens raises, dropout and all, or None."""
    import torch

    ids = torch.tensor([probe(model).ids] * 2, device=network.device)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if network.config.is_encoder_decoder and "Classification" not in type(network).__name__:
        inputs["decoder_input_ids"] = ids
    training = network.training
    half = torch.autocast(ids.device.type, torch.bfloat16, enabled=precision == "bf16")
    try:
        with torch.random.fork_rng(), half:
            network.train()(**inputs)
    except Exception as error:
        if not from_architecture(error):
            raise
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:100]}"
    finally:
        network.train(training)
    return None
