"""The question that a classifier answers: which of its labels?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..models.model import Model, own_padding
from . import hiding
from .batches import Read
from .heads import head_of
from .question import Question, Spec, asked, question


@dataclass(frozen=True)
class Prediction:
    """The answer to a question for one text.

    label: the most probable output; a regression's first one.
    probabilities: output → probability in [0, 1]; they sum to 1 (multi-label heads: each for
        itself; regression: values, unbounded).
    chosen: every output the answer gives: the most probable one, or of a multi-label head those of
        0.5 or more.
    log_odds: output → ln(p / (1 − p)) (regression: the values).
    """

    label: str
    probabilities: dict[str, float]
    chosen: tuple[str, ...] = ()
    log_odds: dict[str, float] = field(default_factory=dict)

    @property
    def confidence(self) -> float:
        """The probability of the predicted label."""
        return self.probabilities[self.label]


def _names(model: Model, _given: Mapping[str, Any]) -> tuple[str, ...]:
    return model.labels


@question(
    "labels",
    "Which label does the classifier give?",
    outputs=_names,
    capability="classify",
    head=lambda model: head_of(model.config),
    prepare=hiding.prepared,
)
def labels(model: Model, reads: Sequence[Read]) -> Any:
    """Return the classifier's logits (texts, labels)."""
    if _pads_for_it(model) and any(_ends_as_padding(model, read) for read in reads):
        return _one_by_one(model, reads)
    return model.network("classify")(**hiding.batch_unseen(model, reads)).logits


def _pads_for_it(model: Model) -> bool:
    """Tell whether batches are padded with an id that the network itself does not pad with.

    A decoder's classifier passes over it, also where a text ends with it, as by a typed eos.
    """
    return not model.config.is_encoder_decoder and own_padding(model.config) is None


def _ends_as_padding(model: Model, read: Read) -> bool:
    import numpy as np

    return bool(np.asarray(read.input_ids)[-1] == model.padding)


def _one_by_one(model: Model, reads: Sequence[Read]) -> Any:
    """Return the logits of texts that are not padded: read by vectors, whose last one counts."""
    import torch

    network = model.network("classify")
    look_up, found = network.get_input_embeddings(), []
    for read in reads:
        inputs = hiding.batch_unseen(model, [read])
        vectors = look_up(inputs.pop("input_ids"))
        found.append(network(inputs_embeds=vectors, **inputs).logits)
    return torch.cat(found)


def predict(
    model: Model | str | Question,
    encodings: Sequence[Read],
    batch_size: int | None = None,
    question: Spec = "labels",
) -> list[Prediction]:
    """Ask about the encodings; the answers come in their order.

    Raises CapabilityError where the model cannot answer the question.
    """
    put = asked(model, question)
    logits = put.logits(encodings, batch_size)
    rows = zip(put.probabilities(logits), logits, strict=True)
    return [prediction_of(put, p, row) for p, row in rows]


def prediction_of(question: Question, row: Any, logits: Any) -> Prediction:
    """Return the prediction that one row of probabilities and of logits (outputs,) says."""
    odds = question.log_odds(logits)
    return Prediction(
        question.outputs[question.answer(row)],
        dict(zip(question.outputs, map(float, row), strict=True)),
        question.chosen(row),
        dict(zip(question.outputs, map(float, odds), strict=True)),
    )
