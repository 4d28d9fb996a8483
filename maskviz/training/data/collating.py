"""Batches for every task: what `batches.Collator` pads, and what a task or a matrix adds to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...masks.encoding import Encoding
from ...masks.matrices import attention_matrix
from ..machine.compiling import Lengths, places, rounded
from ..spec.spec import RunSpec
from .batches import Collator, MaskedRows
from .masking import Masker, TokenRow
from .seeds import draw_seed


class TaskCollator(Collator):
    """Pads a batch and gives its labels the form that the task needs.

    mlm: labels (1, k) and head_positions (k,), the hidden tokens alone, where `sparse`;
    seq2seq: labels (batch, target tokens), padded with −100; multi-label (batch, labels) float;
    regression (batch,) float. With matrices: attention_matrix (batch, 1, tokens, tokens). With
    `lengths` tokens and k are among a few numbers, for a network that is compiled.
    """

    def __init__(
        self, pad_token_id: int, task: str, sparse: bool = False, lengths: Lengths | None = None
    ) -> None:
        super().__init__(pad_token_id, task, lengths)
        self.sparse = sparse and task == "mlm"

    def __call__(self, items: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
        """Return the batch of (TokenRow, target) or (TokenRow, target, matrix)."""
        pairs = [item[:2] for item in items]
        if self.task == "seq2seq":
            batch = super().__call__([(row, 0) for row, _ in pairs])
            batch["labels"] = _padded([target for _, target in pairs], 8 if self.length else 1)
        else:
            batch = super().__call__(pairs)
        if self.sparse:
            batch |= hidden_alone(batch.pop("labels"), fixed=self.length is not None)
        if len(items[0]) > 2:
            width = batch["attention_mask"].shape[1]
            batch["attention_matrix"] = _stacked([item[2] for item in items], width)
        return batch


def hidden_alone(labels: Any, fixed: bool = False) -> dict[str, Any]:
    """Return the hidden tokens of a batch (batch, tokens) as labels (1, k) and their places (k,).

    k is at least 1, and with `fixed` a number of eighths of all places; what is not hidden has no
    label (−100).

    >>> import torch
    >>> hidden_alone(torch.tensor([[-100, 7], [8, -100]]))
    {'labels': tensor([[7, 8]]), 'head_positions': tensor([1, 2])}
    """
    from torch.nn import functional

    flat = labels.reshape(-1)
    positions = (flat != -100).nonzero()[:, 0]
    due = max(1, len(positions))
    spare = (places(due, len(flat)) if fixed else due) - len(positions)
    labels = functional.pad(flat[positions], (0, spare), value=-100)
    return {"labels": labels[None], "head_positions": functional.pad(positions, (0, spare))}


def _padded(targets: Sequence[Sequence[int]], step: int) -> Any:
    import torch

    width = rounded(max(map(len, targets)), step)
    return torch.tensor([[*t, *[-100] * (width - len(t))] for t in targets])


def _stacked(matrices: Sequence[Any], width: int) -> Any:
    """Return the matrices of a batch, bool (batch, 1, width, width); padding attends to itself."""
    import torch

    allowed = torch.eye(width, dtype=torch.bool).repeat(len(matrices), 1, 1, 1)
    for row, matrix in zip(allowed, matrices, strict=True):
        row[0, : len(matrix), : len(matrix)] = torch.from_numpy(matrix)
    return allowed


class MatrixRows(MaskedRows):
    """Rows with the attention-mask matrix of each: items are (TokenRow, target, matrix)."""

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Any, ...]]:
        """Return a batch."""
        items = super().__getitems__(indices)
        return [
            (row, target, matrix_of(self.masker, index, row, self.epoch))
            for index, (row, target) in zip(indices, items, strict=True)
        ]


def matrix_of(masker: Masker, index: int, row: TokenRow, epoch: int) -> Any:
    """Return the matrix of one row, bool (tokens, tokens), the same for (seed, epoch, row)."""
    masking = masker.masking
    given = dict(masking.matrix_parameters)
    if masking.matrix == "random":
        given["seed"] = draw_seed(masker.seed, epoch if masking.dynamic else 0, index)
    encoding = _encoding(masker.plain[index], row, masking.operator)
    return attention_matrix(masking.matrix, encoding, **given)


def _encoding(plain: Any, row: TokenRow, operator: str) -> Encoding:
    n = len(row.input_ids)
    hidden = tuple(label != -100 for label in row.original)
    special = tuple(offset is None for offset in plain.offsets)
    return Encoding(
        plain.text, operator, tuple(row.input_ids), tuple(row.attention_mask), ("",) * n,
        tuple(plain.offsets), tuple(range(n)), hidden, special,
    )  # fmt: skip


def target_limit(spec: RunSpec, model: Any) -> int:
    """Return how many tokens a seq2seq model may write: what is asked for, within its own limit."""
    own = min(model.max_length, model.decoder_positions or model.max_length)
    return min(spec.training.max_target_length, own)


def target_ids(tokenizer: Any, texts: Sequence[str], max_length: int) -> list[tuple[int, ...]]:
    """Return the texts that a seq2seq model is to write as ids, special tokens included."""
    found = tokenizer(text_target=list(texts), truncation=True, max_length=max_length)
    return list(map(tuple, found["input_ids"]))
