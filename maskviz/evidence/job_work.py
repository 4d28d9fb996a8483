"""The process that works on a comparison of a whole file.

    python -m maskviz.evidence.job_work JOB

It waits for its turn, writes what it found so far every two seconds, and says how it ended.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..data.export import CsvFile
from ..errors import MaskvizError
from ..paths import home, write_atomic
from ..runs.lock import WorkerLock
from .fairness import fairness, pairs_of_file, swapped_pairs
from .files import FileWork
from .jobs import Job, Status, find

_PATIENCE = 1.0  # seconds a step may take before it is counted
_EVERY = 2.0  # seconds between two partial results
_LOOK = 0.5  # seconds between two tries for a turn


def main() -> None:
    """Work on the job that is named on the command line."""
    job = find(sys.argv[1])
    if job is None:
        raise SystemExit(f"There is no comparison {sys.argv[1]!r}.")
    turn = WorkerLock(home() / "comparisons" / "turn.lock")
    while not turn.acquire():
        if job.cancelled:
            job.save(Status("cancelled"))
            return
        time.sleep(_LOOK)
    work(job)


def work(job: Job) -> None:
    """Do what the job was asked; every end says why."""
    spec, diary = job.spec, Diary(job)
    job.save(diary.status)
    try:
        _WORK[spec["kind"]](spec["source"], dict(spec["arguments"]), job, diary)
    except MaskvizError as error:
        diary.end("failed", str(error))
    except Exception as error:  # noqa: BLE001  the process's last word; the page shows it
        diary.end("failed", f"Unexpected {type(error).__name__}: {str(error)[:200]}")
    else:
        diary.end("cancelled" if job.cancelled and not diary.complete else "done")


class Diary:
    """Writes a job's status and partial results, not more often than a person looks."""

    def __init__(self, job: Job) -> None:
        self.job, self.begin, self._saved = job, time.monotonic(), 0.0
        self.status = Status("running")

    def step(self, done: int, total: int, result: Callable[[], dict[str, Any]] | None) -> None:
        """Note the rows done, and every two seconds the result so far."""
        self.status = replace(self.status, done=done, total=total, seconds=self.seconds)
        now = time.monotonic()
        if now - self._saved < _EVERY and done < total:
            return
        self._saved = now
        if result is not None:
            self.keep(result())
        self.job.save(self.status)

    @property
    def complete(self) -> bool:
        """Whether every row was read."""
        return self.status.done >= self.status.total

    def keep(self, result: dict[str, Any]) -> None:
        """Write a result."""
        write_atomic(self.job.folder / "result.json", json.dumps(result, ensure_ascii=False))

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begin

    def end(self, state: str, message: str = "") -> None:
        """Write how it ended."""
        self.job.save(replace(self.status, state=state, message=message, seconds=self.seconds))


def _compare(source: str, arguments: dict[str, Any], job: Job, diary: Diary) -> None:
    strategies = arguments.pop("strategies")
    work = FileWork(source, strategies, patience=_PATIENCE, **arguments)
    diary.step(0, work.total, None)
    with CsvFile(job.rows, partial=True) as written:
        for rows in work.steps():
            for row in rows:
                written.add(row.to_dict())
            written.flush()
            found = work.tallied
            diary.step(work.done, work.total, (lambda: work.result().to_dict()) if found else None)
            if job.cancelled:
                break
    diary.keep(work.result().to_dict())


def _fairness(source: str, arguments: dict[str, Any], job: Job, diary: Diary) -> None:
    first, second = (arguments.pop(name, None) for name in ("first", "second"))
    column, swap = arguments.pop("text_column", None), arguments.pop("swap", ())

    def pairs() -> Any:
        if second:
            return pairs_of_file(source, first, second)
        return swapped_pairs(source, column, swap)

    total = sum(1 for _ in pairs())
    diary.step(0, total, None)
    found = fairness(
        pairs(), **arguments, stop=lambda: job.cancelled,
        progress=lambda done: diary.step(done, total, None),
    )  # fmt: skip
    diary.keep(found.to_dict())


_WORK = {"compare": _compare, "fairness": _fairness}


if __name__ == "__main__":
    main()
