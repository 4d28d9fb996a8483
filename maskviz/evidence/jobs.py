"""Comparisons over files that go on when the page is closed, and leave what they found so far.

A job is a folder below MASKVIZ_HOME: `spec.json` (what was asked), `status.json`, `result.json`
(also while it runs), and `rows.csv`. A thread of this process works on it, one job after the other;
where the process ends first, the job is `interrupted` and keeps what it has.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..data.export import CsvFile
from ..errors import MaskvizError
from ..paths import home, write_atomic
from .fairness import fairness, pairs_of_file, swapped_pairs
from .files import FileWork

KINDS = ("compare", "fairness")
_PATIENCE = 1.0  # seconds a step may take before it is counted
_EVERY = 2.0  # seconds between two partial results
_KEPT = 20  # jobs; the oldest that have ended are deleted beyond it
_TURN = threading.Lock()
_CANCEL: dict[str, threading.Event] = {}


@dataclass(frozen=True)
class Status:
    """Where a job stands.

    state: `waiting`, `running`, `done`, `cancelled`, `failed` or `interrupted`. done, total: rows.
    seconds: since it began. message: why it failed, in one sentence.
    """

    state: str
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    message: str = ""
    process: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state not in ("waiting", "running")

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the rows so far, None before the first."""
        return self.seconds * (self.total - self.done) / self.done if self.done else None


@dataclass(frozen=True)
class Job:
    """A comparison that was started; `folder` holds all of it."""

    folder: Path

    @property
    def id(self) -> str:
        """The name of the folder."""
        return self.folder.name

    @property
    def spec(self) -> dict[str, Any]:
        """What was asked: `kind`, `name`, `source` and the arguments."""
        return _read(self.folder / "spec.json") or {}

    @property
    def rows(self) -> Path:
        """The CSV with every row so far."""
        return self.folder / "rows.csv"

    def status(self) -> Status:
        """Return where it stands; a job whose process ended is `interrupted`."""
        status = Status(**(_read(self.folder / "status.json") or {"state": "interrupted"}))
        if not status.ended and (status.process != os.getpid() or self.id not in _CANCEL):
            return replace(status, state="interrupted")
        return status

    def result(self) -> dict[str, Any] | None:
        """Return what it found so far as JSON-ready values, None before the first rows."""
        return _read(self.folder / "result.json")

    def cancel(self) -> None:
        """Stop after the rows at hand; what was found is kept."""
        if self.id in _CANCEL:
            _CANCEL[self.id].set()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def start(kind: str, name: str, source: str | Path, arguments: Mapping[str, Any]) -> Job:
    """Begin a comparison of the file `source`, shown as `name`.

    kind: `compare`, arguments as of `compare_file`; or `fairness`, arguments as of `fairness` with
    `first` and `second` (two columns), or `text_column` and `swap` (categories).
    """
    job = Job(home() / "comparisons" / f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}")
    _forget_all_but(_KEPT - 1)
    job.folder.mkdir(parents=True)
    spec = {"kind": kind, "name": name, "source": str(source), "arguments": dict(arguments)}
    write_atomic(job.folder / "spec.json", json.dumps(spec, ensure_ascii=False))
    _CANCEL[job.id] = threading.Event()
    _save(job, Status("waiting", process=os.getpid()))
    threading.Thread(target=_run, args=(job, spec), name=f"compare-{job.id}", daemon=True).start()
    return job


def find(job_id: str) -> Job | None:
    """Return the job of this name, None where there is none."""
    folder = home() / "comparisons" / Path(job_id).name
    return Job(folder) if job_id and (folder / "spec.json").is_file() else None


def recent(count: int = 10) -> list[Job]:
    """Return the jobs started last, the newest first."""
    folders = sorted((home() / "comparisons").glob("*/spec.json"), reverse=True)
    return [Job(path.parent) for path in folders[:count]]


def _forget_all_but(count: int) -> None:
    for job in recent(10_000)[count:]:
        if job.status().ended:
            shutil.rmtree(job.folder, ignore_errors=True)


def _save(job: Job, status: Status) -> None:
    write_atomic(job.folder / "status.json", json.dumps(asdict(status)))


class _Diary:
    """Writes a job's status and partial results, not more often than a person looks."""

    def __init__(self, job: Job) -> None:
        self.job, self.begin, self._saved = job, time.monotonic(), 0.0
        self.status = Status("running", process=os.getpid())

    def step(self, done: int, total: int, result: Callable[[], dict[str, Any]] | None) -> None:
        """Note the rows done, and every two seconds the result so far."""
        self.status = replace(self.status, done=done, total=total, seconds=self.seconds)
        now = time.monotonic()
        if now - self._saved < _EVERY and done < total:
            return
        self._saved = now
        if result is not None:
            self.keep(result())
        _save(self.job, self.status)

    def keep(self, result: dict[str, Any]) -> None:
        """Write a result."""
        write_atomic(self.job.folder / "result.json", json.dumps(result, ensure_ascii=False))

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begin

    def end(self, state: str, message: str = "") -> None:
        """Write how it ended."""
        _save(self.job, replace(self.status, state=state, message=message, seconds=self.seconds))


def _run(job: Job, spec: Mapping[str, Any]) -> None:
    """Work on a job when its turn has come; every end says why."""
    cancelled = _CANCEL[job.id]
    with _TURN:
        diary = _Diary(job)
        _save(job, diary.status)
        try:
            _WORK[spec["kind"]](spec["source"], dict(spec["arguments"]), job, diary, cancelled)
        except MaskvizError as error:
            diary.end("failed", str(error))
        except Exception as error:  # noqa: BLE001  the thread's last word; the page shows it
            diary.end("failed", f"Unexpected {type(error).__name__}: {str(error)[:200]}")
        else:
            diary.end("cancelled" if cancelled.is_set() else "done")
        finally:
            _CANCEL.pop(job.id, None)


def _compare(
    source: str, arguments: dict[str, Any], job: Job, diary: _Diary, cancelled: threading.Event
) -> None:
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
            if cancelled.is_set():
                break
    diary.keep(work.result().to_dict())


def _fairness(
    source: str, arguments: dict[str, Any], job: Job, diary: _Diary, cancelled: threading.Event
) -> None:
    first, second = (arguments.pop(name, None) for name in ("first", "second"))
    column, swap = arguments.pop("text_column", None), arguments.pop("swap", ())

    def pairs() -> Any:
        if second:
            return pairs_of_file(source, first, second)
        return swapped_pairs(source, column, swap)

    total = sum(1 for _ in pairs())
    diary.step(0, total, None)
    found = fairness(
        pairs(), **arguments, stop=cancelled.is_set,
        progress=lambda done: diary.step(done, total, None),
    )  # fmt: skip
    diary.keep(found.to_dict())


_WORK = {"compare": _compare, "fairness": _fairness}
