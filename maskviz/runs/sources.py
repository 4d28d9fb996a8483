"""Whether the package's files are still those that a process has imported."""

from __future__ import annotations

import time
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_SETTLED_SECONDS = 2.0  # an installer may still be writing


class Sources:
    """The package's Python files as they are when this is made.

    A worker lives for long. What it has not imported yet would come from files of another version
    after an update, and not fit what it has.
    """

    def __init__(self, folder: Path = _PACKAGE) -> None:
        self._folder = folder
        self._began = self._seen = self._now()
        self._since = time.monotonic()

    def changed(self) -> bool:
        """Tell whether the files are others now."""
        now = self._now()
        if now != self._seen:
            self._seen, self._since = now, time.monotonic()
        return now != self._began

    def settled(self) -> bool:
        """Tell whether they are others and have stayed the same for a while."""
        return self.changed() and time.monotonic() - self._since >= _SETTLED_SECONDS

    def _now(self) -> frozenset[tuple[str, int]]:
        """Return each file with the time of its last change in nanoseconds."""
        found = set()
        for path in self._folder.rglob("*.py"):
            try:
                found.add((str(path), path.stat().st_mtime_ns))
            except OSError:  # taken away just now
                continue
        return frozenset(found)
