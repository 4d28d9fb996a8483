"""Tables on their way out: CSV that a spreadsheet cannot be made to run."""

from __future__ import annotations

import csv
import io
from typing import Any


def to_csv(records: list[dict[str, Any]]) -> str:
    """Return records as CSV; a cell that a spreadsheet would run as a formula is quoted.

    A leading =, +, -, @ in a text makes spreadsheets compute; a leading ' keeps it a text.
    """
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(records[0]))
    writer.writeheader()
    for record in records:
        writer.writerow({k: _inert(v) for k, v in record.items()})
    return stream.getvalue()


def _inert(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
