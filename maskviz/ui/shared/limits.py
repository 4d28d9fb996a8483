"""What the pages read of a long text: the one place that says how much, so that none hangs.

A file, the command line and Python have no such limit; a report reads as much.
"""

from __future__ import annotations

from maskviz.text.beginning import LONGEST, beginning
from maskviz.text.words import word_offsets

__all__ = [
    "ASKED",
    "LONGEST",
    "OF_LONGER",
    "asked",
    "beginning",
    "first",
    "first_words",
    "words_in",
]

ASKED = 200  # words that a model is asked about one after the other: some seconds on two cores
OF_LONGER = 100  # words of a longer text, of which that is the beginning anyway: a quarter as long


def first_words(text: str) -> str:
    """Return what a model is asked about word by word: a text of 200 words, 100 of a longer one."""
    words = word_offsets(text)
    return text if len(words) <= ASKED else text[: words[first() - 1][1]]


def first() -> int:
    """Return how many words of a text of more than 200 a model is asked about."""
    return min(ASKED, OF_LONGER)


def asked(strategy: str, words: int) -> str:
    """Say which part of a text of so many words a strategy is asked about."""
    return (
        f"{strategy} asks the model about one word after the other: here about the first {first()} "
        f"of {words:,} words."
    )


def words_in(text: str) -> int:
    """Return the number of words of a text."""
    return len(word_offsets(text))
