"""Batches: rows of similar length together, padded to the longest, masks drawn on the way."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch.utils.data import Dataset, Sampler

from .masking import Masker, TokenRow

_POOL = 50  # batches whose rows are sorted by length together
_RISING = 8  # of the first epoch's batches come from short to long


class MaskedRows(Dataset[Any]):
    """Rows under the mask of the current epoch; item i is (TokenRow, label)."""

    def __init__(self, masker: Masker, labels: Sequence[int]) -> None:
        self.masker = masker
        self.labels = labels
        self.groups: Sequence[str] = ()  # whom each row is about
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> list[int]:
        """The number of tokens of every item."""
        return self.masker.lengths

    def prepare(self, indices: Sequence[int]) -> None:
        """Do for a batch, once, what any epoch needs."""
        self.masker.prepare(indices)

    def __getitem__(self, index: int) -> tuple[TokenRow, int]:
        return self.masker.row(index, self.epoch), self.labels[index]

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[TokenRow, int]]:
        """Return a batch; torch's loader asks for it in one call."""
        rows = self.masker.rows(indices, self.epoch)
        return [(row, self.labels[i]) for row, i in zip(rows, indices, strict=True)]


class LengthBuckets(Sampler[list[int]]):
    """Batches of rows of similar length, in an order drawn from (seed, epoch).

    A pool of 50 batches is drawn at random, sorted by length and cut, so that little of a batch
    is padding and the order stays random. The first 8 batches of all come from short to long: a
    pipeline that reads the rows for the first time is soon ahead of the steps. Of `processes` that
    train together, each takes its turn; the first batches come again where the last turn is not
    full.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        batch_size: int,
        seed: int,
        process: int = 0,
        processes: int = 1,
    ) -> None:
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.process, self.processes = process, processes
        self.epoch = 0

    def __len__(self) -> int:
        return -(-len(self.lengths) // (self.batch_size * self.processes))

    def __iter__(self) -> Iterator[list[int]]:
        batches = self._all()
        missing = len(self) * self.processes - len(batches)
        batches += [batches[i % len(batches)] for i in range(missing)]
        return iter(batches[self.process :: self.processes])

    def _all(self) -> list[list[int]]:
        rng = random.Random(f"{self.seed}/{self.epoch}")  # noqa: S311 - a seeded stream
        order = sorted(range(len(self.lengths)), key=lambda _: rng.random())
        pool = self.batch_size * _POOL
        batches = []
        for start in range(0, len(order), pool):
            rows = sorted(order[start : start + pool], key=lambda i: self.lengths[i])
            batches += [rows[i : i + self.batch_size] for i in range(0, len(rows), self.batch_size)]
        batches.sort(key=lambda _: rng.random())
        if self.epoch == 0:
            batches[:_RISING] = sorted(batches[:_RISING], key=self._tokens)
        return batches

    def _tokens(self, batch: Sequence[int]) -> int:
        return sum(self.lengths[i] for i in batch)


class SortedBatches(Sampler[list[int]]):
    """Batches for evaluation: all rows from the longest to the shortest."""

    def __init__(self, lengths: Sequence[int], batch_size: int) -> None:
        self.order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        size = self.batch_size
        return iter([self.order[i : i + size] for i in range(0, len(self.order), size)])


class Collator:
    """Pads rows to the longest of the batch, or to what `length` makes of it; counts real tokens.

    Gives input_ids, attention_mask (batch, tokens) and labels: (batch,) for classification,
    (batch, tokens) with the hidden ids for mlm; and real_tokens, a number.
    """

    def __init__(
        self,
        pad_token_id: int,
        task: str = "classification",
        length: Callable[[int], int] | None = None,
    ) -> None:
        self.pad_token_id = pad_token_id
        self.task = task
        self.length = length

    def __call__(self, items: Sequence[tuple[TokenRow, int]]) -> dict[str, Any]:
        import torch

        rows = [row for row, _ in items]
        width = max(len(row.input_ids) for row in rows)
        width = self.length(width) if self.length else width

        def padded(values: Sequence[Sequence[int]], filler: int) -> Any:
            return torch.tensor([[*v, *[filler] * (width - len(v))] for v in values])

        labels = (
            padded([row.original for row in rows], -100)
            if self.task == "mlm"
            else torch.tensor([label for _, label in items])
        )
        return {
            "input_ids": padded([row.input_ids for row in rows], self.pad_token_id),
            "attention_mask": padded([row.attention_mask for row in rows], 0),
            "labels": labels,
            "real_tokens": sum(len(row.input_ids) for row in rows),
        }
