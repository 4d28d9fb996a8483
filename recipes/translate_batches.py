"""Batches of sentence pairs of about the same length, with little padding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from tokenizers import Tokenizer
from torch import Tensor
from translate_data import EOS, MASK, PAD

# Most tokens of a source and of a target, end sign included; longer pairs are left out.
SHAPES = ((6, 7), (7, 9), (9, 10), (10, 12), (12, 14), (14, 17), (18, 22), (26, 32), (40, 48))


@dataclass(frozen=True)
class PairBatch:
    """Padded sources and targets of one shape."""

    input_ids: Tensor  # (B, S)
    attention_mask: Tensor  # (B, S) 1 = text
    decoder_input_ids: Tensor  # (B, T) the target, one place to the right
    labels: Tensor  # (B, T) -100 = padding

    def to(self, device: torch.device) -> PairBatch:
        """The same batch on a device."""
        return PairBatch(*(tensor.to(device) for tensor in vars(self).values()))


def vary(text: str, rng: np.random.Generator) -> str:
    """Now and then what people type: a curly apostrophe, no capitals, no full stop."""
    draw = rng.random()
    if draw < 0.05:
        return text.replace("'", "’")
    if draw < 0.08:
        return text.lower()
    if draw < 0.11:
        return text.rstrip(".!?")
    return text


def hide(ids: list[int], rng: np.random.Generator) -> list[int]:
    """Replace a tenth to a third of the tokens by `<mask>`; the end sign stays."""
    ratio = rng.uniform(0.1, 0.33)
    return [MASK if token != EOS and rng.random() < ratio else token for token in ids]


class PairStream:
    """Epochs of shuffled batches; any batch can be drawn again from seed and number."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        pairs: pd.DataFrame,
        tokens: int,
        seed: int,
        hidden_share: float = 0.12,
    ) -> None:
        self.tokenizer, self.tokens, self.seed = tokenizer, tokens, seed
        self.hidden_share = hidden_share
        self.texts = list(pairs["en"])
        self.sources = self._encode(self.texts)
        self.targets = self._encode(list(pairs["fr"]))
        sizes = [(len(s), len(t)) for s, t in zip(self.sources, self.targets, strict=True)]
        self.shape = np.array([shape_of(*size) for size in sizes])
        self.drawn = 0
        self._epoch = -1
        self._plan: list[tuple[int, np.ndarray]] = []

    def _encode(self, texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast(texts)]

    @property
    def per_epoch(self) -> int:
        """Batches in an epoch."""
        return sum(
            int((self.shape == index).sum()) // self._count(index) for index in range(len(SHAPES))
        )

    def _count(self, index: int) -> int:
        return max(1, self.tokens // SHAPES[index][1])

    def _start(self, epoch: int) -> None:
        rng = np.random.default_rng([self.seed, epoch])
        self._plan = []
        for index in range(len(SHAPES)):
            rows = rng.permutation(np.flatnonzero(self.shape == index))
            count = self._count(index)
            whole = len(rows) // count * count
            self._plan += [(index, part) for part in rows[:whole].reshape(-1, count)]
        self._plan = [self._plan[place] for place in rng.permutation(len(self._plan))]
        self._epoch = epoch

    def batch(self) -> PairBatch:
        """The next batch; sources vary anew each time."""
        epoch, place = divmod(self.drawn, self.per_epoch)
        if epoch != self._epoch:
            self._start(epoch)
        rng = np.random.default_rng([self.seed, 11, self.drawn])
        self.drawn += 1
        index, rows = self._plan[place]
        sources = [self._source(row, SHAPES[index][0], rng) for row in rows]
        return collate(sources, [self.targets[row] for row in rows], SHAPES[index])

    def _source(self, row: int, length: int, rng: np.random.Generator) -> list[int]:
        ids = self.sources[row]
        varied = vary(self.texts[row], rng)
        if varied != self.texts[row]:
            again = self.tokenizer.encode(varied).ids
            ids = again if len(again) <= length else ids
        return hide(ids, rng) if rng.random() < self.hidden_share else ids

    def in_order(self) -> Iterator[PairBatch]:
        """Every pair once, unvaried, for validation."""
        for index in range(len(SHAPES)):
            rows = np.flatnonzero(self.shape == index)
            for start in range(0, len(rows), self._count(index)):
                part = rows[start : start + self._count(index)]
                sources = [self.sources[row] for row in part]
                yield collate(sources, [self.targets[row] for row in part], SHAPES[index])


def shape_of(source: int, target: int) -> int:
    """The first shape that holds both lengths, or -1."""
    return next((i for i, (s, t) in enumerate(SHAPES) if source <= s and target <= t), -1)


def collate(
    sources: list[list[int]], targets: list[list[int]], shape: tuple[int, int]
) -> PairBatch:
    """Pad to the shape; the decoder starts from `<pad>`, as in T5."""
    inputs = np.full((len(sources), shape[0]), PAD, dtype=np.int64)
    shifted = np.full((len(targets), shape[1]), PAD, dtype=np.int64)
    labels = np.full((len(targets), shape[1]), -100, dtype=np.int64)
    for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
        inputs[row, : len(source)] = source
        shifted[row, 1 : len(target)] = target[:-1]
        labels[row, : len(target)] = target
    mask = (inputs != PAD).astype(np.int64)
    return PairBatch(*(torch.from_numpy(array) for array in (inputs, mask, shifted, labels)))
