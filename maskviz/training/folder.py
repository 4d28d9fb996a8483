"""A run is a folder; everything known of it can be read from there, without a database.

    spec.toml       what was asked for
    state.json      queued, running, … and why; written by whoever holds the queue
    status.json     progress, heartbeat and outcome; written by the process that trains
    process.json    which process trains it, written by itself
    rows.json       a hash of the rows it learns from
    metrics.jsonl   one line per logged step or evaluation
    log.txt         what the process printed
    checkpoints/    complete ones only
    result.json     the figures at the end
    answers.json    which held-out rows it answers right
    model/          the tuned model, loadable by transformers
    adapter/        LoRA's matrices alone, loadable by PEFT

Each file has one writer and is always whole: written aside and renamed.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MaskvizError, RunError
from ..models.locate import public_name
from ..paths import home, write_atomic

if TYPE_CHECKING:
    from .spec.spec import RunSpec

STATES = ("queued", "running", "done", "failed", "cancelled")
ACTIVE, ENDED = STATES[:2], STATES[2:]
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


@dataclass(frozen=True)
class Run:
    """A fine-tune as it went, at the moment of reading.

    state: queued, running, done, failed or cancelled; `reason` says why it ended so.
    seconds: time in training; tokens_per_second: real tokens, without padding.
    metrics: the latest evaluation while it runs, the final figures when it is done.
    """

    id: str
    folder: Path
    state: str
    reason: str = ""
    phase: str = ""
    engine: str = "local"
    created: float = 0.0  # seconds since 1970, as all times here
    started: float | None = None
    ended: float | None = None
    cancel_requested: float | None = None  # set from the request until the run has ended
    step: int = 0
    steps: int = 0
    seconds: float = 0.0
    seconds_left: float | None = None
    tokens_per_second: float | None = None
    device_use: float | None = None  # share of its threads or GPU that is busy, in [0, 1]
    device: str = ""
    precision: str = ""
    peak_memory_bytes: int | None = None
    pid: int | None = None
    process_started: float | None = None
    heartbeat: float | None = None
    parent: str | None = None
    attempts: int = 0
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spec(self) -> RunSpec:
        """What was asked for."""
        from .spec.spec import RunSpec

        return RunSpec.from_file(self.folder / "spec.toml")

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, one way or another."""
        return self.state in ENDED

    @property
    def model_path(self) -> Path | None:
        """The folder of the tuned model, or None while there is none."""
        path = self.folder / "model"
        return path if (path / "config.json").is_file() else None

    @property
    def adapter_path(self) -> Path | None:
        """The folder of LoRA's matrices alone, or None where all weights were tuned."""
        path = self.folder / "adapter"
        return path if (path / "adapter_config.json").is_file() else None

    @property
    def history(self) -> list[dict[str, Any]]:
        """The logged steps and evaluations, in order."""
        return list(read_metrics(self.folder))

    @property
    def result(self) -> dict[str, Any]:
        """The figures at the end; empty before."""
        return read_json(self.folder / "result.json")

    def log(self, lines: int = 40) -> str:
        """Return the last lines of what the process printed."""
        return tail(self.folder / "log.txt", lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the run as JSON-ready values; the keys are the command line's."""
        return {
            "run": self.id,
            "state": self.state,
            "reason": self.reason,
            "error": self.reason if self.state == "failed" else None,
            "metrics": dict(self.metrics),
            "seconds": round(self.seconds, 3),
            "tokens_per_second": self.tokens_per_second,
            "device": self.device,
            "device_use": self.device_use,
            "precision": self.precision,
            "pid": self.pid,
            "step": self.step,
            "steps": self.steps,
            "seconds_left": self.seconds_left,
            "heartbeat": self.heartbeat,
            "created": self.created,
            "started": self.started,
            "ended": self.ended,
            "engine": self.engine,
            "parent": self.parent,
            "attempts": self.attempts,
            "peak_memory_bytes": self.peak_memory_bytes,
            "folder": str(self.folder),
            "model": str(self.model_path) if self.model_path else None,
            "spec": self._settings(),
        }

    def _settings(self) -> dict[str, Any]:
        """Return the spec as a dictionary; empty where it is none any more."""
        try:
            return self.spec.to_dict()
        except MaskvizError:
            return {}

    def _repr_html_(self) -> str:
        from html import escape

        figures = ", ".join(
            f"{escape(str(k))} {v:.3f}" for k, v in self.metrics.items() if isinstance(v, float)
        )
        return (
            f"<b>{escape(self.id)}</b> {escape(self.state)} "
            f"{self.step}/{self.steps}<br>{escape(self.reason)}<br>{figures}"
        )


def runs_home() -> Path:
    """Return the folder that holds the runs, made if it is missing."""
    folder = home() / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run_folder(run_id: str) -> Path:
    """Return the folder of a run; raises RunError where there is none."""
    folder = runs_home() / run_id
    if not _ID.fullmatch(run_id) or not (folder / "spec.toml").is_file():
        raise RunError(
            f"There is no run {run_id[:80]!r}: `maskviz runs list` shows those there are."
        )
    return folder


def new_folder(spec: RunSpec) -> Path:
    """Make the folder of a new run and write its spec; the name is unique and sorts by time."""
    stem = slug(spec.name) or slug(f"{Path(public_name(spec.model)).name}-{spec.masking.strategy}")
    for _ in range(100):
        stamp = time.strftime("%m%d-%H%M%S")
        folder = runs_home() / f"{stem}-{stamp}-{os.urandom(2).hex()}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        write_atomic(folder / "spec.toml", spec.to_toml())
        return folder
    raise RunError(f"No folder could be made in {runs_home()}: check that it can be written to.")


def slug(name: str) -> str:
    """Return a name as a folder's: lower case, digits and hyphens, at most 40 of them."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-")


def folders() -> Iterator[Path]:
    """Yield the folder of every run."""
    for folder in runs_home().iterdir():
        if not folder.name.startswith(".") and (folder / "spec.toml").is_file():
            yield folder


def read_run(folder: Path, row: Mapping[str, Any] | None = None) -> Run:
    """Read a run from its folder; what `row` (the store's) says of the state goes first."""
    known = set(Run.__dataclass_fields__) - {"id", "folder", "metrics"}
    status = read_json(folder / "status.json")
    status |= row or read_json(folder / "state.json")
    values = {k: v for k, v in status.items() if k in known}
    values.setdefault("state", "queued")
    return Run(folder.name, folder, metrics=status.get("metrics") or {}, **values)


def update_json(path: Path, **values: Any) -> None:
    """Change some fields of a file that this process alone writes."""
    write_atomic(path, json.dumps({**read_json(path), **values}))


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in the file, or an empty one where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def read_metrics(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of metrics.jsonl; a line cut off by a crash is left out."""
    try:
        lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def tail(path: Path, lines: int, limit: int = 1 << 16) -> str:
    """Return the last lines of a file, reading at most its last `limit` bytes."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - limit))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    # A progress bar rewrites its line; what a person would see is the last writing.
    shown = [line.rsplit("\r", 1)[-1] for line in text.splitlines() if line.strip()]
    return "\n".join(shown[-lines:])


def tuned_models() -> list[tuple[str, str]]:
    """Return (run, folder of its tuned model) of the runs that are done, newest first."""
    found = [
        (folder / "model", read_json(folder / "state.json").get("ended") or 0.0)
        for folder in folders()
        if (folder / "model" / "config.json").is_file()
    ]
    found.sort(key=lambda item: -item[1])
    return [(path.parent.name, str(path)) for path, _ in found]
