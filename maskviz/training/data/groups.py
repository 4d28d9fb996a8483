"""Whom the rows of a run are about, where columns of its table say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ...data.groups import BETWEEN, EMPTY, FEWEST, MOST, group_value, named_columns
from ...data.labels import no_column
from ...errors import DataError
from ..spec.spec import RunSpec

if TYPE_CHECKING:
    import pandas as pd

_NAMED = 3  # groups or labels that one sentence names


def groups_of(spec: RunSpec, frame: pd.DataFrame, rows: Iterable[int]) -> tuple[str, ...]:
    """Return the group of each row, of several columns their crossing; empty where none is named.

    Raises DataError for a column that is not there, and for more groups than can be told apart.
    """
    columns = named_columns(spec.data.group_columns)
    for name in columns:
        if name not in frame.columns:
            raise no_column(name, list(map(str, frame.columns)))
    if not columns:
        return ()
    values = [[group_value(value) for value in frame[name]] for name in columns]
    groups = tuple(BETWEEN.join(column[row] for column in values) for row in rows)
    _require_few(columns, len(set(groups)))
    return groups


def _require_few(columns: list[str], count: int) -> None:
    if count > MOST:
        crossed = "s " + " and ".join(map(repr, columns)) + " have" if columns[1:] else ""
        raise DataError(
            f"The column{crossed or f' {columns[0]!r} has'} {count:,} different values, and groups "
            f"are at most {MOST}: name a column with fewer in group_columns."
        )


def group_notes(
    spec: RunSpec, groups: Sequence[str], labels: Sequence[int], names: Sequence[str]
) -> tuple[str, ...]:
    """Say what is to be known of the groups of held-out rows before one of them is called worst.

    groups, labels: of each row, a label by its place in names. Empty where there are no groups.
    """
    said, counts = repr(spec.data.group_columns), Counter(groups)
    if len(counts) == 1:
        return (f"All held-out rows have one value of {said}: the worst group is all of them.",)
    alone = _alone(zip(labels, groups, strict=True), said, names) if groups else []
    return (*_sizes(counts, said), *alone)


def _sizes(counts: Counter[str], said: str) -> list[str]:
    notes = []
    few = [group for group, rows in counts.items() if rows < FEWEST]
    more = f" and {len(few) - _NAMED} more" if len(few) > _NAMED else ""
    if few and len(few) == len(counts):
        notes.append(
            f"No group of {said} has {FEWEST} held-out rows, so that the worst of them says little."
        )
    elif few:
        notes.append(
            f"Groups of {said} with fewer than {FEWEST} held-out rows are never called worst: "
            f"{', '.join(sorted(few)[:_NAMED])}{more}."
        )
    empty = sum(rows for group, rows in counts.items() if EMPTY in group.split(BETWEEN))
    if empty:
        notes.append(f"{empty:,} held-out rows say nothing in {said}: they are {EMPTY}.")
    return notes


def _alone(rows: Iterable[tuple[int, str]], said: str, names: Sequence[str]) -> list[str]:
    """Name labels that one group alone has: what sets it apart may be the label."""
    where: dict[int, set[str]] = {}
    for label, group in rows:
        where.setdefault(label, set()).add(group)
    alone = [(names[label], *own) for label, own in where.items() if len(own) == 1]
    return [
        f"The label {label!r} is in the group {group!r} of {said} alone: what sets that group "
        "apart may be the label."
        for label, group in sorted(alone)[:_NAMED]
    ]
