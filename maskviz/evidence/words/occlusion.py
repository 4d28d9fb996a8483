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
from ...models.memory import remembered
from ...models.model import Model
from ...readings.batches import Ids, Read
from ...readings.question import Question
from ...readings.windows import windows
from ...text.alignment import Tokenised
from .methods import Request, Scores, Word, method
from .staged import is_long, staged

_TOKENS = 400_000  # of all variants of the texts that are taken together


@dataclass(frozen=True)
class Occluded:
    """A text's answer, plain and with each word hidden in turn.

    plain: probabilities (outputs,). hidden: (words, outputs); a word that is not read has plain's.
    *_odds: the same in log-odds.
    """

    words: tuple[Word, ...]
    plain: Any
    hidden: Any
    plain_odds: Any
    hidden_odds: Any

    def falls(self, index: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return by how far each word's absence lowers an output: its p, and its log-odds."""
        p = self.plain[index] - self.hidden[:, index]
        odds = self.plain_odds[index] - self.hidden_odds[:, index]
        return tuple(map(float, p)), tuple(map(float, odds))


@method("occlusion", "Δp", "Hide each word in turn: how much does the label's probability fall?")
def occlusion(request: Request) -> Scores:
    """Score each word by the fall of the label's probability when it alone is hidden."""
    if request.long == "cut" and is_long(request.question, request.text):
        return staged(request.question, request.text, request.index, request.words)
    found = occluded(request.question, request.text, request.long)
    falls, odds = found.falls(request.index)
    return Scores(falls, log_odds=odds)


@remembered(maxsize=64)
def occluded(question: Question, text: str, long: str = "cut") -> Occluded:
    """Hide each word of one text in turn; what is found stands for every output of the question."""
    (found,) = occlude(question, [text], long)
    return found


def occlude(question: Question, texts: Iterable[str], long: str = "cut") -> Iterator[Occluded]:
    """Hide each word of each text in turn; results come in the order of the texts.

    Texts are taken together until their variants hold 400,000 tokens, and a variant is laid out
    when it is read, so memory stays constant.
    """
    group: list[_Variants] = []
    size = 0
    for text in texts:
        group.append(_Variants.of(question.model, text, long))
        size += group[-1].tokens
        if size >= _TOKENS:
            yield from _answers(question, group)
            group, size = [], 0
    yield from _answers(question, group)


@dataclass(frozen=True)
class _Variants:
    """What is read of a text's windows and of each window with one of its words hidden.

    Words of the same tokens share a variant, as those of a script that the model cannot read do.
    owners: for each word that is read, (word, variant). within: each variant's window.
    """

    words: tuple[Word, ...]
    reads: list[Read]
    windows: int
    owners: tuple[tuple[int, int], ...]
    within: tuple[int, ...]

    @property
    def tokens(self) -> int:
        return sum(len(read.input_ids) for read in self.reads)

    @classmethod
    def of(cls, model: Model, text: str, long: str) -> _Variants:
        import numpy as np

        bounds = windows(model, text) if long == "windows" else ((0, len(text)),)
        words = Mask(text).words
        plains, owners, within = [], [], []
        variants: list[Ids] = []
        for number, (start, end) in enumerate(bounds):
            plain = model.tokenise(text[start:end])
            inside = [i for i, (s, e) in enumerate(words) if s < end and e > start]
            local = [
                (max(words[i][0], start) - start, min(words[i][1], end) - start) for i in inside
            ]
            ids = np.array(plain.input_ids)
            plains.append(Ids(ids, np.ones(len(ids), dtype=np.int64)))
            known: dict[tuple[int, ...], int] = {}
            for i, tokens in zip(inside, _tokens_of(plain, local), strict=True):
                if not tokens:
                    continue
                if tuple(tokens) not in known:
                    known[tuple(tokens)] = len(variants)
                    variants.append(_without(model, plains[-1], tokens))
                    within.append(number)
                owners.append((i, known[tuple(tokens)]))
        return cls(words, [*plains, *variants], len(plains), tuple(owners), tuple(within))


def _tokens_of(plain: Tokenised, words: Sequence[Word]) -> list[list[int]]:
    """Return for each word the tokens that overlap it."""
    owner = overlapping(plain, Mask(plain.text, tuple(MaskSpan(*word) for word in words)))
    found: list[list[int]] = [[] for _ in words]
    for index, (word, place) in enumerate(zip(owner, plain.offsets, strict=True)):
        if word is None or place is None:
            continue
        while word < len(words) and words[word][0] < place[1]:
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


def _without(model: Model, plain: Ids, tokens: list[int]) -> Ids:
    """Return what is read with these tokens hidden."""
    ids, seen, mark = plain.input_ids, plain.attention_mask, model.mask_token_id
    if mark is not None:
        return Ids(_Changed(ids, tokens, mark), seen)
    return Ids(ids, _Changed(seen, tokens, 0))


def _answers(question: Question, group: Sequence[_Variants]) -> Iterator[Occluded]:
    import numpy as np

    reads = [read for variants in group for read in variants.reads]
    if not reads:
        return
    logits = question.logits_apart(reads)
    start = 0
    for variants in group:
        own = logits[start : start + len(variants.reads)]
        start += len(variants.reads)
        base, changed = own[: variants.windows], own[variants.windows :]
        hidden = np.repeat(base.sum(0)[None], len(variants.words), 0)  # (words, outputs)
        falls = changed - base[list(variants.within)]  # (variants, outputs)
        of_word, of_variant = np.array(variants.owners, dtype=int).reshape(-1, 2).T
        np.add.at(hidden, of_word, falls[of_variant])
        mean = np.concatenate([base.sum(0)[None], hidden]) / variants.windows
        answers = question.probabilities(mean)
        odds = question.log_odds(mean)
        yield Occluded(variants.words, answers[0], answers[1:], odds[0], odds[1:])
