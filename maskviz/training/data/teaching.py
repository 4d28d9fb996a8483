"""Batches for a decoder: what it reads under the mask, and which tokens of it are learned.

A token is predicted at the place before it, so a label stands there, and no label stands before the
first token of a row. Nothing is shifted later, whatever the architecture. Where a word is hidden by
`attention` its own place still carries it: nothing is predicted from there.
"""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from ...text.alignment import Tokenised
from ...text.document import Document
from ..spec.mask_spec import MaskingSpec
from .batches import MaskedRows
from .lessons import Lesson
from .masking import Masker, TokenRow

IGNORED = -100


@dataclass(frozen=True)
class Taught:
    """One row to learn from.

    input_ids, visible: (n,) as the model reads it; labels: (n,) at each place the token that is
    to follow, −100 where none is learned; weights: (n,) of the labels.
    """

    input_ids: tuple[int, ...]
    visible: tuple[int, ...]
    labels: tuple[int, ...]
    weights: tuple[float, ...]


class SpokenMasker(Masker):
    """Gives the tokens of lessons under the mask of an epoch."""

    def __init__(
        self, model: Any, lessons: Sequence[Lesson], masking: MaskingSpec, seed: int
    ) -> None:
        texts = [lesson.conversation.text for lesson in lessons]
        super().__init__(model, texts, masking, seed, model.max_length)
        self.lessons = lessons

    @cached_property
    def plain(self) -> list[Tokenised]:
        """The tokens of every row, as its template writes it."""
        return [lesson.plain for lesson in self.lessons]

    @cached_property
    def documents(self) -> list[Document]:
        """The contents of every row, with their words and entities, found once."""
        return [
            Document.of(lesson.conversation, self._pipeline, marked=lesson.marked)
            for lesson in self.lessons
        ]


class TaughtRows(MaskedRows):
    """Rows for a decoder; item i is a pack of rows: of one, or with `packs` of several.

    packs: row numbers, each once. What is in a pack stays for all epochs, its masks do not.
    """

    def __init__(self, masker: SpokenMasker, packs: Sequence[Sequence[int]] | None = None) -> None:
        super().__init__(masker, range(len(masker.lessons)))
        self.lessons = masker.lessons
        self.packs = packs if packs is not None else [(i,) for i in range(len(self.lessons))]

    def __len__(self) -> int:
        return len(self.packs)

    @cached_property
    def lengths(self) -> list[int]:
        """The number of tokens of every pack."""
        return [sum(self.masker.lengths[i] for i in pack) for pack in self.packs]

    def prepare(self, indices: Sequence[int]) -> None:
        """Do for the rows of some packs, once, what any epoch needs."""
        self.masker.prepare([row for i in indices for row in self.packs[i]])

    def __getitem__(self, index: int) -> Any:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """Return some packs, each a list of Taught."""
        numbers = [row for i in indices for row in self.packs[i]]
        read = dict(zip(numbers, self.masker.rows(numbers, self.epoch), strict=True))
        return [[taught(self.lessons[k], read[k]) for k in self.packs[i]] for i in indices]


def taught(lesson: Lesson, row: TokenRow) -> Taught:
    """Return what is learned of a row as the model reads it."""
    ids, weights = lesson.plain.input_ids, lesson.weights
    sources = range(len(ids)) if row.source is None else row.source
    tokens = [(IGNORED, 0.0) if s is None else (ids[s], weights[s]) for s in sources]
    due = [
        token if token[1] > 0 and seen else (IGNORED, 0.0)
        for token, seen in zip(tokens[1:], row.attention_mask, strict=False)
    ]
    due.append((IGNORED, 0.0))
    return Taught(
        tuple(row.input_ids),
        tuple(row.attention_mask),
        tuple(label for label, _ in due),
        tuple(weight for _, weight in due),
    )


def packed(lengths: Sequence[int], capacity: int, seed: int) -> list[tuple[int, ...]]:
    """Return the rows in packs of at most `capacity` tokens, each into the fullest it fits.

    Rows come from long to short (best fit decreasing), those of one length in an order drawn from
    the seed.

    >>> packed([5, 3, 4, 2], 7, 0)
    [(0, 3), (2, 1)]
    """
    rng = random.Random(seed)  # noqa: S311 - a seeded stream
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], rng.random()))
    packs: list[list[int]] = []
    room: list[tuple[int, int]] = []  # tokens that are left in a pack, and which
    for row in order:
        at = bisect_left(room, (lengths[row], -1))
        left, pack = room.pop(at) if at < len(room) else (max(capacity, lengths[row]), len(packs))
        if pack == len(packs):
            packs.append([])
        packs[pack].append(row)
        insort(room, (left - lengths[row], pack))
    return [tuple(pack) for pack in packs]


