"""Masks while training: drawn per row from (seed, epoch, row), put onto tokens made once.

A draw depends on nothing else, so any order of rows, any number of processes and any
interruption give the same masks.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...errors import MaskError, TextError
from ...masks import OPERATORS, Mask
from ...masks.choose import mask as choose_mask
from ...masks.operators import encode
from ...text.alignment import Tokenised, tokenise
from ...text.document import Document
from ...text.pipelines import BUNDLED
from ...text.shelf import annotate_once
from ...text.span import Span
from ..spec.mask_spec import MaskingSpec
from .seeds import MEASURED, draw_seed

if TYPE_CHECKING:
    from .vectorised import BatchDraws


@dataclass(frozen=True)
class TokenRow:
    """What the model reads of one row, and what was hidden there.

    input_ids, attention_mask: (n,); original: (n,) the id that was hidden at this place, or
    −100 where nothing was (the labels of the task mlm). source: (n,) which token of the plain row
    this one is, None for one put in; None where tokens stay in their places.
    """

    input_ids: tuple[int, ...]
    attention_mask: tuple[int, ...]
    original: tuple[int, ...]
    source: tuple[int | None, ...] | None = None


def drawn(
    masking: MaskingSpec,
    text: str | Document,
    seed: int = 0,
    epoch: int = 0,
    row: int = 0,
    model: Any = "mini",
) -> Mask:
    """Return the mask of one row in an epoch; a second strategy draws from its own seed.

    `model` is what a strategy asks, by name or loaded.
    Raises TextError for a text without words, MaskError, ParameterError.
    """
    second = masking.second
    return choose_mask(
        text,
        masking.strategy,
        ratio=masking.ratio,
        seed=draw_seed(seed, epoch, row),
        complement=masking.complement,
        second=second and replace(second, seed=draw_seed(second.seed, epoch, row)),
        join=masking.join,
        **{"model": model, **masking.parameters},
    )


class Masker:
    """Gives the tokens of a row under the mask of an epoch; epoch 0 for ever where static.

    `model` has a tokenizer, its mask token and a name (`maskviz.models.Model`).
    """

    def __init__(
        self,
        model: Any,
        texts: Sequence[str],
        masking: MaskingSpec,
        seed: int,
        max_length: int,
        marked: Sequence[tuple[Span, ...]] | None = None,
    ) -> None:
        self.model, self.marked = model, marked
        self.texts = texts
        self.masking = masking
        self.seed = seed
        self.max_length = max_length
        self.left_plain: set[int] = set()
        self._static: dict[int, TokenRow] = {}
        self.fixed: dict[int, Any] = {}  # which tokens are hidden whatever the seed, by row
        self.ratios: dict[int, float] = {}  # the share of words hidden at first, by row
        self._ready: set[int] = set()
        self._taken: set[int] = set()  # by one thread or another, and not ready yet
        self._turn = threading.Condition()

    @cached_property
    def plain(self) -> list[Tokenised]:
        """The tokens of every row, made once."""
        tokenizer = self.model.tokenizer
        return [tokenise(tokenizer, text, self.max_length) for text in self.texts]

    @cached_property
    def documents(self) -> list[Document]:
        """The rows with their words and entities, found once."""
        marks: Sequence[Any] = self.marked or [None] * len(self.texts)
        return [
            Document(text, self._pipeline, marked=marked)
            for text, marked in zip(self.texts, marks, strict=True)
        ]

    @property
    def _pipeline(self) -> str:
        return self.masking.parameters.get("pipeline") or BUNDLED

    @cached_property
    def lengths(self) -> list[int]:
        """The number of tokens of every row."""
        return [len(tokens.input_ids) for tokens in self.plain]

    def prepare(self, rows: Sequence[int]) -> None:
        """Do for a batch, once, what any epoch needs: a pipeline reads it, what is fixed is chosen.

        Of two threads that ask for a row, the second waits for the first, and for that row alone.
        """
        if not self.masking.active:
            return
        fixed = self._batch if self._batch is not None and self._batch.fixed else None
        if fixed is None and not self.needs_pipeline:
            return
        while missing := [i for i in rows if i not in self._ready]:
            with self._turn:
                mine = [i for i in missing if i not in self._taken]
                if not mine:
                    self._turn.wait()
                    continue
                self._taken.update(mine)
            try:
                if self.needs_pipeline:
                    annotate_once([self.documents[i] for i in mine])
                if fixed is not None:
                    fixed.fix(mine)
                self._ready.update(mine)
            finally:
                with self._turn:
                    self._taken.difference_update(mine)
                    self._turn.notify_all()

    @cached_property
    def needs_pipeline(self) -> bool:
        """Whether a pipeline must read a row before it can be masked."""
        return "pipeline" in self.masking.needs

    def row(self, index: int, epoch: int = 0) -> TokenRow:
        """Return one row as the model reads it in this epoch."""
        return self.rows([index], epoch)[0]

    def rows(self, indices: Sequence[int], epoch: int = 0) -> list[TokenRow]:
        """Return several rows as the model reads them in this epoch, drawn together."""
        if not self.masking.active:
            return [_plain_row(self.plain[i]) for i in indices]
        if self.masking.dynamic:
            return self._drawn(indices, epoch)
        new = [i for i in dict.fromkeys(indices) if i not in self._static]
        self._static.update(zip(new, self._drawn(new, 0), strict=True))
        return [self._static[i] for i in indices]

    def _drawn(self, indices: Sequence[int], epoch: int) -> list[TokenRow]:
        if self._batch is None:
            self.prepare(indices)
            return [self._draw(i, epoch) for i in indices]
        rows = self._batch.rows(indices, epoch)
        self.left_plain.update(i for i, row in zip(indices, rows, strict=True) if row is None)
        return [
            _plain_row(self.plain[i]) if row is None else TokenRow(*row)
            for i, row in zip(indices, rows, strict=True)
        ]

    @cached_property
    def _batch(self) -> BatchDraws | None:
        """Return what masks a whole batch as arrays, None where the operator takes a row a time."""
        from .vectorised import BatchDraws

        return BatchDraws.made(self)

    def mask(self, index: int, epoch: int = 0) -> Mask:
        """Return the mask of one row in an epoch. Raises TextError for a row without words."""
        return drawn(self.masking, self.documents[index], self.seed, epoch, index, self.model)

    def hits(self, index: int) -> bool:
        """Tell whether anything that the model reads of a row is hidden in its first epoch."""
        try:
            spans = self.mask(index).spans
        except (TextError, MaskError):
            return False
        end = self.plain[index].truncated_at
        return any(end is None or span.start < end for span in spans)

    def _draw(self, index: int, epoch: int) -> TokenRow:
        plain = self.plain[index]
        try:
            chosen = self.mask(index, epoch)
            encoding = encode(chosen, OPERATORS[self.masking.operator], self.model, plain)
        except (TextError, MaskError):  # no words, or nothing left to read: the row stays plain
            self.left_plain.add(index)
            return _plain_row(plain)
        original = tuple(
            plain.input_ids[source] if hidden and source is not None else -100
            for source, hidden in zip(encoding.source, encoding.hidden, strict=True)
        )
        stays = encoding.source == tuple(range(len(plain.input_ids)))
        source = None if stays else encoding.source
        return TokenRow(encoding.input_ids, encoding.attention_mask, original, source)

    def realised_ratio(self, rows: int = MEASURED) -> float:
        """Return the mean share of hidden words over the first rows, in [0, 1]."""
        first = range(min(rows, len(self.texts))) if self.masking.active else range(0)
        self.prepare(first)
        ratios = [self._ratio(index) for index in first]
        return sum(ratios) / len(ratios) if ratios else 0.0

    def _ratio(self, index: int) -> float:
        if index not in self.ratios:
            try:
                self.ratios[index] = self.mask(index).realised_ratio
            except TextError:
                self.ratios[index] = 0.0
        return self.ratios[index]


def _plain_row(plain: Tokenised) -> TokenRow:
    n = len(plain.input_ids)
    return TokenRow(plain.input_ids, (1,) * n, (-100,) * n)
