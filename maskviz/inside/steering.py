"""Run a model under an attention matrix, and look at one head's arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import ParameterError
from ..masks.encoding import Encoding
from ..masks.matrices import Edges
from ..models.checks import demand
from ..models.model import Model
from ..readings.labels import Prediction, prediction_of
from ..readings.question import asked
from .composing import composed
from .edges import cut
from .tape import attending, parts_of, shape_of


@contextmanager
def under_matrix(model: Model, network: Any, allowed: Any | None) -> Iterator[None]:
    """Let every token attend only where the matrix and the network's own mask both allow it.

    allowed: bool (tokens, tokens), or Edges, which act in some layers and heads alone. The matrix
    is laid over the core of the network only: heads that pool need the flat mask. Raises
    CapabilityError where the check of the model found that it does not heed one, ParameterError for
    a layer or head that there is not.
    """
    if allowed is None:
        yield
        return
    demand(model, "matrix")
    if not isinstance(allowed, Edges):
        with composed(network, allowed):
            yield
        return
    demand(model, "edges")
    heads = _within(model, allowed)
    with cut(network, lambda layer: allowed.at(layer, heads)):
        yield


def _within(model: Model, edges: Edges) -> int:
    """Return how many heads a layer has. Raises ParameterError for edges that are not there."""
    part = parts_of(model)[0]
    _, heads = shape_of(model, part)
    there = {"layer": attending(model, part), "head": tuple(range(heads))}
    for kind, chosen in (("layer", edges.layers), ("head", edges.heads)):
        if wrong := [one for one in chosen or () if one not in there[kind]]:
            named = ", ".join(map(str, there[kind]))
            raise ParameterError(
                f"The matrix is to act in {kind} {wrong[0]}, and {model.name!r} has {named} "
                "(numbered from 0): name some of these."
            )
        if chosen is not None and not chosen:
            raise ParameterError(
                f"The matrix is to act in no {kind}: name some, or None for every {kind}."
            )
    return heads


def predict_under(model: Model | str, encoding: Encoding, allowed: Any | None) -> Prediction:
    """Classify one encoding under an attention matrix, bool (tokens, tokens), or Edges.

    Raises CapabilityError where the architecture takes none.
    """
    import torch

    question = asked(model)
    loaded = question.model
    with loaded.running(), torch.inference_mode(), under_matrix(loaded, question.network, allowed):
        logits = question.ask([encoding])[0].double().cpu().numpy()
    return prediction_of(question, question.probabilities(logits), logits)
