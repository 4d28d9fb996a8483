"""One pass before a run: what an architecture cannot learn at all is said before it starts."""

from __future__ import annotations

from typing import Any

from ...errors import CapabilityError
from ...inside.checks.probe import probe
from ...models.model import Model
from ...models.raised import first_line, from_architecture


def passing(network: Any, model: Model, precision: str, asked: str) -> str:
    """Return the precision in which a network can be run as it would be in training.

    precision: `bf16` or `float32`. asked: what the run says of it; under `auto` bf16 gives way to
    float32. Nothing is learned and no random number is used up. Raises CapabilityError where the
    architecture cannot be run.
    """
    said = _raised(network, model, precision)
    if said is None:
        return precision
    plain = precision == "float32" or _raised(network, model, "float32") is not None
    if plain:
        raise CapabilityError(
            f"The architecture {model.family!r} cannot be trained ({said}): choose another model."
        )
    if asked == "auto":
        return "float32"
    raise CapabilityError(
        f"The architecture {model.family!r} cannot be trained in {precision} ({said}): set "
        "precision to float32."
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
        return first_line(error)
    finally:
        network.train(training)
    return None
