"""The checksums of bundled weights, so that a damaged file is found before it misleads."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from .errors import ModelError


@lru_cache(maxsize=16)
def verify(folder: Path) -> None:
    """Compare the files of a bundled model with its `checksums.json` (name → SHA-256).

    Raises ModelError where a file is missing or differs.
    """
    listed = folder / "checksums.json"
    if not listed.is_file():
        raise ModelError(f"The bundled model {folder.name!r} is incomplete: install maskviz again.")
    for name, expected in json.loads(listed.read_text(encoding="utf-8")).items():
        if not (folder / name).is_file() or sha256(folder / name) != expected:
            raise ModelError(
                f"The file {name!r} of the bundled model {folder.name!r} is damaged: "
                "install maskviz again."
            )


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
