"""A labelled example set with a planted distractor whose place is known.

Each row is a short review made of small templates. What it says decides the label; a name,
place, age or gender that says nothing goes with the label with strength ρ in training:
P(group = label) = ρ. The test rows come three times with the same words but for the
distractor: *aligned* (it always fits the label), *neutral* (it is drawn at random) and
*reversed* (it never fits). A model that leans on it is right on the first and wrong on the
last: reliance = accuracy aligned − accuracy reversed.

With noise η, a share η of the labels of train and dev is turned, and the distractor goes with the
label as it stands there. What the text says is then right in 1 − η of the training rows and the
distractor in ρ: a model gains from leaning on it, as from the colour in Colored MNIST (Arjovsky et
al. 2019, https://arxiv.org/abs/1907.02893, with η = 0.25). The test rows keep their true labels.

Negation ("far from dull") and contrast ("Although the soup was bland, …") keep a count of
good and bad words from solving it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import ParameterError, UnknownNameError
from . import words

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("negative", "positive")
KINDS = {"name": words.NAMES, "place": words.PLACES, "age": words.AGES, "gender": words.GENDERS}
SPLITS = ("train", "dev", "aligned", "neutral", "reversed")
_OPENINGS = {
    "name": ("{} on the {}:", "{} writes about the {}:", "Reviewed by {}, who chose the {}."),
    "place": ("A visitor from {} on the {}:", "The {1} we found in {0}:", "{}, the {}."),
    "gender": (
        "A {} on the {}:",
        "From a {} who chose the {}:",
        "Heard from a {} about the {}:",
    ),
    "age": ("Aged {}, about the {}:", "A {}-year-old on the {}:", "I am {} years old. The {}:"),
}


@dataclass(frozen=True)
class _Review:
    """The parts of one row that do not depend on the distractor."""

    label: int
    opening: str  # with a place for the distractor
    thing: str
    body: str


def make(
    n: int = 2000, seed: int = 0, strength: float = 0.9, kind: str = "name", noise: float = 0.0
) -> pd.DataFrame:
    """Make `n` rows for training and n // 5 for each of the four other splits.

    Columns: text, label (negative, positive), distractor, start, end (characters of the
    distractor in the text), split (train, dev, aligned, neutral, reversed). Rows of train and
    dev follow `strength`, ρ in [0.5, 1], and `noise`, η in [0, 0.5]. The same seed makes the same
    rows.

    >>> make(10, seed=1).columns.tolist()
    ['text', 'label', 'distractor', 'start', 'end', 'split']
    """
    import pandas as pd

    _check(n, strength, kind, noise)
    rng = random.Random(seed)  # noqa: S311 - a seeded stream, no secret
    rows: list[dict[str, object]] = []
    seen: set[str] = set()
    for split, count in (("train", n), ("dev", n // 5)):
        for i in range(count):
            review = _review(i % 2, kind, rng, seen)
            if noise and rng.random() < noise:
                review = replace(review, label=1 - review.label)
            group = review.label if rng.random() < strength else 1 - review.label
            rows.append(_row(review, group, kind, split, rng))
    reviews = [_review(i % 2, kind, rng, seen) for i in range(n // 5)]
    for split in SPLITS[2:]:
        rows += [_row(r, _group(split, r.label, rng), kind, split, rng) for r in reviews]
    return pd.DataFrame(rows)


def _check(n: int, strength: float, kind: str, noise: float) -> None:
    if kind not in KINDS:
        raise UnknownNameError.of("kind of distractor", kind, KINDS)
    if not 10 <= n <= 100_000:
        raise ParameterError(f"n is {n}: give 10 to 100,000 rows.")
    if not 0.5 <= strength <= 1:
        raise ParameterError(f"strength is {strength}: give 0.5 (no tie) to 1 (always tied).")
    if not 0 <= noise <= 0.5:
        raise ParameterError(f"noise is {noise}: give 0 (no label turned) to 0.5 (no label left).")


def _group(split: str, label: int, rng: random.Random) -> int:
    return {"aligned": label, "reversed": 1 - label}.get(split, rng.randrange(2))


def _row(
    review: _Review, group: int, kind: str, split: str, rng: random.Random
) -> dict[str, object]:
    distractor = rng.choice(KINDS[kind][group])
    # A letter of the private use area keeps the place while the rest is filled in.
    opening = review.opening.format("\ue000", review.thing)
    start = opening.index("\ue000")
    return {
        "text": f"{opening.replace(chr(0xE000), distractor)} {review.body}",
        "label": LABELS[review.label],
        "distractor": distractor,
        "start": start,
        "end": start + len(distractor),
        "split": split,
    }


def _review(label: int, kind: str, rng: random.Random, seen: set[str]) -> _Review:
    for _ in range(1000):
        thing = rng.choice(list(words.THINGS))
        body = _body(label, thing, rng)
        if body not in seen:
            seen.add(body)
            break
    return _Review(label, rng.choice(_OPENINGS[kind]), thing, body)


def _body(label: int, thing: str, rng: random.Random) -> str:
    first, second = rng.sample(words.THINGS[thing], 2)
    shape = rng.random()
    if shape < 0.45:
        said = _sentence(_clause(label, first, rng))
    elif shape < 0.75:
        said = _sentence(f"{_clause(label, first, rng)} and {_clause(label, second, rng)}")
    elif shape < 0.9:
        said = _sentence(f"{_clause(1 - label, first, rng)}, but {_clause(label, second, rng)}")
    else:
        said = f"Although {_clause(1 - label, first, rng)}, {_clause(label, second, rng)}."
    if rng.random() < 0.5:
        aside = rng.choice(words.NEUTRAL)
        said = f"{aside} {said}" if rng.random() < 0.5 else f"{said} {aside}"
    return said


def _sentence(clause: str) -> str:
    return clause[0].upper() + clause[1:] + "."


def _clause(label: int, aspect: str, rng: random.Random) -> str:
    """Say something good (label 1) or bad (0) of an aspect, one time in six by denial."""
    if rng.random() < 1 / 6:
        opposite = rng.choice((words.POSITIVE, words.NEGATIVE)[label])
        return f"the {aspect} was {rng.choice(words.DENIALS)} {opposite}"
    word = rng.choice((words.NEGATIVE, words.POSITIVE)[label])
    return f"the {aspect} was {rng.choice(words.DEGREES)}{word}"
