"""Tables in (CSV, TSV, JSONL, Parquet, checked) and the generated example set."""

from .distractor import make as make_example
from .rows import iter_rows
from .table import Columns, Selection, guess_columns, preview, read_table, select
from .talks import make_talks

__all__ = [
    "Columns",
    "Selection",
    "distraction",
    "distractor",
    "export",
    "groups",
    "guess_columns",
    "hub",
    "iter_rows",
    "known",
    "label_map",
    "labels",
    "make_example",
    "make_talks",
    "preview",
    "read_table",
    "rows",
    "select",
    "talks",
    "typos",
    "uploads",
]
