"""A score per word: how much the answer rests on it.

Occlusion (Zeiler & Fergus 2014; leave-one-out, Li et al. 2016, https://arxiv.org/abs/1612.08220):
score of a word = p(label | text) − p(label | text without the word).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..errors import TextError, UnknownNameError
from ..masks.mask import Mask, MaskSpan
from ..masks.operators import OPERATORS, encode
from ..models.model import Model, load_model
from ..models.predict import class_probabilities

METHODS = ("occlusion",)


@dataclass(frozen=True)
class WordScore:
    """A word `text[start:end]` and how much hiding it lowers the label's probability."""

    start: int
    end: int
    text: str
    score: float


@dataclass(frozen=True)
class Explanation:
    """A score per word for one label; words the model does not read have the score 0.

    notice: a sentence where the text was cut to what the model takes, else empty.
    """

    label: str
    probability: float
    words: tuple[WordScore, ...]
    notice: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; the keys are the command line's."""
        return {
            "label": self.label,
            "probability": self.probability,
            "words": [vars(word) for word in self.words],
            "notice": self.notice,
        }


def explain(
    text: str, model: Model | str = "mini", method: str = "occlusion", label: str | None = None
) -> Explanation:
    """Score each word for `label`, by default the predicted one.

    Raises UnknownNameError for the method or label, TextError for a text without words.

    >>> max(explain("A truly great film.").words, key=lambda w: w.score).text
    'great'
    """
    if method not in METHODS:
        raise UnknownNameError.of("method", method, METHODS)
    loaded = load_model(model)
    if label is not None and label not in loaded.labels:
        raise UnknownNameError.of("label", label, loaded.labels)
    return _occlusion(loaded, text, label)


@lru_cache(maxsize=256)
def _occlusion(model: Model, text: str, label: str | None) -> Explanation:
    words = Mask(text).words
    if not words:
        raise TextError("The text has no words to score: enter at least one word.")
    plain = model.tokenise(text)
    operator = OPERATORS["mask" if model.tokenizer.mask_token_id is not None else "attention"]
    read = [w for w in words if plain.truncated_at is None or w[0] < plain.truncated_at]
    masks = [Mask(text), *(Mask(text, (MaskSpan(start, end),)) for start, end in read)]
    encodings = [encode(m, operator, model, plain) for m in masks]
    answers = class_probabilities(model, encodings)
    index = int(answers[0].argmax()) if label is None else model.labels.index(label)
    falls = dict(zip(read, answers[0, index] - answers[1:, index], strict=True))
    return Explanation(
        model.labels[index],
        float(answers[0, index]),
        tuple(WordScore(s, e, text[s:e], float(falls.get((s, e), 0.0))) for s, e in words),
        encodings[0].notice,
    )
