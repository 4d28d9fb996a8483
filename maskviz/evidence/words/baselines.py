"""Scores that know nothing of the model: what any explanation must beat."""

from __future__ import annotations

import random

from .methods import Request, Scores, method


@method("random", "none", "A random number for each word: what chance explains.", baseline=True)
def random_scores(request: Request) -> Scores:
    """Draw a number in [0, 1) for each word, repeatable by the request's seed."""
    rng = random.Random(request.seed)  # noqa: S311  repeatable, not secret
    return Scores(tuple(rng.random() for _ in request.words))


@method("uniform", "none", "The same score for each word.", baseline=True)
def uniform_scores(request: Request) -> Scores:
    """Give each of n words 1/n."""
    return Scores((1 / len(request.words),) * len(request.words))
