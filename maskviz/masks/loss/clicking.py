"""A click on what is learned: the word joins the loss strategy, or leaves it, in all rows."""

from __future__ import annotations

import re


def clicked(strategy: str, word: str, learned: bool) -> str:
    """Return a loss strategy that learns a word where it did not, and the other way round.

    A click that undoes the last one leaves nothing behind.

    >>> clicked("role:assistant", "Rome", learned=True)
    'role:assistant - pattern:/\\\\bRome\\\\b/'
    >>> clicked(clicked("role:assistant", "Rome", learned=True), "Rome", learned=False)
    'role:assistant'
    """
    pattern = re.escape(word).replace("/", r"\/")
    edges = [r"\b" if re.match(r"\w", end) else "" for end in (word[:1], word[-1:])]
    part = f"pattern:/{edges[0]}{pattern}{edges[1]}/"
    sign, undone = (" - ", " | ") if learned else (" | ", " - ")
    if strategy.endswith(undone + part):
        return strategy.removesuffix(undone + part)
    return f"{strategy}{sign}{part}"
