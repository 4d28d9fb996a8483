"""The list of sha256 sums that maskviz verifies when it loads a bundled model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def write_checksums(folder: Path) -> None:
    """`checksums.json`: file name to sha256, for every file of the folder but cards and itself."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name not in {"checksums.json", "README.md"}
    }
    (folder / "checksums.json").write_text(json.dumps(sums, indent=2) + "\n")
