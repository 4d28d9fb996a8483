"""The process that works on a comparison of a whole file.

    python -m maskviz.evidence.jobs.work JOB

It waits for its turn, writes each step and every few seconds the result so far, and says how it
ended. What was written of an earlier try is counted first and not asked again.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ...data.export import CsvFile
from ...errors import MaskvizError
from ...models.raised import said_of
from ...paths import home, write_atomic
from ...runs.lock import WorkerLock
from ..counterfactual.fairness import FairnessWork, PairStep, pairs_of_file, swapped_pairs
from ..counterfactual.swaps import Pair
from ..files.file_result import Step
from ..files.files import FileWork
from ..kept import going_on
from ..shortcuts.result import Step as SearchStep
from ..shortcuts.work import ShortcutWork
from .jobs import Job, Status, find

_PATIENCE = 1.0  # seconds a step may take before it is counted
_EVERY = 2.0  # seconds between two partial results, and
_TIMES = 10  # times what the last one took: one broken down by many values is long to make
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
        unexpected = f"Unexpected {type(error).__name__}: {str(error)[:200]}"
        diary.end("failed", said_of(error) or unexpected)
    else:
        diary.end("cancelled" if job.cancelled and not diary.complete else "done")


class Diary:
    """Writes a job's status and partial results, not more often than a person looks."""

    def __init__(self, job: Job) -> None:
        before = job.status()
        self.job, self._saved, self._next_result = job, 0.0, 0.0
        self._counted = False
        self.begin = time.monotonic() - before.seconds
        self.status = replace(before, state="running", message="")

    def step(self, done: int, total: int, result: Callable[[], dict[str, Any]] | None) -> None:
        """Note the rows done, and every few seconds the result so far."""
        self.status = replace(self.status, done=done, total=total, seconds=self.seconds, message="")
        if result is not None and not self._counted:  # the first of this try: it loaded the model
            self._counted = True
            self.status = replace(self.status, first_done=done, first_seconds=self.seconds)
        now = time.monotonic()
        if now - self._saved < _EVERY and done < total:
            return
        self._saved = now
        if result is not None and now >= self._next_result:
            self.keep(result())
            self._next_result = now + _TIMES * (time.monotonic() - now)
        self.job.save(self.status)

    def reading(self, what: str) -> None:
        """Note what takes its time."""
        self.status = replace(self.status, message=f"Reading {what}.", seconds=self.seconds)
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


def _go_on(
    work: FileWork | FairnessWork | ShortcutWork,
    kind: type[Any],
    job: Job,
    diary: Diary,
    each: Callable[[Any], None],
) -> None:
    """Count the steps that are written, then make the others; `each` gets all of them."""
    diary.step(work.done, work.total, None)
    for step, new in going_on(work, kind, job.steps):
        each(step)
        found = (lambda: work.result().to_dict()) if new and work.tallied else None
        diary.step(work.done, work.total, found)
        if job.cancelled and new:
            break
    diary.keep(work.result().to_dict())
    if diary.complete:
        job.steps.unlink()


def _compare(source: str, arguments: dict[str, Any], job: Job, diary: Diary) -> None:
    strategies = arguments.pop("strategies")
    work = FileWork(source, strategies, patience=_PATIENCE, note=diary.reading, **arguments)
    with CsvFile(job.rows, partial=True) as rows:

        def write(step: Step) -> None:
            for row in step.sides[0]:
                rows.add(row.to_dict())
            rows.flush()

        _go_on(work, Step, job, diary, write)


def _fairness(source: str, arguments: dict[str, Any], job: Job, diary: Diary) -> None:
    first, second = (arguments.pop(name, None) for name in ("first", "second"))
    column, swap = arguments.pop("text_column", None), arguments.pop("swap", ())
    cluster = arguments.pop("cluster", None)

    def pairs() -> Iterator[Pair]:
        if second:
            return pairs_of_file(source, first, second, cluster=cluster)
        return swapped_pairs(source, column, swap, cluster=cluster)

    total = sum(1 for _ in pairs())
    work = FairnessWork(pairs(), total=total, **arguments)
    with CsvFile(job.rows, partial=True) as rows:

        def write(step: PairStep) -> None:
            step.records(rows.add)
            rows.flush()

        _go_on(work, PairStep, job, diary, write)


def _shortcuts(source: str, arguments: dict[str, Any], job: Job, diary: Diary) -> None:
    work = ShortcutWork(source, patience=_PATIENCE, note=diary.reading, **arguments)
    with CsvFile(job.rows, partial=True) as rows:

        def write(step: SearchStep) -> None:
            for row in step.rows if step.phase == "measure" else ():
                for record in row.records():
                    rows.add(record)
            rows.flush()

        _go_on(work, SearchStep, job, diary, write)


_WORK = {"compare": _compare, "fairness": _fairness, "shortcuts": _shortcuts}


if __name__ == "__main__":
    main()
