"""Uploaded tables, kept so that a run that outlives the page can read them."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

from ..paths import home, write_atomic


def forget(path: str | Path) -> bool:
    """Delete an upload; tell whether it was one. A file of the user's own is never touched."""
    folder = Path(path).resolve().parent
    if folder.parent != (home() / "uploads").resolve():
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True


def keep(content: bytes, name: str) -> Path:
    """Write an upload below MASKVIZ_HOME, once for the same bytes, and return its path.

    Of the name only letters, digits, dots and dashes are kept; the folder is its SHA-256.
    """
    folder = home() / "uploads" / hashlib.sha256(content).hexdigest()[:16]
    path = folder / (re.sub(r"[^\w.-]+", "_", Path(name).name).lstrip(".")[-80:] or "table.csv")
    if not path.is_file():
        write_atomic(path, content)
    return path
