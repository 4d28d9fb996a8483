"""Words that people marked, read as the file has them: spans, or the exports of annotation tools.

Argilla: records as `to_json`, `to_list` and `to_datasets` write them, nested or flat, and the token
classification of its first version. Label Studio: JSON and JSON-MIN. Of several people a word
counts that one of them marked; drafts, discarded and cancelled answers, suggestions and predictions
do not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from ...data.rows import iter_rows
from ...errors import DataError
from ...masks.mask import Mask

_SPANS = ("evidence", "rationale", "rationales", "spans", "evidences")
_TEXTS = ("text", "sentence", "review", "document")
_SUBMITTED = (None, "submitted")  # the state of an answer that counts


@dataclass(frozen=True)
class Rationale:
    """A text and the words (by index, as `Mask(text).words` counts them) that people marked."""

    row: int
    text: str
    words: frozenset[int]


def read_rationales(source: str | Path | bytes, name: str | None = None) -> Iterator[Rationale]:
    """Yield the rows of a JSON Lines, JSON or Parquet file that have marked spans.

    A row has `text` and spans of characters, or `tokens` (words) and spans of tokens; a span is
    [start, end) or {"start": …, "end": …}, in the column `evidence`, `rationale` or `spans`. What
    Argilla and Label Studio export is read as it is. Raises DataError, with the row, where one
    cannot be read.
    """
    for number, row in enumerate(_rows(source, name), start=1):
        exported = _exported(row)
        if exported is None:
            spans: Any = next((row[c] for c in _SPANS if c in row), None)
            if spans is None:
                raise DataError(
                    f"Row {number} has no marked spans: name their column 'evidence' or 'spans', "
                    "or give an export of Argilla or Label Studio (JSON)."
                )
            text, bounds = _text_and_bounds(row, number)
        else:
            fields, spans = exported
            text, bounds = _text_and_bounds(fields, number)
        marked = {
            c for start, end in map(_span(number), spans) for b in bounds[start:end] for c in b
        }
        words = Mask(text).words
        hit = frozenset(i for i, (s, e) in enumerate(words) if not marked.isdisjoint(range(s, e)))
        if hit:
            yield Rationale(number, text, hit)


def _rows(source: str | Path | bytes, name: str | None) -> Iterable[Mapping[str, Any]]:
    """Return the rows; of one JSON list, as annotation tools write it, the items."""
    shown = name or (str(source) if isinstance(source, str | Path) else "the file")
    if not shown.lower().endswith(".json"):
        return iter_rows(source, name)
    path = None if isinstance(source, bytes) else Path(source).expanduser()
    if path is not None and not path.is_file():
        raise DataError(f"There is no file {shown!r}: check the path.")
    content = source if isinstance(source, bytes) else path.read_bytes() if path else b""
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        return iter_rows(source, name)
    try:
        rows = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{shown!r} is no JSON ({error}): export it again.") from None
    if not all(isinstance(row, Mapping) for row in rows):
        raise DataError(f"{shown!r} is no list of rows: each must be a JSON object.")
    return list(rows)


def _exported(row: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Any]] | None:
    """Return the fields and the spans of a row that an annotation tool wrote; None of others."""
    for read in (_label_studio, _label_studio_min, _argilla, _argilla_flat, _argilla_first):
        found = read(row)
        if found is not None:
            return found
    return None


def _label_studio(row: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Any]] | None:
    annotations = row.get("annotations", row.get("completions"))
    if not isinstance(row.get("data"), Mapping) or not isinstance(annotations, list):
        return None
    results = chain.from_iterable(
        a.get("result") or () for a in annotations if not a.get("was_cancelled")
    )
    values = [r["value"] for r in results if isinstance(r.get("value"), Mapping)]
    return _texts_of(row["data"]), [v for v in values if _is_span(v)]


def _label_studio_min(row: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Any]] | None:
    """Read JSON-MIN: spans with `labels`, in a column that has the control's name."""
    lists = [v for v in row.values() if isinstance(v, list) and v]
    marked = [v for v in lists if all(_is_span(item) and "labels" in item for item in v)]
    return (_texts_of(row), list(chain.from_iterable(marked))) if marked else None


def _argilla(row: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Any]] | None:
    responses = row.get("responses")
    if not isinstance(row.get("fields"), Mapping) or not isinstance(responses, Mapping | list):
        return None
    spans: list[Any] = []
    for answers in responses.values() if isinstance(responses, Mapping) else [responses]:
        for answer in answers if isinstance(answers, list) else [answers]:
            if isinstance(answer, Mapping) and answer.get("status") in _SUBMITTED:
                spans += _within(answer.get("value", answer.get("values")))
    return _texts_of(row["fields"]), spans


def _argilla_flat(row: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Any]] | None:
    """Read flat records: `question.responses` with a list of answers, `….status` beside it."""
    names = [n for n, v in row.items() if n.endswith(".responses") and isinstance(v, list)]
    states = {n: row.get(f"{n}.status") or [None] * len(row[n]) for n in names}
    spans = [
        span
        for n in names
        for answer, state in zip(row[n], states[n], strict=False)
        if state in _SUBMITTED
        for span in _within(answer)
    ]
    return (_texts_of(row), spans) if names else None


def _argilla_first(row: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Any]] | None:
    """Read version 1: `annotation` with (label, start, end) or mappings, over characters."""
    annotation = row.get("annotation")
    if not isinstance(annotation, list) or not isinstance(row.get("text"), str):
        return None
    spans = [a if isinstance(a, Mapping) else list(a[1:3]) for a in annotation]
    return {"text": row["text"]}, spans


def _within(value: Any) -> list[Any]:
    """Return the spans in an answer, however deep; what is no span is another question's."""
    if _is_span(value):
        return [value]
    inner = value.values() if isinstance(value, Mapping) else value
    if isinstance(inner, str) or not isinstance(inner, Iterable):
        return []
    return [span for item in inner for span in _within(item)]


def _is_span(value: Any) -> bool:
    return isinstance(value, Mapping) and "start" in value and "end" in value


def _texts_of(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields with `text`: by its usual names, else the only field that is a text."""
    named = [n for n in _TEXTS if isinstance(fields.get(n), str)]
    texts = named or [n for n, v in fields.items() if isinstance(v, str) and " " in v.strip()]
    return {"text": fields[texts[0]]} if len(texts) == 1 or named else {}


def _text_and_bounds(row: Mapping[str, Any], number: int) -> tuple[str, list[range]]:
    """Return the text and the characters of each unit that spans count: tokens or characters."""
    if "tokens" in row:
        tokens = [str(token) for token in row["tokens"]]
        bounds, end = [], 0
        for token in tokens:
            bounds.append(range(end, end + len(token)))
            end += len(token) + 1
        return " ".join(tokens), bounds
    column = next((c for c in _TEXTS if isinstance(row.get(c), str)), None)
    if column is None:
        raise DataError(f"Row {number} has no text: name its column 'text', or give 'tokens'.")
    return str(row[column]), [range(i, i + 1) for i in range(len(str(row[column])))]


def _span(number: int) -> Any:
    def read(span: Any) -> tuple[int, int]:
        try:
            pair = (span["start"], span["end"]) if isinstance(span, Mapping) else tuple(span)
            start, end = map(int, pair)
        except (KeyError, TypeError, ValueError):
            start, end = -1, -1
        if not 0 <= start <= end:
            raise DataError(
                f"Row {number} has the span {str(span)[:40]}: write [start, end], whole numbers."
            )
        return start, end

    return read
