"""The rows that are read together: made ready one by one, what cannot be left out and counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from ...errors import MaskError, TextError
from ...text.beginning import LONGEST
from .rows import Row, why_left_out

AT_ONCE = 64  # rows of a step
T = TypeVar("T")


@dataclass(frozen=True)
class Taken(Generic[T]):
    """Rows of a step: how many there were, those made ready, reason → numbers of the others."""

    count: int
    made: list[T]
    left_out: dict[str, list[int]]


def take(
    rows: Iterator[Row],
    make: Callable[[Row], T],
    patience: float | None = None,
    note: Callable[[str], None] | None = None,
    full: Callable[[Sequence[T]], bool] = lambda made: False,
) -> Taken[T]:
    """Make the next 64 rows ready, or fewer where that has taken `patience` seconds.

    make: raises TextError or MaskError for a row that is left out. note: gets what is being read
    where a row is long. full: whether no more are to be taken to those made.
    """
    begin, count = time.monotonic(), 0
    made: list[T] = []
    left_out: dict[str, list[int]] = {}
    for row in islice(rows, AT_ONCE):
        count += 1
        if note and len(row.text) > LONGEST:
            note(f"row {row.number:,} with its {len(row.text):,} characters")
        try:
            made.append(make(row))
        except (TextError, MaskError) as error:
            left_out.setdefault(why_left_out(error), []).append(row.number)
        if full(made) or (patience is not None and time.monotonic() - begin > patience):
            break
    return Taken(count, made, left_out)
