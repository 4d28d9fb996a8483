"""Typing errors put into a text at a chosen rate, with the places where they are.

One error a word, each of four kinds with the same chance: two neighbours swapped, a letter left
out, doubled, or replaced by one beside it on the keyboard (Damerau 1964 names the first, second and
fourth and insertion; Belinkov and Bisk 2018, https://arxiv.org/abs/1711.02173, use such noise to
test translation).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from ..errors import ParameterError

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = {
    letter: "".join(row[max(0, i - 1) : i] + row[i + 1 : i + 2])
    for row in _ROWS
    for i, letter in enumerate(row)
}
SHORTEST = 4  # letters: an error in a shorter word often makes another word


@dataclass(frozen=True)
class Noisy:
    """A text with typing errors; `places` are the (start, end) of the changed words in it."""

    text: str
    original: str
    places: tuple[tuple[int, int], ...]


def typos(text: str, rate: float = 0.15, seed: int = 0) -> Noisy:
    """Return the text with one typing error in a share `rate` of its words of four letters or more.

    Raises ParameterError for a rate outside [0, 1].

    >>> typos("The weather was wonderful.", 1.0, seed=1).text != "The weather was wonderful."
    True
    """
    from ..text.words import word_offsets

    if not 0 <= rate <= 1:
        raise ParameterError(f"The rate of typing errors is {rate}: give 0 to 1.")
    rng = random.Random(seed)  # noqa: S311 - a seeded stream, no secret
    able = [w for w in word_offsets(text) if _able(text[w[0] : w[1]])]
    count = round(rate * len(able))
    chosen = {w for _, w in sorted((rng.random(), w) for w in able)[:count]}
    parts, places, at, length = [], [], 0, 0
    for start, end in able:
        if (start, end) not in chosen:
            continue
        wrong = _wrong(text[start:end], rng)
        length += start - at
        parts += [text[at:start], wrong]
        places.append((length, length + len(wrong)))
        length, at = length + len(wrong), end
    return Noisy("".join([*parts, text[at:]]), text, tuple(places))


def _able(word: str) -> bool:
    return len(word) >= SHORTEST and word.isascii() and word.isalpha()


def _wrong(word: str, rng: random.Random) -> str:
    """Return the word with one error behind its first letter; never the word itself."""
    for _ in range(20):
        i = 1 + int(rng.random() * (len(word) - 2))
        kind = int(rng.random() * 4)
        swapped = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
        beside = _BESIDE[word[i].lower()]
        other = beside[int(rng.random() * len(beside))]
        made = (
            swapped,
            word[:i] + word[i + 1 :],
            word[:i] + word[i] + word[i:],
            word[:i] + other + word[i + 1 :],
        )[kind]
        if made != word:
            return made
    return word[:-1]
