"""Rows of a file, one at a time: what it is, how it is encoded and separated is found here.

Every reader is a generator, so a file of any length is read in constant memory.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..errors import DataError, MissingDependencyError
from ..text.words import mended

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

Row = dict[str, object]
Reader = Callable[[BinaryIO, str, bytes], Iterator[Row]]  # of a stream, its name and first bytes

DELIMITERS = (",", ";", "\t", "|")
_EXCEL = re.compile(r'"?sep=([,;\t|])"?\r?\n', re.IGNORECASE)  # Excel may say it in a first line
_SAMPLE = 1 << 16  # bytes looked at to tell format, encoding and delimiter
_MAX_CELL = 1 << 24  # characters in one cell
_SHEET = "save its sheet as CSV (UTF-8)"
_DOCUMENT = "copy its table into a spreadsheet and save that as CSV (UTF-8)"
# How a file begins that is no table: what it is, and what to do.
_BINARY = {
    b"PK\x03\x04": ("a ZIP archive", "unpack it first"),
    b"\xd0\xcf\x11\xe0": ("an old Excel or Word file", _SHEET),
    b"%PDF": ("a PDF", _DOCUMENT),
    b"\x89PNG": ("a PNG picture", "give a CSV, TSV, JSONL or Parquet file"),
    b"\xff\xd8\xff": ("a JPEG picture", "give a CSV, TSV, JSONL or Parquet file"),
    b"\x1f\x8b": ("a gzip archive", "unpack it first"),
}
_OFFICE = {  # the same, of ZIP archives, by what they hold
    b"xl/": ("an Excel workbook", _SHEET),
    b"word/": ("a Word document", _DOCUMENT),
    b"opendocument.spreadsheet": ("an OpenDocument spreadsheet", _SHEET),
    b"opendocument.text": ("an OpenDocument text", _DOCUMENT),
}


def iter_rows(source: str | Path | bytes, name: str | None = None) -> Generator[Row, None, None]:
    """Yield each row as a dictionary, column name to value.

    `source` is a path or the file's bytes; `name` tells the format of bytes by its ending
    (.csv, .tsv, .txt, .jsonl, .ndjson, .parquet). CSV values are strings, empty cells "".
    Raises DataError where the file is missing, empty, binary or uneven.

    >>> list(iter_rows(b"text;label\\ngood;1\\n", "a.csv"))
    [{'text': 'good', 'label': '1'}]
    """
    name = name or (str(source) if isinstance(source, (str, Path)) else "the table")
    with _open(source, name) as stream:
        head = stream.read(_SAMPLE)
        stream.seek(0)
        if not head.strip(b"\xef\xbb\xbf \t\r\n"):
            raise DataError(f"{_short(name)} is empty: give a file with a header and rows.")
        yield from _reader(name, head)(stream, name, head)


def _open(source: str | Path | bytes, name: str) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    try:
        return Path(source).expanduser().open("rb")
    except FileNotFoundError:
        raise DataError(f"There is no file {name!r}: check the path.") from None
    except OSError as error:
        raise DataError(f"{name!r} cannot be read ({error.strerror}): check the path.") from None


def _reader(name: str, head: bytes) -> Reader:
    ending = Path(name).suffix.lower()
    if head.startswith(b"PAR1"):
        return _parquet_rows
    if ending == ".parquet":
        raise DataError(f"{_short(name)} is named .parquet and holds something else: save again.")
    return _json_rows if ending in (".jsonl", ".ndjson", ".json") else _csv_rows


def _short(name: str) -> str:
    return repr(Path(name).name[:80])


# text ---------------------------------------------------------------------------------------


def encoding_of(stream: BinaryIO, name: str, head: bytes) -> str:
    """Return the encoding: by byte order mark, else UTF-8 if all of it is, else Windows-1252."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    _refuse_binary(name, head)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := stream.read(1 << 20):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252" if _decodes(head, "cp1252") else "latin-1"
    finally:
        stream.seek(0)
    return "utf-8-sig"


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        head.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


_CONTROL = bytes([*range(9), *range(14, 32)])


