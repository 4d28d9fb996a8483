"""Masks of a whole batch at once, as arrays: the very masks that `maskviz.mask` draws row by row.

A row is cut into segments, gap and word by turns: segment 2i + 1 is word i, segment 2i the gap
before it. A token covers the segments [first, last), so it is hidden exactly where the running
count of hidden segments rises from `first` to `last`. What a strategy draws is an array over
segments or tokens, and no object is made per span.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import LanguageError
from ...masks.chance import drawn_runs, drawn_words
from ...masks.draws import uniforms
from ...masks.operators import AS_MASK, AS_RANDOM, ordinary_ids, overlapping
from ...masks.registry import STRATEGIES
from ...text.alignment import Tokenised
from ...text.words import whole_characters, word_offsets
from .seeds import MEASURED, draw_seed


@dataclass(frozen=True)
class Segments:
    """One row laid out once.

    input_ids: (n,) int64; edges: (n, 2) int64, the characters of each token, (0, 0) for special
    ones; first, last: (n,) the segments each token covers; drawable: (n,) tokens that stand for
    characters; shared: whether tokens share characters, as the bytes of an emoji do.
    """

    input_ids: Any
    edges: Any
    first: Any
    last: Any
    drawable: Any
    words: int
    characters: int
    shared: bool


def segments(plain: Tokenised, words: Sequence[tuple[int, int]]) -> Segments:
    """Lay out the tokens of a row over its words."""
    text, given = plain.text, (offset or (0, 0) for offset in plain.offsets)
    # What a person sees as one character is hidden whole, as `Mask` does it.
    seen = [whole_characters(text, *offset) if offset[1] else offset for offset in given]
    edges = np.array(seen, dtype=np.int64).reshape(-1, 2)
    drawable = edges[:, 0] < edges[:, 1]
    borders = np.array(words, dtype=np.int64).reshape(-1)
    first = np.searchsorted(borders, edges[:, 0], side="right")
    last = np.searchsorted(borders, edges[:, 1] - 1, side="right") + 1
    real = edges[drawable]
    return Segments(
        input_ids=np.array(plain.input_ids, dtype=np.int64),
        edges=edges,
        first=first,
        last=np.where(drawable, last, first),
        drawable=drawable,
        words=len(words),
        characters=len(plain.text),
        shared=bool((real[1:, 0] < real[:-1, 1]).any()),
    )


Row = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
Hide = Callable[[Segments, float, random.Random], Any]


def _random(row: Segments, ratio: float, rng: random.Random) -> Any:
    chosen = np.zeros(2 * row.words + 1, dtype=np.int64)
    chosen[[2 * i + 1 for i in drawn_words(row.words, ratio, rng)]] = 1
    return _rises(chosen, row.first, row.last)


def _span(row: Segments, ratio: float, rng: random.Random) -> Any:
    chosen = np.zeros(2 * row.words + 1, dtype=np.int64)
    for first, length in drawn_runs(row.words, ratio, rng):
        chosen[2 * first + 1 : 2 * (first + length)] = 1
    return _rises(chosen, row.first, row.last)


def _random_token(row: Segments, ratio: float, rng: random.Random) -> Any:
    drawn, draw = row.drawable.copy(), rng.random
    drawn[drawn] = [draw() < ratio for _ in range(int(drawn.sum()))]
    if not row.shared:
        return drawn
    chosen = np.zeros(row.characters, dtype=np.int64)
    for start, end in row.edges[drawn]:
        chosen[start:end] = 1
    return _rises(chosen, row.edges[:, 0], row.edges[:, 1])


def _rises(chosen: Any, first: Any, last: Any) -> Any:
    count = np.concatenate([[0], np.cumsum(chosen)])
    return count[last] > count[first]


DRAWN: dict[str, Hide] = {"random": _random, "span": _span, "random-token": _random_token}


def hidden_tokens(plain: Tokenised, mask: Any) -> Any:
    """Return which tokens a mask hides, bool (n,)."""
    return np.array([owner is not None for owner in overlapping(plain, mask)], dtype=bool)


class Replacement:
    """An operator over many tokens at once."""

    NAMES = ("mask", "corrupt", "unk", "pad", "attention")

    def __init__(self, operator: str, tokenizer: Any) -> None:
        self.operator = operator
        special = {"corrupt": "mask", "attention": ""}.get(operator, operator)
        self.token = getattr(tokenizer, f"{special}_token_id") if special else 0
        self.ordinary = np.array(ordinary_ids(tokenizer) if operator == "corrupt" else ())

    @classmethod
    def made(cls, operator: str, tokenizer: Any) -> Replacement | None:
        """Return the operator's, or None where it changes the number of tokens or has no token."""
        if operator not in cls.NAMES:
            return None
        found = cls(operator, tokenizer)
        return None if found.token is None else found

    def __call__(self, ids: Any, hidden: Any, seeds: Any, places: Any) -> tuple[Any, Any]:
        """Return input ids and attention mask, (n,) each.

        seeds, places: (n,) the seed of each token's row and its place there, for `corrupt`.
        """
        visible = np.ones(len(ids), dtype=np.int64)
        if self.operator in ("attention", "pad"):
            visible[hidden] = 0
        if self.operator == "attention":
            return ids, visible
        ids = ids.copy()
        if self.operator != "corrupt":
            ids[hidden] = self.token
            return ids, visible
        seeds, places = seeds[hidden], places[hidden]
        point = uniforms(seeds, 2 * places)
        other = (uniforms(seeds, 2 * places + 1) * len(self.ordinary)).astype(np.int64)
        drawn = np.where(point < AS_RANDOM, self.ordinary[other], ids[hidden])
        ids[hidden] = np.where(point < AS_MASK, self.token, drawn)
        return ids, visible


