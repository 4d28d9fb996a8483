"""The strategy `key`: hides the words that decide the model's answer."""

from __future__ import annotations

import random
from collections.abc import Iterator

from ..masks.mask import MaskSpan
from ..masks.registry import Parameter, budget, strategy
from ..text.document import Document
from .attribution import explain


@strategy(
    "key",
    "budgeted",
    "Hides the words that the model's answer rests on most.",
    default_ratio=0.15,
    needs=frozenset({"classifier"}),
    parameters=(
        Parameter("by", "choice", "model", "what decides", ("model",)),
        Parameter("model", "text", "mini", "the classifier that is asked"),
    ),
)
def key(
    document: Document,
    ratio: float,
    rng: random.Random,
    *,
    by: str = "model",
    model: str = "mini",
) -> Iterator[MaskSpan]:
    """Choose the words whose hiding lowers the predicted label's probability most."""
    from ..errors import UnknownNameError

    if by != "model":
        raise UnknownNameError.of("way to find key words", by, ["model"])
    found = explain(document.text, model)
    ranked = sorted(found.words, key=lambda word: (-word.score, word.start))
    for word in ranked[: budget(len(ranked), ratio)]:
        change = "lowers" if word.score >= 0 else "raises"
        reason = f"hiding it alone {change} p({found.label}) by {abs(word.score):.3f}"
        yield MaskSpan(word.start, word.end, reason, word.score)
