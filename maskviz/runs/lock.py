"""A lock that at most one process holds, and that the system takes back when it dies."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..training.folder import runs_home


class WorkerLock:
    """The right to be the worker of this MASKVIZ_HOME, or whatever the file `path` stands for.

    On POSIX a record lock: unlike `flock`, it is not inherited by a fork, so a run that outlives
    its worker does not keep the next worker out.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or runs_home() / "worker.lock"
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Take the lock if it is free; tell whether it was."""
        self._file = self._path.open("ab")
        if _lock(self._file):
            return True
        self._file.close()
        return False

    def release(self) -> None:
        """Give the lock back."""
        if self._file:
            self._file.close()


@contextmanager
def holding(path: Path, seconds: float = 60.0) -> Iterator[None]:
    """Hold the lock on a file while the block runs; after so many seconds go on without it."""
    end = time.monotonic() + seconds
    with path.open("ab") as file:
        while not _lock(file) and time.monotonic() < end:
            time.sleep(0.05)
        yield


def _lock(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
