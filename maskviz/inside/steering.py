"""Run a model under an attention matrix, and look at one head's arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..errors import CapabilityError, ParameterError
from ..masks.encoding import Encoding
from ..masks.matrices import additive
from ..models.checks import demand
from ..models.model import Model, load_model
from ..readings.batches import batch
from ..readings.labels import Prediction, prediction_of
from ..readings.question import asked
from .core import core_of

_RECORD = "maskviz_record"


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


@dataclass(frozen=True, eq=False)
class HeadArithmetic:
    """One head's numbers, float32: scores and weights (queries, keys), values (keys, d),
    output (queries, d) = weights · values. `scores` are Q·Kᵀ/√d before the mask is added.
    """

    scores: Any
    weights: Any
    values: Any
    output: Any


def head_arithmetic(
    model: Model | str, encoding: Encoding, layer: int, head: int, allowed: Any | None = None
) -> HeadArithmetic:
    """Record what one head computes over an encoding, with or without an attention matrix.

    Raises ParameterError for a layer or head there is not, CapabilityError where the
    architecture does not run through transformers' attention interface.
    """
    import torch

    loaded = load_model(model)
    network = loaded.main_network()
    tape: list[tuple[Any, Any, Any, float, Any]] = []
    with loaded.lock, torch.inference_mode(), _recording(loaded, network, tape):  # noqa: SIM117
        with under_matrix(loaded, network, allowed):
            core_of(network)(**batch(loaded, [encoding]))
    if not 0 <= layer < len(tape):
        raise ParameterError(f"There is no layer {layer + 1}: the model has {len(tape)}.")
    query, key, value, scaling, steer = tape[layer]
    if not 0 <= head < query.shape[1]:
        raise ParameterError(f"There is no head {head + 1}: a layer has {query.shape[1]}.")
    group = head * key.shape[1] // query.shape[1]  # several query heads may share one key head
    scores = query[0, head] @ key[0, group].T * scaling
    masked = scores if steer is None else scores + steer[0, min(head, steer.shape[1] - 1)]
    weights = masked.softmax(-1)
    output = weights @ value[0, group]
    return HeadArithmetic(
        *(part.float().cpu().numpy() for part in (scores, weights, value[0, group], output))
    )


@contextmanager
def _recording(model: Model, network: Any, tape: list[Any]) -> Iterator[None]:
    """Run attention through a function that keeps queries, keys and values of each layer."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, eager_mask
    from transformers.models.bert.modeling_bert import eager_attention_forward

    def record(
        module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **options: Any
    ) -> Any:
        scaling = options.get("scaling") or query.shape[-1] ** -0.5
        tape.append((query, key, value, scaling, attention_mask))
        groups = query.shape[1] // key.shape[1]
        keys, values = (part.repeat_interleave(groups, 1) for part in (key, value))
        return eager_attention_forward(
            module, query, keys, values, attention_mask, scaling=scaling, dropout=0.0
        )

    AttentionInterface.register(_RECORD, record)
    AttentionMaskInterface.register(_RECORD, eager_mask)
    before = network.config._attn_implementation
    network.set_attn_implementation(_RECORD)
    try:
        yield
    finally:
        network.set_attn_implementation(before)
    if not tape:
        raise CapabilityError(
            f"The architecture {model.family!r} does not show its scores: choose another model."
        )
