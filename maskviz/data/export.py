"""Tables on their way out: CSV that a spreadsheet cannot be made to run."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import DataError


def to_csv(records: Sequence[Mapping[Any, Any]]) -> str:
    """Return records as CSV; a cell that a spreadsheet would run as a formula is quoted.

    A text that begins with =, +, -, @ (full width too), a tab or a line break makes spreadsheets
    compute; a leading ' keeps it a text (OWASP, "CSV Injection").

    >>> to_csv([{"text": "=1+1", "change": -0.5}])
    "text,change\\r\\n'=1+1,-0.5\\r\\n"
    """
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(map(inert, records[0]))
    writer.writerows(map(inert, record.values()) for record in records)
    return stream.getvalue()


_RUN = tuple("=+-@\t\r\n＝＋－＠")


class CsvFile:
    """A CSV file written record by record; it takes its name when all is written.

    Without a path nothing is written. `partial` writes into the file itself, so that what there
    is can be read at any time.
    """

    def __init__(self, path: Path | None, partial: bool = False) -> None:
        self.path, self._partial = path, partial
        self._stream: Any = None
        self._writer: Any = None
        self._draft: Path | None = None

    def __enter__(self) -> CsvFile:
        if self.path is not None:
            hidden = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex}")
            self._draft = self.path if self._partial else hidden
            try:
                self._stream = self._draft.open("w", encoding="utf-8", newline="")
            except OSError as error:
                raise DataError(
                    f"{str(self.path)!r} cannot be written ({error.strerror}): check the folder."
                ) from None
        return self

    def add(self, record: dict[str, Any]) -> None:
        """Write one record; the first one names the columns."""
        if self._stream is None:
            return
        if self._writer is None:
            self._writer = csv.writer(self._stream)
            self._writer.writerow(map(inert, record))
        self._writer.writerow(map(inert, record.values()))

    def flush(self) -> None:
        """Hand what is written to the system."""
        if self._stream is not None:
            self._stream.flush()

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if self.path is None or self._draft is None:
            return
        self._stream.close()
        if self._partial:
            return
        if kind is None:
            self._draft.replace(self.path)
        else:
            self._draft.unlink(missing_ok=True)


def inert(value: Any) -> Any:
    """Return a value that no spreadsheet runs: a text gets a leading ' where it would."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_RUN) else value
