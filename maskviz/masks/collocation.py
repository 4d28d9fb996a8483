"""The strategy `collocation`: hides units of words that belong together.

PMI-masking (Levine et al. 2021, https://arxiv.org/abs/2010.01825): a word of "San Francisco" is
guessed from its neighbour, so such units are hidden whole. The units are n-grams with high
pointwise mutual information; the bundled list comes from film reviews by recipes/collocations.py,
and a user's own is MASKVIZ_HOME/lexicons/collocations.tsv.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from ..text.document import Document
from ..text.spacing import seen
from .registry import budget, shuffled, strategy
from .spans import MaskSpan
from .wordlists import list_lines, list_path, wrong_line

_LONGEST = 3


@strategy(
    "collocation",
    "budgeted",
    "Hides words that belong together as one unit.",
    default_ratio=0.15,
)
def collocation(document: Document, ratio: float, rng: random.Random) -> Iterator[MaskSpan]:
    """Draw units, collocations and single words alike, until the budget is met exactly."""
    left = budget(len(document.words), ratio)
    drawn = shuffled(_units(document), rng)
    # Where hardly a single word is left, the last unit is cut to meet the budget.
    for first, length, value in drawn:
        take = min(length, left)
        if take == 0:
            return
        left -= take
        run = document.words[first : first + take]
        reason = "single word drawn at random" if value is None else f"collocation, PMI {value:.1f}"
        yield MaskSpan(run[0].start, run[-1].end, reason, value)


def _units(document: Document) -> list[tuple[int, int, float | None]]:
    """Return (first word, words, PMI) for each unit, longest collocations first from the left."""
    known = collocations()
    words = [seen(document.text[w.start : w.end]).lower() for w in document.words]
    units: list[tuple[int, int, float | None]] = []
    first = 0
    while first < len(words):
        length, value = 1, None
        for n in range(min(_LONGEST, len(words) - first), 1, -1):
            gram = " ".join(words[first : first + n])
            if gram in known and _adjacent(document, first, n):
                length, value = n, known[gram]
                break
        units.append((first, length, value))
        first += length
    return units


def _adjacent(document: Document, first: int, count: int) -> bool:
    """Tell whether white space, a hyphen or an apostrophe stands between these words, no more."""
    run = document.words[first : first + count]
    between = (document.text[a.end : b.start] for a, b in pairwise(run))
    return all(gap in ("-", "'", "’") or (gap.isspace() and gap.count("\n") < 2) for gap in between)


def collocations() -> dict[str, float]:
    """Return n-gram → PMI in nats, from the user's list or the bundled one."""
    path = list_path("collocations.tsv")
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, _modified: int) -> dict[str, float]:
    found = {}
    for line in list_lines(path):
        gram, _, value = line.partition("\t")
        try:
            found[gram.lower()] = float(value)
        except ValueError:
            raise wrong_line(path, line, "words, a tab and a number") from None
    return found
