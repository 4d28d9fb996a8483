"""Predictions of a classifier, in batches of texts of similar length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..masks.encoding import Encoding
from ..models.model import Model, device, load_model
from . import side_by_side

# Tokens in a batch. A core's cache holds what 1,024 tokens of a small model need between two
# layers: batches four times as large took 1.4 times as long. A GPU wants them large.
_TOKENS, _TOKENS_ON_GPU = 1024, 16_384
_FEWEST = 256  # tokens in a batch, below which sharing out costs more than it saves
_MOST = 1024  # texts in a batch
HEADS = ("single", "multi", "regression")


@dataclass(frozen=True)
class Prediction:
    """A classifier's answer for one text.

    label: the most probable label; a regression's first output.
    probabilities: label → probability in [0, 1]; they sum to 1 (multi-label heads: each for
        itself; regression: values, unbounded).
    chosen: every label the answer gives: the most probable one, or of a multi-label head those of
        0.5 or more.
    log_odds: label → ln(p / (1 − p)) (regression: the values).
    """

    label: str
    probabilities: dict[str, float]
    chosen: tuple[str, ...] = ()
    log_odds: dict[str, float] = field(default_factory=dict)

    @property
    def confidence(self) -> float:
        """The probability of the predicted label."""
        return self.probabilities[self.label]


def head_of(config: Any) -> str:
    """Return what a classifier's outputs are: `single` label, `multi` label or `regression`."""
    kind = config.problem_type
    if kind == "regression" or (config.num_labels == 1 and kind is None):
        return "regression"
    return "multi" if kind == "multi_label_classification" else "single"


def predict(
    model: Model | str, encodings: Sequence[Encoding], batch_size: int | None = None
) -> list[Prediction]:
    """Classify the encodings; the answers come in their order.

    Raises CapabilityError where the model is no classifier.
    """
    loaded = load_model(model)
    logits = class_logits(loaded, encodings, batch_size)
    return [prediction_of(loaded, activated(loaded.config, row), row) for row in logits]


def class_probabilities(
    model: Model, encodings: Sequence[Encoding], batch_size: int | None = None
) -> Any:
    """Return the outputs as a float array (texts, labels), after softmax or sigmoid."""
    return activated(model.config, class_logits(model, encodings, batch_size))


def class_logits(model: Model, encodings: Sequence[Encoding], batch_size: int | None = None) -> Any:
    """Return the outputs as a float array (texts, labels), before softmax or sigmoid.

    Encodings that are the same to the model share one pass, so their answers are equal to the
    last bit. `batch_size` is a number of texts; None takes batches of about 1,024 tokens, one for
    each core at a time.
    """
    import numpy as np

    places: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
    which = [places.setdefault((e.input_ids, e.attention_mask), len(places)) for e in encodings]
    ids, seen = zip(*places, strict=True) if places else ((), ())
    answers = logits_of_ids(model, ids, seen, batch_size)
    return answers[which] if places else np.zeros((0, model.config.num_labels))


def logits_of_ids(
    model: Model,
    ids: Sequence[Sequence[int]],
    seen: Sequence[Sequence[int]],
    batch_size: int | None = None,
) -> Any:
    """Return the classifier's outputs (texts, labels) for token ids and what may be attended to.

    Texts of similar length share a batch, so that little of it is padding.
    """
    import numpy as np
    import torch

    network = model.network("classify")

    def answer(rows: list[int]) -> Any:
        with torch.inference_mode():
            inputs = padded(model, [ids[i] for i in rows], [seen[i] for i in rows])
            return network(**inputs).logits.double().cpu().numpy()

    found = np.zeros((len(ids), model.config.num_labels))
    lengths = [len(row) for row in ids]
    batches = list(_batches(lengths, batch_size))
    longest = [lengths[rows[0]] for rows in batches]
    answers = side_by_side.answers(model, answer, batches, longest)
    for rows, logits in zip(batches, answers, strict=True):
        found[rows] = logits
    return found


