"""Uploaded tables, kept so that a run that outlives the page can read them."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

from ..paths import home, write_atomic


def forget(path: str | Path) -> bool:
    """Delete an upload; tell whether it was one. A file of the user's own is never touched."""
    if not _is_upload(Path(path)):
        return False
    shutil.rmtree(Path(path).resolve().parent, ignore_errors=True)
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


def kept_as(path: str | Path) -> str:
    """Return under which name an upload is found again, "" of any other file.

    >>> kept_as("/etc/passwd")
    ''
    """
    path = Path(path)
    return f"{path.resolve().parent.name}/{path.name}" if _is_upload(path) else ""


def kept(written: str) -> Path | None:
    """Return the upload of that name, None where there is none; no other file is ever opened."""
    folder, _, name = written.partition("/")
    path = home() / "uploads" / folder / name
    plain = re.fullmatch(r"[0-9a-f]{16}", folder) and re.fullmatch(r"[\w-][\w.-]*", name)
    return path if plain and path.is_file() else None


def remember(path: str | Path, name: str, value: Any) -> None:
    """Write down beside an upload what was chosen for it; of any other file nothing is kept."""
    if _is_upload(Path(path)):
        write_atomic(_beside(path, name), json.dumps(value, ensure_ascii=False))


def remembered(path: str | Path, name: str) -> Any:
    """Return what was chosen for an upload under `name`, None where nothing was."""
    try:
        return json.loads(_beside(path, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _beside(path: str | Path, name: str) -> Path:
    return Path(path).parent / f".{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"


def _is_upload(path: Path) -> bool:
    return path.resolve().parent.parent == (home() / "uploads").resolve()
