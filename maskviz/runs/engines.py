"""Engines: where a run is trained. One small protocol; `local` is the worker on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from ..errors import UnknownNameError
from ..training.folder import Run, read_json, runs_home, tail
from . import process
from .ray_engine import RayEngine


class Engine(Protocol):
    """What starts and ends runs somewhere."""

    name: str

    def submit(self, run: Run) -> None:
        """See to it that the queued run is trained."""

    def cancel(self, run: Run) -> None:
        """See to it that the run, whose row asks for cancelling, is ended."""


class LocalEngine:
    """The worker daemon of this machine."""

    name = "local"

    def submit(self, run: Run) -> None:
        """Start the worker if there is none; it finds the run in the store."""
        ensure_worker()

    def cancel(self, run: Run) -> None:
        """Start the worker if there is none; it finds the request in the store."""
        ensure_worker()


ENGINES: dict[str, Engine] = {e.name: e for e in (LocalEngine(), RayEngine())}


def engine(name: str) -> Engine:
    """Return the engine of that name; raises UnknownNameError.

    `foreground`, which a run may have, is none: the process that asked for it trains it itself,
    and what would be sent there would wait for good.
    """
    if name not in ENGINES:
        raise UnknownNameError.of("engine", name, ENGINES)
    return ENGINES[name]


def cancel(run: Run) -> None:
    """See to it that the run, whose row asks for cancelling, is ended where it is trained."""
    if run.engine in ENGINES:
        ENGINES[run.engine].cancel(run)
    elif run.pid and process.is_alive(run.pid, run.process_started):
        os.kill(run.pid, signal.SIGTERM)  # it writes a checkpoint and stops


_started: dict[Path, subprocess.Popen[bytes]] = {}  # kept, so that ended ones are reaped


def worker_alive() -> bool:
    """Tell whether the worker of this MASKVIZ_HOME runs."""
    record = read_json(runs_home() / "worker.json")
    return process.is_alive(record.get("pid"), record.get("process_started"))


def ensure_worker() -> None:
    """Start the worker unless it runs; of two started at once, one ends by itself."""
    home = runs_home()
    if _starting(home) or worker_alive():
        return
    root = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "MASKVIZ_HOME": str(home.parent)}
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [root, os.environ.get("PYTHONPATH", "")])
    )
    with (home / "worker.log").open("ab") as log:
        _started[home] = subprocess.Popen(
            [sys.executable, "-m", "maskviz.runs.worker"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home,
            env=environment,
            start_new_session=True,
        )


def _starting(home: Path) -> bool:
    started = _started.get(home)
    if started is None or started.poll() is not None:
        return False
    if process.start_time(started.pid) is not None:
        return True
    started.wait()  # killed: its threads end a moment after it, and until then it looks unended
    return False


def wait_for_worker(seconds: float = 60) -> bool:
    """Wait until the worker is warm; tell whether it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if worker_alive():
            return True
        time.sleep(0.05)
    return False


def worker_log(lines: int = 5) -> str:
    """Return the last lines the worker printed, to see why it does not start."""
    return tail(runs_home() / "worker.log", lines)
