"""Pairs of texts from the rows of a file: two columns, or one and its counterfactuals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ...data.rows import iter_rows
from ...errors import DataError, UnknownNameError
from ...text.conversation import holds_turns
from ...text.pipelines import BUNDLED
from ...text.together import annotated
from .swaps import Pair, categories, pair_of, swapped

_ROWS_AT_ONCE = 64


class Pairs(Iterator[Pair]):
    """Pairs as they are made of the rows of a file.

    So far: rows, how many were read; left_out, reason → rows.
    """

    def __init__(self, made: Callable[[Pairs], Iterator[Pair]]) -> None:
        self.left_out: dict[str, list[int]] = {}
        self.rows = 0
        self._made = made(self)

    def leave_out(self, why: str, number: int) -> None:
        """Note a row of which no pair is made."""
        self.left_out.setdefault(why, []).append(number)

    def __next__(self) -> Pair:
        return next(self._made)


def pairs_of_file(
    source: str | Path | bytes,
    first: str,
    second: str,
    name: str | None = None,
    *,
    cluster: str | None = None,
    limit: int | None = None,
) -> Pairs:
    """Yield a pair of texts from two columns of each row that has both.

    `cluster` names a column with what rows share, `limit` takes the first rows only.
    """

    def made(pairs: Pairs) -> Iterator[Pair]:
        for number, row in _rows(source, name, (first, second, cluster), limit):
            pairs.rows = number
            texts = [str(row[c] or "") for c in (first, second)]
            if all(text.strip() for text in texts):
                yield Pair(number, texts[0], texts[1], cluster=_cluster(row, cluster))
            else:
                pairs.leave_out("without two texts", number)

    return Pairs(made)


def swapped_pairs(
    source: str | Path | bytes,
    column: str,
    swap: Sequence[str] = (),
    name: str | None = None,
    *,
    cluster: str | None = None,
    limit: int | None = None,
) -> Pairs:
    """Yield each text of a file with its counterfactual, for each category it has words of.

    `swap` names categories of `maskviz.evidence.counterfactual.swaps`; empty takes all. The rows
    without one, category by category, are in `left_out`. `cluster` and `limit` as of
    `pairs_of_file`.
    """
    for category in swap:
        if category not in categories():
            raise UnknownNameError.of("category to swap", category, categories())

    def made(pairs: Pairs) -> Iterator[Pair]:
        rows = _rows(source, name, (column, cluster), limit)
        read = annotated(rows, lambda row: str(row[1][column] or ""), {BUNDLED}, _ROWS_AT_ONCE)
        for number, row in read:
            pairs.rows = number
            text = str(row[column] or "")
            for category in swap or categories():
                found = swapped(text, category)
                pair = pair_of(number, text, found, category, _cluster(row, cluster))
                if pair is not None:
                    yield pair
                else:
                    pairs.leave_out(found.why, number)

    return Pairs(made)


def _rows(
    source: str | Path | bytes, name: str | None, columns: Iterable[str | None], limit: int | None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield number and values of the rows, which have the columns, or raise DataError."""
    for number, row in enumerate(islice(iter_rows(source, name), limit), start=1):
        for column in filter(None, columns):
            if column not in row:
                known = ", ".join(map(repr, row))
                raise DataError(f"There is no column {column!r}: choose one of {known}.")
            if holds_turns(row[column]):
                raise DataError(
                    f"Row {number} of {column!r} holds a conversation, and pairs are made of plain "
                    "texts: put what the question is about into a column of its own."
                )
        yield number, row


def _cluster(row: Mapping[str, Any], column: str | None) -> str:
    return str(row[column]) if column else ""