def _refuse_binary(name: str, head: bytes) -> None:
    known = {magic: said for magic, said in _BINARY.items() if head.startswith(magic)}
    if b"PK\x03\x04" in known:
        known = {part: said for part, said in _OFFICE.items() if part in head} or known
    for kind, what_to_do in known.values():
        raise DataError(f"{_short(name)} is {kind}, not a table: {what_to_do}.")
    control = len(head) - len(head.translate(None, _CONTROL))
    if b"\x00" in head or control > len(head) // 20:
        raise DataError(
            f"{_short(name)} is binary, not a table: give a CSV, TSV, JSONL or Parquet file."
        )


def delimiter_of(sample: str) -> str:
    """Return the delimiter under which the first records have most columns, evenly.

    >>> delimiter_of("text;label\\na, b and c;1\\n")
    ';'
    """

    def evenness(delimiter: str) -> tuple[int, int]:
        records = [r for r in csv.reader(io.StringIO(sample), delimiter=delimiter) if r][:20]
        width = len(records[0])
        return (sum(len(record) == width for record in records) if width > 1 else 0, width)

    csv.field_size_limit(_MAX_CELL)
    return max(DELIMITERS, key=evenness)


def _csv_rows(stream: BinaryIO, name: str, head: bytes) -> Iterator[dict[str, object]]:
    encoding = encoding_of(stream, name, head)
    ends = "" if b"\n" in head else None  # None reads old Mac line ends, \r alone
    with io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline=ends) as text:
        sample = "".join(text.readlines(_SAMPLE))
        text.seek(0)
        told = _EXCEL.match(sample)
        try:
            delimiter = "\t" if name.lower().endswith(".tsv") else delimiter_of(sample)
            reader = csv.reader(text, delimiter=told[1] if told else delimiter)
            if told:
                next(reader)
            yield from _records(reader, name)
        except csv.Error as error:
            raise DataError(
                f"{_short(name)} cannot be read as CSV ({error}): check its quotes, save it again."
            ) from None


def _records(reader: CsvReader, name: str) -> Iterator[dict[str, object]]:
    header = _unique([cell.strip() for cell in next(reader)], name)
    for record in reader:
        if not record:
            continue
        if len(record) != len(header):
            raise DataError(
                f"Line {reader.line_num} of {_short(name)} has {len(record)} cells and the "
                f"header {len(header)}: put quotes around text that holds the separator."
            )
        yield dict(zip(header, record, strict=True))


def _unique(header: list[str], name: str) -> list[str]:
    if not any(header):
        raise DataError(f"{_short(name)} has no header: name the columns in its first line.")
    named = [cell or f"column {i + 1}" for i, cell in enumerate(header)]
    twice = sorted({cell for cell in named if named.count(cell) > 1})
    if twice:
        raise DataError(f"{_short(name)} has two columns named {twice[0]!r}: rename one.")
    return named


# JSON lines, Parquet ------------------------------------------------------------------------


def _json_rows(stream: BinaryIO, name: str, head: bytes) -> Iterator[dict[str, object]]:
    encoding = encoding_of(stream, name, head)
    with io.TextIOWrapper(stream, encoding=encoding, errors="replace") as text:
        for number, line in enumerate(text, 1):
            if number == 1 and line.lstrip().startswith("["):
                raise DataError(
                    f"{_short(name)} is one JSON list: write one object per line (JSONL), as "
                    "pandas' to_json(orient='records', lines=True) does."
                )
            if line.strip():
                yield _json_row(line, number, name)


def _json_row(line: str, number: int, name: str) -> dict[str, object]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):  # ValueError: no JSON, or a number beyond all reason
        row = None
    if not isinstance(row, dict):
        raise DataError(
            f"Line {number} of {_short(name)} is not a JSON object: write one object per line."
        )
    return mended(row) if "\\u" in line else row


def _parquet_rows(stream: BinaryIO, name: str, head: bytes) -> Iterator[dict[str, object]]:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise MissingDependencyError(
            "Reading Parquet needs pyarrow: pip install pyarrow, or save the table as CSV."
        ) from None
    import pyarrow

    try:
        for batch in parquet.ParquetFile(stream).iter_batches(batch_size=1024):
            yield from batch.to_pylist()
    except pyarrow.ArrowException as error:
        raise DataError(
            f"{_short(name)} cannot be read as Parquet ({str(error)[:80]}): save it again."
        ) from None
