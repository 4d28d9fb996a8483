"""Run a model under an attention matrix, and look at one head's arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import CapabilityError
from ..masks.encoding import Encoding
from ..masks.matrices import additive
from ..models.checks import demand
from ..models.model import Model
from ..readings.labels import Prediction, prediction_of
from ..readings.question import asked
from .core import core_of


@contextmanager
def under_matrix(model: Model, network: Any, allowed: Any | None) -> Iterator[None]:
    """Add log M to the scores of every layer while the block runs.

    The matrix goes to the core of the network only: heads that pool need the flat mask. Decoders
    keep their causal mask beside it.
    """
    import numpy as np

    if allowed is None:
        yield
        return
    core = core_of(network)
    if demand(model, "direction").value == "decoder":
        allowed = np.asarray(allowed) & np.tri(len(allowed), dtype=bool)
    steer = additive(allowed, next(core.parameters()).dtype).to(network.device)

    def replace_mask(
        module: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return arguments, {**keywords, "attention_mask": steer}

    handle = core.register_forward_pre_hook(replace_mask, with_kwargs=True)
    try:
        yield
    except (RuntimeError, ValueError, IndexError) as error:
        raise CapabilityError(
            f"The architecture {model.family!r} takes no attention matrix "
            f"({str(error).splitlines()[0][:80]}): use the operator attention."
        ) from None
    finally:
        handle.remove()


def predict_under(model: Model | str, encoding: Encoding, allowed: Any | None) -> Prediction:
    """Classify one encoding under an attention matrix, bool (tokens, tokens).

    Raises CapabilityError where the architecture takes none.
    """
    import torch

    question = asked(model)
    loaded = question.model
    with loaded.lock, torch.inference_mode(), under_matrix(loaded, question.network, allowed):
        logits = question.ask([encoding])[0].double().cpu().numpy()
    return prediction_of(question, question.probabilities(logits), logits)
