"""Occlusion (Zeiler & Fergus 2014; leave-one-out, Li et al. 2016, https://arxiv.org/abs/1612.08220).

    score of a word = p(label | text) − p(label | text with the word hidden)

A hidden word is the model's mask token, once for each of its tokens; a model without one keeps
the tokens and nobody may attend to them. Many texts share batches of similar length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...masks.mask import Mask
from ...masks.operators import overlapping
from ...masks.spans import MaskSpan
from ...models.model import Model
from ...readings.labels import activated, logits_of_ids
from ...readings.windows import windows
from ...text.alignment import Tokenised
from .methods import Question, Scores, Word, method

_TOKENS = 400_000  # of all variants of the texts that are taken together


@dataclass(frozen=True)
class Occluded:
    """A text's answer, plain and with each word hidden in turn.

    plain: probabilities (labels,). hidden: (words, labels); a word that is not read has plain's.
    """

    words: tuple[Word, ...]
    plain: Any
    hidden: Any


@method("occlusion", "Δp", "Hide each word in turn: how much does the label's probability fall?")
def occlusion(question: Question) -> Scores:
    """Score each word by the fall of the label's probability when it alone is hidden."""
    (found,) = occlude(question.model, [question.text], question.long)
    return Scores(tuple(map(float, found.plain[question.index] - found.hidden[:, question.index])))


def occlude(model: Model, texts: Iterable[str], long: str = "cut") -> Iterator[Occluded]:
    """Hide each word of each text in turn; results come in the order of the texts.

    Texts are taken together until their variants hold 400,000 tokens, and a variant is laid out
    when it is read, so memory stays constant.
    """
    group: list[_Variants] = []
    size = 0
    for text in texts:
        group.append(_Variants.of(model, text, long))
        size += group[-1].tokens
        if size >= _TOKENS:
            yield from _answers(model, group)
            group, size = [], 0
    yield from _answers(model, group)


@dataclass(frozen=True)
class _Variants:
    """The ids of a text's windows and of each window with one of its words hidden.

    Words of the same tokens share a variant, as those of a script that the model cannot read do.
    owners: for each word that is read, (word, variant). within: each variant's window.
    """

    words: tuple[Word, ...]
    ids: list[Any]
    seen: list[Any]
    windows: int
    owners: tuple[tuple[int, int], ...]
    within: tuple[int, ...]

    @property
    def tokens(self) -> int:
        return sum(map(len, self.ids))

    @classmethod
    def of(cls, model: Model, text: str, long: str) -> _Variants:
        import numpy as np

        bounds = windows(model, text) if long == "windows" else ((0, len(text)),)
        words = Mask(text).words
        plains, variants, owners, within = [], [], [], []
        for number, (start, end) in enumerate(bounds):
            plain = model.tokenise(text[start:end])
            inside = [i for i, (s, e) in enumerate(words) if s < end and e > start]
            local = [
                (max(words[i][0], start) - start, min(words[i][1], end) - start) for i in inside
            ]
            read = np.array(plain.input_ids), np.ones(len(plain.input_ids), dtype=np.int64)
            plains.append(read)
            known: dict[tuple[int, ...], int] = {}
            for i, tokens in zip(inside, _tokens_of(plain, local), strict=True):
                if not tokens:
                    continue
                if tuple(tokens) not in known:
                    known[tuple(tokens)] = len(variants)
                    variants.append(_without(model, *read, tokens))
                    within.append(number)
                owners.append((i, known[tuple(tokens)]))
        ids, seen = zip(*plains, *variants, strict=True)
        return cls(words, [*ids], [*seen], len(plains), tuple(owners), tuple(within))


def _tokens_of(plain: Tokenised, words: Sequence[Word]) -> list[list[int]]:
    """Return for each word the tokens that overlap it."""
    owner = overlapping(plain, Mask(plain.text, tuple(MaskSpan(*word) for word in words)))
    found: list[list[int]] = [[] for _ in words]
    for index, first in enumerate(owner):
        word = first
        while word is not None and word < len(words) and words[word][0] < plain.offsets[index][1]:
            found[word].append(index)
            word += 1
    return found


@dataclass(frozen=True, eq=False)
class _Changed:
    """A row with some of its places changed, laid out when it is read: a text has one a word."""

    plain: Any  # int64 (tokens,)
    places: list[int]
    value: int

    def __len__(self) -> int:
        return len(self.plain)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        row = self.plain.astype(dtype or self.plain.dtype, copy=True)
        row[self.places] = self.value
        return row


def _without(model: Model, ids: Any, seen: Any, tokens: list[int]) -> tuple[Any, Any]:
    """Return ids and visibility, each (tokens,), with these tokens hidden."""
    if model.tokenizer.mask_token_id is not None:
        return _Changed(ids, tokens, model.tokenizer.mask_token_id), seen
    return ids, _Changed(seen, tokens, 0)


def _answers(model: Model, group: Sequence[_Variants]) -> Iterator[Occluded]:
    import numpy as np

    ids = [row for variants in group for row in variants.ids]
    if not ids:
        return
    logits = logits_of_ids(model, ids, [row for v in group for row in v.seen])
    start = 0
    for variants in group:
        own = logits[start : start + len(variants.ids)]
        start += len(variants.ids)
        base, changed = own[: variants.windows], own[variants.windows :]
        hidden = np.repeat(base.sum(0)[None], len(variants.words), 0)  # (words, labels)
        falls = changed - base[list(variants.within)]  # (variants, labels)
        of_word, of_variant = np.array(variants.owners, dtype=int).reshape(-1, 2).T
        np.add.at(hidden, of_word, falls[of_variant])
        mean = np.concatenate([base.sum(0)[None], hidden]) / variants.windows
        answers = activated(model.config, mean)
        yield Occluded(variants.words, answers[0], answers[1:])
