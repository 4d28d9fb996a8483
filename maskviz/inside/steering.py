"""Run a model under an attention matrix, and look at one head's arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..masks.encoding import Encoding
from ..models.checks import demand
from ..models.model import Model
from ..readings.labels import Prediction, prediction_of
from ..readings.question import asked
from .composing import composed


@contextmanager
def under_matrix(model: Model, network: Any, allowed: Any | None) -> Iterator[None]:
    """Let every token attend only where the matrix and the network's own mask both allow it.

    The matrix is laid over the core of the network only: heads that pool need the flat mask.
    Raises CapabilityError where the check of the model found that it does not heed one.
    """
    if allowed is None:
        yield
        return
    demand(model, "matrix")
    with composed(network, allowed):
        yield


def predict_under(model: Model | str, encoding: Encoding, allowed: Any | None) -> Prediction:
    """Classify one encoding under an attention matrix, bool (tokens, tokens).

    Raises CapabilityError where the architecture takes none.
    """
    import torch

    question = asked(model)
    loaded = question.model
    with loaded.running(), torch.inference_mode(), under_matrix(loaded, question.network, allowed):
        logits = question.ask([encoding])[0].double().cpu().numpy()
    return prediction_of(question, question.probabilities(logits), logits)