def _batches(lengths: Sequence[int], batch_size: int | None) -> Iterator[list[int]]:
    """Yield the indices of the texts of each batch, the longest first.

    A batch that is half full ends where shorter texts begin: without padding it is faster.
    """
    order = sorted(range(len(lengths)), key=lambda i: lengths[i], reverse=True)
    tokens, start = _tokens_in_a_batch(sum(lengths)), 0
    while start < len(order):
        longest = max(1, lengths[order[start]])
        full = max(1, min(_MOST, tokens // longest))
        shorter = (
            size
            for size in range(-(-full // 2), min(full, len(order) - start))
            if lengths[order[start + size]] < longest
        )
        size = batch_size or next(shorter, full)
        yield order[start : start + size]
        start += size


def _tokens_in_a_batch(total: int) -> int:
    """Return the tokens in a batch: few texts are shared out evenly between the threads."""
    if device() != "cpu":
        return _TOKENS_ON_GPU
    return min(_TOKENS, max(_FEWEST, -(-total // side_by_side.threads())))


def batch(model: Model, encodings: Sequence[Encoding]) -> dict[str, Any]:
    """Return padded `input_ids` and `attention_mask`, each (texts, tokens), on the device."""
    return padded(model, [e.input_ids for e in encodings], [e.attention_mask for e in encodings])


def padded(
    model: Model, ids: Sequence[Sequence[int]], seen: Sequence[Sequence[int]]
) -> dict[str, Any]:
    """Return `input_ids` and `attention_mask`, each (texts, tokens), padded on the right."""
    import numpy as np
    import torch

    shape = (len(ids), max(map(len, ids)))
    arrays = {"input_ids": np.full(shape, model.tokenizer.pad_token_id or 0)}
    arrays["attention_mask"] = np.zeros(shape, dtype=np.int64)
    for i, (row, visible) in enumerate(zip(ids, seen, strict=True)):
        arrays["input_ids"][i, : len(row)] = row
        arrays["attention_mask"][i, : len(row)] = visible
    if (types := token_types(model, arrays["input_ids"])) is not None:
        arrays["token_type_ids"] = types
    return {name: torch.from_numpy(array).to(device()) for name, array in arrays.items()}


def token_types(model: Model, ids: Any) -> Any:
    """Return 1 for each token behind a first separator, (texts, tokens), where a text is a pair.

    None where no row has a separator inside, or the architecture tells no first part from a second.
    """
    if (getattr(model.config, "type_vocab_size", 0) or 0) < 2:
        return None
    ends = ids == model.tokenizer.sep_token_id
    return ((ends.cumsum(1) - ends) > 0).astype("int64") if (ends.sum(1) > 1).any() else None


def activate(config: Any, logits: Any) -> Any:
    """Turn logits (texts, labels) into probabilities; a regression's values stay as they are."""
    head = head_of(config)
    if head == "regression":
        return logits
    return logits.sigmoid() if head == "multi" else logits.softmax(-1)


def activated(config: Any, logits: Any) -> Any:
    """Return `activate` of a float array, as a float array."""
    import torch

    return activate(config, torch.from_numpy(logits)).numpy()


def log_odds(config: Any, logits: Any) -> Any:
    """Return ln(p / (1 − p)) of every label from logits (…, labels); a regression's values.

    Of a softmax it is z_i − ln Σ_{j≠i} exp(z_j), of a sigmoid the logit itself.
    """
    import numpy as np

    if head_of(config) != "single":
        return logits
    others = np.array(np.broadcast_to(logits[..., None, :], (*logits.shape, logits.shape[-1])))
    others[..., np.arange(logits.shape[-1]), np.arange(logits.shape[-1])] = -np.inf
    return logits - np.logaddexp.reduce(others, -1)


def chosen_labels(model: Model, row: Any) -> tuple[str, ...]:
    """Return every label that one row of probabilities (labels,) gives."""
    labels = model.labels
    if head_of(model.config) == "multi":
        return tuple(name for name, p in zip(labels, row, strict=True) if p >= 0.5)
    return (labels[0 if head_of(model.config) == "regression" else int(row.argmax())],)


def prediction_of(model: Model, row: Any, logits: Any = None) -> Prediction:
    """Return the prediction that one row of probabilities (labels,) says."""
    labels, regression = model.labels, head_of(model.config) == "regression"
    odds = (
        {}
        if logits is None
        else dict(zip(labels, map(float, log_odds(model.config, logits)), strict=True))
    )
    return Prediction(
        labels[0 if regression else int(row.argmax())],
        dict(zip(labels, map(float, row), strict=True)),
        chosen_labels(model, row),
        odds,
    )
