"""A click on what is learned: a word joins the loss mask, or leaves it.

In all rows it does so by the loss strategy; in one row alone by a change of its own, which says
where the word stands and which it is: `+12 Rome` learns it, `-12 Rome` does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...errors import MaskError, ParameterError
from .loss_mask import LossMask, LossSpan

_CHANGE = re.compile(r"([+-])(\d+) (.+)", re.DOTALL)


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


@dataclass(frozen=True)
class Change:
    """A word of one row that is learned, or not, whatever the strategy says.

    start: its first character in all contents.

    >>> Change.read("-12 Rome")
    Change(start=12, word='Rome', learned=False)
    >>> str(Change.read("-12 Rome"))
    '-12 Rome'
    """

    start: int
    word: str
    learned: bool

    @classmethod
    def read(cls, written: str) -> Change:
        """Read `+12 Rome` or `-12 Rome`; raises ParameterError for anything else."""
        found = _CHANGE.fullmatch(written) if isinstance(written, str) else None
        if found is None:
            raise ParameterError(
                f"{str(written)[:40]!r} changes no word of a row: write '+12 Rome' to learn the "
                "word at character 12, '-12 Rome' not to."
            )
        return cls(int(found[2]), found[3], found[1] == "+")

    def __str__(self) -> str:
        return f"{'+' if self.learned else '-'}{self.start} {self.word}"


def clicked_here(
    rows: Mapping[str, Iterable[str]], row: int, change: Change
) -> dict[str, list[str]]:
    """Return the changes of all rows with one more; one that undoes an earlier leaves neither.

    >>> rows = clicked_here({}, 7, Change(12, "Rome", False))
    >>> rows
    {'7': ['-12 Rome']}
    >>> clicked_here(rows, 7, Change(12, "Rome", True))
    {}
    """
    undone = str(Change(change.start, change.word, not change.learned))
    own = list(rows.get(str(row), ()))
    own = [one for one in own if one != undone] if undone in own else [*own, str(change)]
    found = {**{key: list(value) for key, value in rows.items()}, str(row): own}
    return {key: value for key, value in found.items() if value}


def changed(mask: LossMask, changes: Iterable[Change], row: int = 0) -> LossMask:
    """Return a loss mask with the changes of its row, in their order.

    Raises MaskError where another word stands in its place: the row has changed since.
    """
    text = mask.conversation.text
    for change in changes:
        end = change.start + len(change.word)
        if (there := text[change.start : end]) != change.word:
            raise MaskError(
                f"Row {row} has {there[:40]!r} at character {change.start}, where its loss mask "
                f"was changed by hand for {change.word[:40]!r}: take that change back, or put the "
                "old row back."
            )
        one = LossMask(mask.conversation, (LossSpan(change.start, end, 1.0, "manual"),))
        mask = mask | one if change.learned else mask - one
    return mask
