"""Batches for `mini`: pieces with hidden words or tokens, and labelled texts, some with gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from mini_data import CLS, MASK, PAD, SEP, SPECIAL_TOKENS, encode_all
from tokenizers import Tokenizer
from torch import Tensor

BY_TOKEN = 0.5  # share of the pieces in which single tokens are hidden, not whole words


@dataclass(frozen=True)
class MaskedBatch:
    """Pieces in which words or tokens are hidden, and what stood there."""

    input_ids: Tensor  # (B, T)
    positions: Tensor  # (K,) places in the flattened batch
    labels: Tensor  # (K,) token ids, -100 where K is more than was hidden


@dataclass(frozen=True)
class LabelledBatch:
    """Padded texts with their sentiment."""

    input_ids: Tensor  # (B, T)
    attention_mask: Tensor  # (B, T) 1 = text
    targets: Tensor  # (B,) probability of positive: 0 or 1 where people said so


def continuations(tokenizer: Tokenizer) -> np.ndarray:
    """For every id, whether the token continues a word (`##…`); bool, (V,)."""
    flags = np.zeros(tokenizer.get_vocab_size(), dtype=bool)
    for token, index in tokenizer.get_vocab().items():
        flags[index] = token.startswith("##")
    return flags


def hide_words(
    ids: np.ndarray,
    continues: np.ndarray,
    ratio: float,
    rng: np.random.Generator,
    by_token: float = 0.0,
) -> np.ndarray:
    """Which tokens of `ids` (B, T) to hide: each whole word with probability `ratio`.

    In a share `by_token` of the rows each token by itself, so that a part of a word is guessed
    from the parts that are left.
    """
    single = rng.random((len(ids), 1)) < by_token
    words = np.cumsum(~continues[ids] | single, axis=1) - 1  # (B, T)
    draws = rng.random(ids.shape)
    hidden = np.take_along_axis(draws, np.maximum(words, 0), axis=1) < ratio
    return hidden & (ids >= len(SPECIAL_TOKENS))


class Pieces:
    """Pieces of T tokens from the stream, each once per epoch, in an order set by the seed."""

    def __init__(self, stream: np.ndarray, continues: np.ndarray, seed: int) -> None:
        self.stream, self.continues, self.seed = stream, continues, seed
        self.drawn: dict[int, int] = {}  # length -> pieces drawn so far
        self._orders: dict[tuple[int, int], np.ndarray] = {}

    def _rows(self, length: int, count: int) -> np.ndarray:
        body = length - 2
        pieces = (len(self.stream) - body) // body
        first = self.drawn.get(length, 0)
        self.drawn[length] = first + count
        rows = np.empty((count, length), dtype=np.int64)
        rows[:, 0], rows[:, -1] = CLS, SEP
        for row, index in enumerate(range(first, first + count)):
            epoch, place = divmod(index, pieces)
            start = self._order(length, epoch, pieces)[place] * body
            # Each epoch cuts elsewhere, so that no token always stands at an edge.
            start += (epoch * 37) % body
            rows[row, 1:-1] = self.stream[start : start + body]
        return rows

    def _order(self, length: int, epoch: int, pieces: int) -> np.ndarray:
        key = (length, epoch)
        if key not in self._orders:
            rng = np.random.default_rng([self.seed, length, epoch])
            self._orders[key] = rng.permutation(pieces)
        return self._orders[key]

    def batch(self, length: int, count: int, ratio: float) -> MaskedBatch:
        """The next `count` pieces with about `ratio` of their words, or tokens, hidden."""
        rows = self._rows(length, count)
        rng = np.random.default_rng([self.seed, length, self.drawn[length]])
        hidden = hide_words(rows, self.continues, ratio, rng, BY_TOKEN)
        places = np.flatnonzero(hidden)
        # A fixed number of places keeps the compiled shapes fixed.
        size = int(rows.size * ratio)
        if len(places) > size:
            places = np.sort(rng.choice(places, size=size, replace=False))
            hidden = np.zeros(rows.size, dtype=bool)
            hidden[places] = True
            hidden = hidden.reshape(rows.shape)
        positions = np.zeros(size, dtype=np.int64)
        labels = np.full(size, -100, dtype=np.int64)
        positions[: len(places)] = places
        labels[: len(places)] = rows.ravel()[places]
        inputs = np.where(hidden, MASK, rows)
        return MaskedBatch(*(torch.from_numpy(array) for array in (inputs, positions, labels)))


@dataclass(frozen=True)
class Pool:
    """Texts of one length class and how a batch is cut from them."""

    texts: list[np.ndarray]  # token ids without special tokens
    targets: np.ndarray  # probability of positive
    length: int
    count: int
    share: float


def with_teacher(sentiment: pd.DataFrame, soft: pd.DataFrame | None) -> pd.DataFrame:
    """Labelled texts with a `target`, then the teacher's sentences (`review`) if there are any.

    Where people and the teacher both judged, the target is the mean of the two.
    """
    frame = sentiment.assign(target=sentiment["label"].astype(float))
    if soft is None:
        return frame
    told = soft.assign(target=1 / (1 + np.exp(-soft["soft"].astype(float))))
    known = frame["text"].map(told.drop_duplicates("text").set_index("text")["target"])
    frame["target"] = frame["target"].add(known.fillna(frame["target"])) / 2
    return pd.concat([frame, told[told["source"] == "review"]], ignore_index=True)


def label_pools(tokenizer: Tokenizer, sentiment: pd.DataFrame) -> list[Pool]:
    """Short and long treebank texts, sentences and pieces of reviews: shapes and shares."""
    ids = [np.array(row) for row in encode_all(tokenizer, list(sentiment["text"]))]
    targets = sentiment["target"].to_numpy()
    source = sentiment["source"].to_numpy()
    sizes = np.array([len(row) for row in ids])
    treebank, told = np.isin(source, ["sst", "sst-phrase"]), source == "review"
    # With a teacher's sentences, fewer steps go to the phrases, which say the same again.
    shares = {True: (0.2, 0.2, 0.25, 0.2, 0.05, 0.1), False: (0.45, 0.25, 0, 0, 0.15, 0.15)}
    phrases, sentences, brief, full, pieces, reviews = shares[bool(told.any())]
    shapes = [
        (treebank, 0, 30, 32, 64, phrases),
        (treebank, 30, 10**6, 64, 32, sentences),
        (told, 0, 30, 32, 64, brief),
        (told, 30, 10**6, 64, 32, full),
    ]
    pools = []
    for chosen, low, high, length, count, share in shapes:
        fits = chosen & (sizes > low) & (sizes <= high)
        # Whole sentences are what the classifier is asked about: they count twice.
        index = np.concatenate([np.flatnonzero(fits), np.flatnonzero(fits & (source == "sst"))])
        if share:
            pools.append(Pool([ids[i] for i in index], targets[index], length, count, share))
    index = np.flatnonzero(source == "imdb")
    texts = [ids[i] for i in index]
    # A few sentences of a review mostly share its verdict: many weak labels of its domain.
    pools.append(Pool(texts, targets[index], 64, 32, pieces))
    pools.append(Pool(texts, targets[index], 256, 8, reviews))
    return pools


class Labelled:
    """Labelled batches; a share of the texts has words masked or taken out."""

    def __init__(self, pools: list[Pool], continues: np.ndarray, seed: int) -> None:
        self.pools, self.continues, self.seed = pools, continues, seed
        self.step = 0

    def batch(self) -> LabelledBatch:
        """The next batch: one pool, its texts cut to its length."""
        rng = np.random.default_rng([self.seed, 7, self.step])
        self.step += 1
        pool = self.pools[rng.choice(len(self.pools), p=[pool.share for pool in self.pools])]
        chosen = rng.integers(len(pool.texts), size=pool.count)
        rows = np.full((pool.count, pool.length), PAD, dtype=np.int64)
        for row, index in enumerate(chosen):
            ids = self._cut(pool.texts[index], pool.length - 2, rng)
            ids = self._gaps(ids, rng)
            rows[row, : len(ids) + 2] = [CLS, *ids, SEP]
        mask = (rows != PAD).astype(np.int64)
        targets = pool.targets[chosen].astype(np.float32)
        return LabelledBatch(*(torch.from_numpy(array) for array in (rows, mask, targets)))

    def _cut(self, ids: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
        if len(ids) <= length:
            return ids
        # The verdict of a review stands at its end more often than in its middle.
        start = rng.choice([0, len(ids) - length, rng.integers(len(ids) - length + 1)])
        return ids[start : start + length]

    def _gaps(self, ids: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        kind = rng.random()
        if kind > 0.4 or len(ids) < 4:
            return ids
        hidden = hide_words(ids[None], self.continues, rng.uniform(0.05, 0.4), rng)[0]
        if kind < 0.1:
            return ids[~hidden] if not hidden.all() else ids
        return np.where(hidden, MASK, ids)
