"""What the pages read of a long text: the one place that says how much, so that none hangs.

A file, the command line and Python have no such limit; a report reads as much.
"""

from __future__ import annotations

from maskviz.text.beginning import LONGEST, beginning
from maskviz.text.words import word_offsets

__all__ = ["ASKED", "LONGEST", "asked", "beginning", "first_words", "words_in"]

ASKED = 200  # words that a model is asked about one after the other: some seconds on two cores


def first_words(text: str) -> str:
    """Return the text up to its 200th word, where a model is asked about each."""
    words = word_offsets(text)
    return text if len(words) <= ASKED else text[: words[ASKED - 1][1]]


def asked(strategy: str, words: int) -> str:
    """Say which part of a text of so many words a strategy is asked about."""
    return (
        f"{strategy} asks the model about one word after the other: here about the first {ASKED} "
        f"of {words:,} words."
    )


def words_in(text: str) -> int:
    """Return the number of words of a text."""
    return len(word_offsets(text))
