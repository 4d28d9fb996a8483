"""Scores that know nothing of the model: what any explanation must beat."""

from __future__ import annotations

import random

from .methods import Question, Scores, method


@method("random", "none", "A random number for each word: what chance explains.", baseline=True)
def random_scores(question: Question) -> Scores:
    """Draw a number in [0, 1) for each word, repeatable by the question's seed."""
    rng = random.Random(question.seed)  # noqa: S311  repeatable, not secret
    return Scores(tuple(rng.random() for _ in question.words))


@method("uniform", "none", "The same score for each word.", baseline=True)
def uniform_scores(question: Question) -> Scores:
    """Give each of n words 1/n."""
    return Scores((1 / len(question.words),) * len(question.words))
