"""Batches of what a model reads: texts of similar length together, padded on the right.

Some architectures read what a text is padded with: the check `padding` of the loaded model finds
them, and their batches hold texts of one length alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..models.checks import finding
from ..models.model import Model, device
from . import side_by_side

# Tokens in a batch. A core's cache holds what 1,024 tokens of a small model need between two
# layers: batches four times as large took 1.4 times as long. A GPU wants them large.
_TOKENS, _TOKENS_ON_GPU = 1024, 16_384
_FEWEST = 256  # tokens in a batch, below which sharing out costs more than it saves
_MOST = 1024  # texts in a batch


class Read(Protocol):
    """What a model reads of one text: an `Encoding`, or ids and visibility alone."""

    @property
    def input_ids(self) -> Any: ...
    @property
    def attention_mask(self) -> Any: ...


@dataclass(frozen=True, eq=False)
class Ids:
    """The ids of one text, and which of them may be attended to, 1 or 0: tuples or arrays."""

    input_ids: Any  # (tokens,)
    attention_mask: Any  # (tokens,)


def answers_in_batches(
    model: Model,
    ask: Callable[[Sequence[Read]], Any],
    reads: Sequence[Read],
    outputs: int,
    batch_size: int | None = None,
) -> Any:
    """Return `ask(batch)`, a tensor (texts, outputs), of all texts as a float array, in order.

    Texts of similar length share a batch, so that little of it is padding. `batch_size` is a
    number of texts; None takes batches of about 1,024 tokens, one for each core at a time.
    """
    import numpy as np
    import torch

    def answer(rows: list[int]) -> Any:
        with torch.inference_mode():
            return ask([reads[i] for i in rows]).double().cpu().numpy()

    found = np.zeros((len(reads), outputs))
    lengths = [len(read.input_ids) for read in reads]
    batches = list(_batches(lengths, batch_size, together(model, lengths)))
    longest = [lengths[rows[0]] for rows in batches]
    answers = side_by_side.answers(model, answer, batches, longest)
    for rows, logits in zip(batches, answers, strict=True):
        found[rows] = logits
    return found


def together(model: Model, lengths: Sequence[int]) -> bool:
    """Return whether texts of these lengths may share a batch of a model."""
    return len(set(lengths)) < 2 or finding(model, "padding").passed


def _batches(
    lengths: Sequence[int], batch_size: int | None, mixed: bool = True
) -> Iterator[list[int]]:
    """Yield the indices of the texts of each batch, the longest first.

    A batch that is half full ends where shorter texts begin: without padding it is faster. Where
    lengths are not to be `mixed`, every batch ends there.
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
        if not mixed:
            size = sum(lengths[i] == longest for i in order[start : start + size])
        yield order[start : start + size]
        start += size


def _tokens_in_a_batch(total: int) -> int:
    """Return the tokens in a batch: few texts are shared out evenly between the threads."""
    if device() != "cpu":
        return _TOKENS_ON_GPU
    return min(_TOKENS, max(_FEWEST, -(-total // side_by_side.threads())))


def batch(model: Model, reads: Sequence[Read]) -> dict[str, Any]:
    """Return padded `input_ids` and `attention_mask`, each (texts, tokens), on the device."""
    return padded(model, [r.input_ids for r in reads], [r.attention_mask for r in reads])


def padded(
    model: Model, ids: Sequence[Sequence[int]], seen: Sequence[Sequence[int]]
) -> dict[str, Any]:
    """Return `input_ids` and `attention_mask`, each (texts, tokens), padded on the right."""
    import numpy as np
    import torch

    shape = (len(ids), max(map(len, ids)))
    arrays = {"input_ids": np.full(shape, model.padding)}
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
