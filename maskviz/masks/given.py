"""Strategies by what the user says: a pattern, a list of words, or what a person marked."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from ..errors import ParameterError
from ..text.document import Document
from ..text.marked import read_marks
from ..text.words import is_unspaced
from .matching import find_all
from .registry import Parameter, capped, strategy
from .spans import MaskSpan


@strategy(
    "pattern",
    "exhaustive",
    "Hides what a regular expression or a list of words matches.",
    parameters=(
        Parameter("pattern", "text", "", "a regular expression, such as \\d+"),
        Parameter("words", "text", "", "or words, separated by commas; case does not matter"),
    ),
)
def pattern(
    document: Document,
    ratio: float | None,
    rng: random.Random,
    *,
    pattern: str = "",
    words: str | Iterable[str] = "",
) -> list[MaskSpan]:
    """Choose what the expression matches; the syntax is that of the `regex` package."""
    expression, flags = _expression(pattern, words)
    if pattern:  # an expression may ask for white space, so it reads the text as it is
        found = list(find_all(expression, document.text, flags))
    else:
        listed = find_all(expression, document.spaced.text, flags)
        found = [document.spaced.original(start, end) for start, end in listed]
    why = f"matches {pattern or 'the word list'}"
    return capped(document, [MaskSpan(start, end, why) for start, end in found], ratio, rng)


def _expression(pattern: str, words: str | Iterable[str]) -> tuple[str, int]:
    import regex

    if pattern:
        return pattern, 0
    listed = words.split(",") if isinstance(words, str) else list(words)
    named = [
        _whole(" ".join(w.split())) for w in sorted(listed, key=len, reverse=True) if w.strip()
    ]
    if not named:
        raise ParameterError("The strategy 'pattern' needs a pattern or a list of words: give one.")
    return "|".join(named), regex.IGNORECASE


def _whole(word: str) -> str:
    """Return an expression for a word that is no part of another; of Chinese wherever it stands."""
    import regex

    before = "" if is_unspaced(word[0]) else r"(?<!\w)"
    after = "" if is_unspaced(word[-1]) else r"(?!\w)"
    return f"{before}{regex.escape(word)}{after}"


@strategy(
    "manual",
    "manual",
    "Hides what you choose by hand.",
    parameters=(Parameter("indices", "integers", (), "words by number, the first is 1"),),
)
def manual(
    document: Document, ratio: float | None, rng: random.Random, *, indices: Iterable[int] = ()
) -> Iterator[MaskSpan]:
    """Choose the words with the given numbers."""
    for index in indices:
        if not 1 <= index <= len(document.words):
            raise ParameterError(
                f"There is no word {index}: the text has {len(document.words)}, counted from 1."
            )
        word = document.words[index - 1]
        yield MaskSpan(word.start, word.end, "chosen by hand")


@strategy(
    "spans",
    "exhaustive",
    "Hides what a person marked in each row of a file.",
    needs=frozenset({"marks"}),
    parameters=(
        Parameter("spans", "text", "", 'of one text: [[start, end], …] or ["word", …] as JSON'),
    ),
)
def spans(
    document: Document, ratio: float | None, rng: random.Random, *, spans: str = ""
) -> list[MaskSpan]:
    """Choose what is marked in the document, or what the parameter marks."""
    found = read_marks(spans, document.text) if spans else document.marked
    if found is None:
        raise ParameterError(
            "The strategy 'spans' hides what a person marked: give a text's marks with --spans, "
            "such as '[[0, 4]]', or name the column of a file's with --spans-column."
        )
    hits = [MaskSpan(span.start, span.end, span.label or "marked by hand") for span in found]
    return capped(document, hits, ratio, rng)
