"""Annotations kept on the disk: another run over the same rows need not make them again.

Only spans and labels are kept, under a hash of pipeline and text; the text itself is not. Whatever
goes wrong with the file, the pipeline reads the text once more.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..paths import assets, home
from .document import Document
from .pipelines import BUNDLED, Annotation
from .span import Span
from .together import annotate_together

_RULES = 4  # of what maskviz adds to a pipeline, raised with each change to it
_LARGEST = 256 * 2**20  # bytes; a larger file is emptied
_TABLE = "CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, spans BLOB) WITHOUT ROWID"
_PARTS = ("sentences", "entities", "parts_of_speech")


def annotate_once(documents: Sequence[Document]) -> None:
    """Annotate documents: from the disk where they are known, else together."""
    new = {_key(d): d for d in documents if not d.annotated and d.read_by}
    if not new:
        return
    for key, spans in _fetched(list(new)).items():
        new[key].__dict__["_annotation"] = _unpacked(spans)
    missing = {key: d for key, d in new.items() if not d.annotated}
    annotate_together(d for d in documents if not d.annotated)
    _keep({key: _packed(d) for key, d in missing.items() if d.annotated})


def shelf_path() -> Path:
    """Return the file that holds the annotations."""
    return home() / "annotations.sqlite"


def _key(document: Document) -> bytes:
    said = f"{_identity(document.read_by)}\0{document.text}"
    return hashlib.blake2b(said.encode(), digest_size=16).digest()


@lru_cache(maxsize=8)
def _identity(pipeline: str) -> str:
    """Return what tells one state of a pipeline from another, without loading it."""
    if pipeline == BUNDLED:
        own = (assets() / BUNDLED / "checksums.json").read_bytes()
        return f"{pipeline} {hashlib.sha256(own).hexdigest()} {_RULES} {version('spacy')}"
    try:
        return f"{pipeline} {version(pipeline)} {_RULES} {version('spacy')}"
    except PackageNotFoundError:
        return pipeline


def _packed(document: Document) -> bytes:
    spans = [
        [(s.start, s.end, s.label) for s in getattr(document._annotation, part)] for part in _PARTS
    ]
    return zlib.compress(json.dumps(spans).encode(), 1)


def _unpacked(spans: bytes) -> Annotation:
    parts = json.loads(zlib.decompress(spans))
    return Annotation(*(tuple(Span(*span) for span in part) for part in parts))


def _fetched(keys: Sequence[bytes]) -> dict[bytes, bytes]:
    def fetch(connection: sqlite3.Connection) -> dict[bytes, bytes]:
        asked = "SELECT key, spans FROM kept WHERE key = ?"
        rows = (connection.execute(asked, (key,)).fetchone() for key in keys)
        return dict(row for row in rows if row)

    return _with_file(fetch) or {}


def _keep(rows: dict[bytes, bytes]) -> None:
    _with_file(lambda c: c.executemany("INSERT OR IGNORE INTO kept VALUES (?, ?)", rows.items()))


def _with_file(action: Callable[[sqlite3.Connection], Any]) -> Any:
    """Do it in one transaction: no connection is carried into a thread or a fork.

    None where the file cannot be used; one that is damaged or too large is removed.
    """
    path = shelf_path()
    try:
        if path.is_file() and path.stat().st_size > _LARGEST:
            path.unlink()
        with closing(sqlite3.connect(path, timeout=5)) as connection, connection:
            connection.execute("PRAGMA synchronous = OFF")  # what is lost is made again
            connection.execute(_TABLE)
            return action(connection)
    except (sqlite3.OperationalError, OSError):  # locked for long, or the disk is full
        return None
    except sqlite3.DatabaseError:
        path.unlink(missing_ok=True)
        return None