class TaughtCollator:
    """Puts packs into a batch, padded to the longest.

    Gives input_ids (batch, tokens); attention_mask of the same shape, or none where rows are packed
    and each attends to itself by its places; position_ids where `places`, which begin anew with
    each row; labels and loss_weights (1, k) and head_positions (k,), the places that are learned
    alone, or where not `sparse` both (batch, tokens); attention_matrix (batch, 1, tokens, tokens)
    where rows are packed and words hidden; real_tokens, a number; row_lengths, the tokens of each
    row, and left, the side of the padding.
    """

    def __init__(
        self, pad_token_id: int, *, side: str = "right", sparse: bool = True,
        places: bool = True, packing: bool = False,
    ) -> None:  # fmt: skip
        self.pad_token_id, self.side = pad_token_id, side
        self.sparse, self.places, self.packing = sparse, places, packing

    def __call__(self, packs: Sequence[Sequence[Taught]]) -> dict[str, Any]:
        import torch

        width = max(sum(len(row.input_ids) for row in pack) for pack in packs)

        def padded(name: str, filler: Any) -> Any:
            lines = [[v for row in pack for v in getattr(row, name)] for pack in packs]
            filled = [[filler] * (width - len(line)) for line in lines]
            left = self.side == "left"
            return torch.tensor(
                [f + line if left else line + f for f, line in zip(filled, lines, strict=True)]
            )

        batch = {"input_ids": padded("input_ids", self.pad_token_id)}
        visible = padded("visible", 0)
        rows = self._rows(packs, width)  # (batch, tokens), padding is a row of its own
        if self.places:
            batch["position_ids"] = _places(rows)
        if not self.packing:
            batch["attention_mask"] = visible
        elif any(0 in row.visible for pack in packs for row in pack):
            own = torch.eye(width, dtype=torch.bool)
            same = (rows[:, :, None] == rows[:, None, :]) & (visible[:, None, :] == 1)
            batch["attention_matrix"] = (same | own)[:, None]
        batch |= self._learned(padded("labels", IGNORED), padded("weights", 0.0))
        lengths = [sum(len(row.input_ids) for row in pack) for pack in packs]
        return {**batch, "real_tokens": sum(lengths), "row_lengths": lengths,
                "left": self.side == "left"}  # fmt: skip

    def _rows(self, packs: Sequence[Sequence[Taught]], width: int) -> Any:
        """Return the number of the row that each place belongs to, −1 for padding."""
        import torch

        found = torch.full((len(packs), width), -1)
        for line, pack in zip(found, packs, strict=True):
            ends = list(accumulate(len(row.input_ids) for row in pack))
            shift = width - ends[-1] if self.side == "left" else 0
            for number, (row, end) in enumerate(zip(pack, ends, strict=True)):
                line[shift + end - len(row.input_ids) : shift + end] = number
        return found

    def _learned(self, labels: Any, weights: Any) -> dict[str, Any]:
        if not self.sparse:
            return {"labels": labels, "loss_weights": weights}
        flat = labels.reshape(-1)
        positions = (flat != IGNORED).nonzero()[:, 0]
        if not len(positions):  # a head over nothing has no gradient
            positions = positions.new_zeros(1)
        return {
            "labels": flat[positions][None],
            "loss_weights": weights.reshape(-1)[positions][None],
            "head_positions": positions,
        }


def _places(rows: Any) -> Any:
    """Return the place of each token within its row, (batch, tokens).

    >>> import torch
    >>> _places(torch.tensor([[0, 0, 0, 1, 1, -1]]))
    tensor([[0, 1, 2, 0, 1, 0]])
    """
    import torch

    at = torch.arange(rows.shape[1]).expand_as(rows)
    begins = torch.ones_like(rows, dtype=torch.bool)
    begins[:, 1:] = rows[:, 1:] != rows[:, :-1]
    return at - torch.where(begins, at, 0).cummax(1).values
