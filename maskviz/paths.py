"""Where maskviz keeps things: the user's folder, the bundled assets, atomic writes."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from functools import cache
from pathlib import Path

from .errors import DiskFullError

_LITTLE_SPACE = 2**20  # bytes; with less, not even what a run says of itself finds room


def assets() -> Path:
    """Return the folder of the bundled models and examples."""
    return Path(__file__).parent / "assets"


def home() -> Path:
    """Return the user's maskviz folder, made if it is missing.

    `MASKVIZ_HOME` names it; otherwise it is the platform's user data folder.
    """
    named = os.environ.get("MASKVIZ_HOME")
    folder = Path(named).expanduser().absolute() if named else _user_data()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@cache
def _user_data() -> Path:
    try:
        from platformdirs import user_data_path
    except ImportError:  # a bare training machine has torch and transformers only
        return Path.home() / ".local" / "share" / "maskviz"
    return user_data_path("maskviz", appauthor=False)


def write_atomic(path: Path | str, content: bytes | str) -> None:
    """Write `content` to `path` so that a reader sees the old file or the new one, never half.

    Raises DiskFullError where there is no room; then the old file stays.
    """
    path = Path(path)
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise no_room(path.parent) from None
        raise


def flush(folder: Path) -> None:
    """Wait until the files of a folder are on the disk."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def no_room(folder: Path, then: str = "try again") -> DiskFullError:
    """Return the error that says how much room the disk of a folder has, and what to do."""
    free = shutil.disk_usage(folder).free / 2**20
    return DiskFullError(f"The disk is full ({free:,.0f} MB free): make room, then {then}.")


def is_full(folder: Path) -> bool:
    """Tell whether the disk of a folder has no room for even a small file."""
    return shutil.disk_usage(folder).free < _LITTLE_SPACE
