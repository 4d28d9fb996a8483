"""A table checked for what a classifier needs: a text and a label in every row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from .known import told_apart
from .labels import Shape, labels_of, no_column, whole_numbers, written
from .rows import iter_rows

if TYPE_CHECKING:
    import pandas as pd

TEXT_NAMES = ("text", "sentence", "review", "content", "comment", "document", "tweet", "body")
LABEL_NAMES = ("label", "labels", "class", "category", "target", "sentiment", "gold", "y")
MAX_LABELS = 200


@dataclass(frozen=True)
class Columns:
    """Which column holds the text and which the label; None where there is none."""

    text: str
    label: str | None


@dataclass(frozen=True)
class Selection:
    """The usable rows of a table, and one sentence for each thing that was left out."""

    texts: tuple[str, ...]
    labels: tuple[Any, ...]  # each a text; where a row may have several, a tuple of them
    rows: tuple[int, ...]  # 0-based, in the table
    notes: tuple[str, ...]
    shape: Shape | None = None  # of the labels

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels that occur, numbers in their order and names by the alphabet."""
        return tuple(sorted(set(self.labels), key=_label_order))


def read_table(source: str | Path | bytes, name: str | None = None) -> pd.DataFrame:
    """Read CSV (separated by , ; tab or |), TSV, JSONL or Parquet into a frame.

    UTF-8 with or without a byte order mark, UTF-16 and Windows-1252/Latin-1 are told apart.
    Raises DataError where there is nothing to read; for large files see `iter_rows`.
    """
    import pandas as pd

    frame = pd.DataFrame.from_records(list(iter_rows(source, name)))
    if frame.empty:
        shown = repr(Path(name or (source if not isinstance(source, bytes) else "table")).name)
        raise DataError(f"{shown} has a header and no rows: add at least one row.")
    return frame


def preview(source: str | Path | bytes, name: str | None = None, rows: int = 5) -> pd.DataFrame:
    """Read the first `rows` rows only."""
    import pandas as pd

    return pd.DataFrame.from_records(list(islice(iter_rows(source, name), rows)))


def guess_columns(frame: pd.DataFrame) -> Columns:
    """Guess the text and the label column, by name first and then by content.

    The text is the column with the longest values, the label the one with the fewest.
    """
    names = {str(column).strip().lower(): column for column in frame.columns}
    head = frame.head(2000)
    lengths = {c: head[c].astype(str).str.len().mean() for c in frame.columns}
    text = next((names[n] for n in TEXT_NAMES if n in names), max(lengths, key=lengths.__getitem__))
    named = (names[n] for n in LABEL_NAMES if n in names and names[n] != text)
    return Columns(text, next(named, None) or _fewest(head, text))


def _fewest(head: pd.DataFrame, text: str) -> str | None:
    counts = {c: head[c].astype(str).nunique() for c in head.columns if c != text}
    fit = {c: n for c, n in counts.items() if 2 <= n <= max(2, min(MAX_LABELS, len(head) // 2))}
    return min(fit, key=fit.__getitem__) if fit else None


def select(frame: pd.DataFrame, text_column: str, label_column: str) -> Selection:
    """Take texts and labels, leave out rows where one is empty, and refuse what cannot train.

    Raises DataError for a column that is not there, a label that occurs once, a single label,
    or so many labels that the column is no label.
    """
    if text_column not in frame.columns:
        raise no_column(text_column, list(map(str, frame.columns)))
    texts = [_cell(value) for value in frame[text_column]]
    shape, found = labels_of(frame, label_column, several=False)
    labels = whole_numbers([label or "" for label in found])
    kept = [i for i in range(len(texts)) if texts[i] and labels[i]]
    selection = Selection(
        tuple(texts[i] for i in kept),
        tuple(labels[i] for i in kept),
        tuple(kept),
        tuple(
            note
            for note in (
                _empty_note(text_column, texts),
                _empty_note(label_column, labels),
                shape.said,
                told_apart(sorted({labels[i] for i in kept})),
            )
            if note
        ),
        shape,
    )
    _check_labels(selection, label_column)
    return selection


def _cell(value: object) -> str:
    if value is None or value != value:  # NaN is the one value unequal to itself
        return ""
    return written(value)


def _empty_note(column: str, values: Sequence[str]) -> str:
    empty = [i + 1 for i, value in enumerate(values) if not value]
    if not empty:
        return ""
    rows = "row" if len(empty) == 1 else "rows"
    verb = "is" if len(empty) == 1 else "are"
    return f"{len(empty)} {rows} without {column!r} {verb} left out: {rows} {_listed(empty)}."


def _check_labels(selection: Selection, column: str) -> None:
    counts = Counter(selection.labels)
    if not counts:
        raise DataError(
            f"No row has both a text and a label in {column!r}: choose other columns or fill them."
        )
    if len(counts) == 1:
        raise DataError(
            f"The only label in {column!r} is {_quoted(next(iter(counts)))}: "
            "a classifier needs at least 2."
        )
    if len(counts) > MAX_LABELS:
        raise DataError(
            f"{column!r} has {len(counts):,} different values in {len(selection.labels):,} rows, "
            f"over the limit of {MAX_LABELS}: choose the column that holds the label."
        )
    once = [label for label, count in counts.items() if count == 1]
    if once:
        row = selection.rows[selection.labels.index(once[0])] + 1
        raise DataError(
            f"The label {_quoted(once[0])} occurs once (row {row}) and training needs 2 or more "
            "rows of each label: add rows of it or take it out."
        )


def _label_order(label: str) -> tuple[int, float, str]:
    try:
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)


def _quoted(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:39] + "…")


def _listed(values: Iterable[object], limit: int = 12) -> str:
    values = list(values)
    shown = ", ".join(str(value)[:60] for value in values[:limit])
    return f"{shown} and {len(values) - limit} more" if len(values) > limit else shown