class BatchDraws:
    """The rows of a `Masker` masked a batch at a time.

    What is hidden comes from `hide`, drawn as arrays; where nothing is drawn it is chosen once a
    row (`fixed`); else each row's mask is asked for.
    """

    def __init__(self, masker: Any, replacement: Replacement) -> None:
        self.masker, self.replacement = masker, replacement
        masking = masker.masking
        alone = masking.second is None and not masking.complement
        self.hide: Hide | None = DRAWN.get(masking.strategy) if alone else None
        self.fixed = not any(choice.draws for choice in masking.choices)
        ratio = masking.ratio
        if self.hide is not None and ratio is None:
            ratio = STRATEGIES[masking.strategy].default_ratio
        self.ratio = ratio
        self._laid_out: dict[int, Segments] = {}

    @classmethod
    def made(cls, masker: Any) -> BatchDraws | None:
        """Return the draws, or None where the operator needs a row at a time."""
        replacement = Replacement.made(masker.masking.operator, masker.model.tokenizer)
        return None if replacement is None else cls(masker, replacement)

    def rows(self, indices: Sequence[int], epoch: int) -> list[Row | None]:
        """Return (input ids, attention mask, original ids) of each row, None for one left plain.

        A row stays plain that has no words, or of which nothing would be left to read.
        """
        if not indices:
            return []
        self.masker.prepare(indices)
        laid_out = [self._row(i) for i in indices]
        seeds = [draw_seed(self.masker.seed, epoch, i) for i in indices]
        hidden = [
            self._hidden(index, epoch, seed, row) if row.words else _none(row)
            for index, seed, row in zip(indices, seeds, laid_out, strict=True)
        ]
        lengths = [len(row.input_ids) for row in laid_out]
        ids = np.concatenate([row.input_ids for row in laid_out])
        off = np.concatenate(hidden)
        places = np.concatenate([np.arange(n) for n in lengths])
        read, visible = self.replacement(ids, off, np.repeat(seeds, lengths), places)
        ids_read, seen = read.tolist(), visible.tolist()
        originals = np.where(off, ids, -100).tolist()
        found: list[Row | None] = []
        end = 0
        for row, n in zip(laid_out, lengths, strict=True):
            start, end = end, end + n
            empty = not row.words or (off[start:end].any() and not visible[start:end].any())
            found.append(
                None
                if empty
                else (
                    tuple(ids_read[start:end]),
                    tuple(seen[start:end]),
                    tuple(originals[start:end]),
                )
            )
        return found

    def fix(self, indices: Sequence[int]) -> None:
        """Choose what is hidden in each row whatever the seed."""
        for i in indices:
            if not self._row(i).words:
                continue
            try:
                mask = self.masker.mask(i)
            except LanguageError:
                self.masker.fixed[i] = self._left_plain(i)
                continue
            self.masker.fixed[i] = hidden_tokens(self.masker.plain[i], mask)
            if i < MEASURED:
                self.masker.ratios[i] = mask.realised_ratio

    def _left_plain(self, index: int) -> Any:
        self.masker.left_plain.add(index)
        return _none(self._row(index))

    def _row(self, index: int) -> Segments:
        if index not in self._laid_out:
            plain = self.masker.plain[index]
            self._laid_out[index] = segments(plain, word_offsets(plain.text))
        return self._laid_out[index]

    def _hidden(self, index: int, epoch: int, seed: int, row: Segments) -> Any:
        if self.hide is not None:
            return self.hide(row, self.ratio, random.Random(seed))  # noqa: S311  repeatable, not secret
        if self.fixed:
            return self.masker.fixed[index]
        try:
            return hidden_tokens(self.masker.plain[index], self.masker.mask(index, epoch))
        except LanguageError:
            return self._left_plain(index)


def _none(row: Segments) -> Any:
    return np.zeros(len(row.input_ids), dtype=bool)
