"""Comparisons over files that go on when the page is closed, and leave what they found so far.

A job is a folder below MASKVIZ_HOME: `spec.json` (what was asked), `status.json`, `result.json`
(also while it runs), `rows.csv`, and until it is done `steps.jsonl`, what each step found. A
process of its own works on it (`work`), one job after the other: it goes on when the page is
closed and when the app ends. Where that process is killed, the job is `interrupted` and keeps what
it has; resumed, it counts the steps it has and asks the models for the rest alone.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ...paths import home, write_atomic
from ...runs.background import Background

_FOLDER = "comparisons"
_WORK = "maskviz.evidence.jobs.work"
_GOING = 10.0  # seconds a process that has ended its job may take to be gone
_KEPT = 20  # jobs; the oldest that have ended are deleted beyond it


@dataclass(frozen=True)
class Status:
    """Where a job stands.

    state: `waiting`, `running`, `done`, `cancelled`, `failed` or `interrupted`. done, total: rows.
    seconds: since it began. message: why it failed, or what takes its time, in one sentence.
    first_done, first_seconds: the same behind the first rows, which also load the model.
    """

    state: str
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    message: str = ""
    first_done: int = 0
    first_seconds: float = 0.0

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state not in ("waiting", "running")

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the rows behind the first ones, None before there are some.

        >>> Status("running", 30, 100, 25.0, first_done=10, first_seconds=15.0).seconds_left
        35.0
        """
        rows, seconds = self.done - self.first_done, self.seconds - self.first_seconds
        return seconds * (self.total - self.done) / rows if self.first_done and rows > 0 else None


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

    @property
    def steps(self) -> Path:
        """The JSON Lines with what each step found, from which it goes on."""
        return self.folder / "steps.jsonl"

    def status(self) -> Status:
        """Return where it stands; a job whose process is gone is `interrupted`."""
        status = self._written()
        if not status.ended and not self.process.alive:
            status = self._written()  # it may have ended well between the two looks
            return status if status.ended else replace(status, state="interrupted")
        return status

    def _written(self) -> Status:
        values = _read(self.folder / "status.json") or {"state": "interrupted"}
        return Status(**{f.name: values[f.name] for f in fields(Status) if f.name in values})

    @property
    def process(self) -> Background:
        """The process that works on it."""
        return Background(self.id, _FOLDER)

    def save(self, status: Status) -> None:
        """Write where it stands."""
        write_atomic(self.folder / "status.json", json.dumps(asdict(status)))

    def result(self) -> dict[str, Any] | None:
        """Return what it found so far as JSON-ready values, None before the first rows."""
        return _read(self.folder / "result.json")

    def cancel(self) -> None:
        """Stop after the rows at hand; what was found is kept."""
        write_atomic(self.folder / "cancel", "")

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return (self.folder / "cancel").exists()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def start(kind: str, name: str, source: str | Path, arguments: Mapping[str, Any]) -> Job:
    """Begin a comparison of the file `source`, shown as `name`, in a process of its own.

    kind: `compare`, arguments as of `compare_file`; `shortcuts`, as of `shortcuts`; or `fairness`,
    arguments as of `fairness` with `first` and `second` (two columns), or `text_column` and `swap`
    (categories).
    """
    job = create(kind, name, source, arguments)
    job.process.start([job.id], module=_WORK)
    return job


def resume(job: Job) -> None:
    """Let a job that was cancelled or interrupted go on where it stopped."""
    until = time.monotonic() + _GOING
    while job.process.alive and time.monotonic() < until:  # it has written its end, and goes
        time.sleep(0.05)
    (job.folder / "cancel").unlink(missing_ok=True)
    job.save(replace(job.status(), state="waiting", message=""))
    job.process.start([job.id], module=_WORK)


def again(job: Job) -> Job:
    """Begin anew what another job was asked."""
    spec = job.spec
    return start(spec["kind"], spec["name"], spec["source"], spec["arguments"])


def create(kind: str, name: str, source: str | Path, arguments: Mapping[str, Any]) -> Job:
    """Write down a comparison that waits for its process."""
    number = f"{datetime.now():%Y%m%d-%H%M%S-%f}{uuid.uuid4().hex[:4]}"  # sorts by when
    job = Job(home() / _FOLDER / number)
    _forget_all_but(_KEPT - 1)
    job.folder.mkdir(parents=True)
    spec = {"kind": kind, "name": name, "source": str(source), "arguments": dict(arguments)}
    write_atomic(job.folder / "spec.json", json.dumps(spec, ensure_ascii=False))
    job.save(Status("waiting"))
    return job


def find(job_id: str) -> Job | None:
    """Return the job of this name, None where there is none."""
    folder = home() / _FOLDER / Path(job_id).name
    return Job(folder) if job_id and (folder / "spec.json").is_file() else None


def recent(count: int = 10) -> list[Job]:
    """Return the jobs started last, the newest first."""
    folders = sorted((home() / _FOLDER).glob("*/spec.json"), reverse=True)
    return [Job(path.parent) for path in folders[:count]]


def _forget_all_but(count: int) -> None:
    for job in recent(10_000)[count:]:
        if job.status().ended:
            shutil.rmtree(job.folder, ignore_errors=True)
