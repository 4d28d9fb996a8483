"""The 5-gram that `mini-chat` is held against, beside its formula written with dictionaries."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
BEGIN, END = 1, 2


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch):
    """Return the module of the recipe."""
    monkeypatch.syspath_prepend(str(RECIPES))
    yield __import__("kneser_ney")
    del sys.modules["kneser_ney"]


def _corpus(documents: int, vocab_size: int, seed: int) -> list[list[int]]:
    """Documents whose tokens depend on the one before, some frequent and some rare."""
    rng = np.random.default_rng(seed)
    shares = 1.0 / np.arange(1, vocab_size - 2)
    found = []
    for _ in range(documents):
        ids, size = [BEGIN], rng.integers(0, 12)
        while len(ids) <= size:
            drawn = rng.choice(vocab_size - 3, p=shares / shares.sum())
            ids.append(3 + int(drawn + ids[-1] * (rng.random() < 0.5)) % (vocab_size - 3))
        found.append([*ids, END])
    return found


class Plain:
    """Chen & Goodman's formula with dictionaries, one probability at a time."""

    def __init__(self, documents: list[list[int]], vocab_size: int, order: int) -> None:
        self.vocab_size, self.order = vocab_size, order
        raw: list[Counter] = [Counter() for _ in range(order + 1)]
        for ids in documents:
            for n in range(1, order + 1):
                raw[n].update(tuple(ids[i : i + n]) for i in range(len(ids) - n + 1))
        del raw[1][(BEGIN,)]
        self.counts = [Counter() for _ in range(order + 1)]
        self.counts[order] = raw[order]
        for n in range(1, order):
            for gram in raw[n + 1]:
                self.counts[n][gram[1:]] += 1
            self.counts[n] |= Counter({g: c for g, c in raw[n].items() if g[0] == BEGIN})
        self.behind = defaultdict(list)
        for n in range(1, order + 1):
            for gram, count in self.counts[n].items():
                self.behind[gram[:-1]].append(count)
        self.discounts = [self._discounts(n) for n in range(order + 1)]

    def _discounts(self, n: int) -> list[float]:
        n1, n2, n3, n4 = (list(self.counts[n].values()).count(k) for k in (1, 2, 3, 4))
        if 0 in (n1, n2, n3, n4):
            return [0.0, 0.5, 1.0, 1.5]
        y = n1 / (n1 + 2 * n2)
        found = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
        return [0.0, *(min(max(d, 0.0), k) for k, d in enumerate(found, 1))]

    def probability(self, context: tuple[int, ...], token: int) -> float:
        context = context[-(self.order - 1) :] if self.order > 1 else ()
        lower = self.probability(context[1:], token) if context else 1 / (self.vocab_size - 1)
        if context not in self.behind:
            return lower
        behind, discounts = self.behind[context], self.discounts[len(context) + 1]
        count = self.counts[len(context) + 1][(*context, token)]
        freed = sum(discounts[min(c, 3)] for c in behind)
        return (count - discounts[min(count, 3)] + freed * lower) / sum(behind)


@pytest.mark.parametrize(("order", "vocab_size"), [(1, 9), (2, 12), (3, 20), (5, 20), (5, 4096)])
def test_it_gives_the_probabilities_of_the_formula(module, order: int, vocab_size: int) -> None:
    documents = _corpus(300, min(vocab_size, 20), 0)
    ours = module.KneserNey(np.concatenate(documents), BEGIN, vocab_size, order)
    plain = Plain(documents, vocab_size, order)
    for ids in _corpus(20, min(vocab_size, 20), 1):
        wanted = [plain.probability(tuple(ids[:i]), ids[i]) for i in range(1, len(ids))]
        np.testing.assert_allclose(ours.probabilities(np.array(ids)), wanted, rtol=1e-12)


@pytest.mark.parametrize("context", [[1], [1, 5], [1, 3, 3, 7], [1, 9, 4, 3, 8, 3, 5]])
@pytest.mark.parametrize("documents", [3, 400])
def test_its_probabilities_sum_to_one(module, context: list[int], documents: int) -> None:
    model = module.KneserNey(np.concatenate(_corpus(documents, 30, 2)), BEGIN, 30)
    each = [
        model.probabilities(np.array([*context, token]))[-1]
        for token in range(30)
        if token != BEGIN
    ]
    assert sum(each) == pytest.approx(1.0, abs=1e-12)
    assert min(each) > 0


def test_a_document_is_no_context_of_the_next(module) -> None:
    apart = module.KneserNey(np.array([1, 3, 4, 2, 1, 5, 6, 2]), BEGIN, 8, 3)
    turned = module.KneserNey(np.array([1, 5, 6, 2, 1, 3, 4, 2]), BEGIN, 8, 3)
    asked = np.array([1, 3, 4, 2])
    np.testing.assert_allclose(apart.probabilities(asked), turned.probabilities(asked))


def test_more_tokens_than_fit_are_refused(module) -> None:
    with pytest.raises(ValueError, match="5 tokens of a vocabulary of 50000 do not fit 64 bits"):
        module.KneserNey(np.array([1, 2]), BEGIN, 50_000)
