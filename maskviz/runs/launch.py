"""Processes that train a run: forked from the warm worker, or started for one of several."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from ..paths import write_atomic
from ..training.folder import update_json
from . import process
from .mirror import mirrored

_LOOK_SECONDS = 0.5  # between two looks whether the leader lives


def unusable(folder: Path) -> str | None:
    """Return why no run can be trained in a folder, None where one can."""
    if not (folder / "spec.toml").is_file():
        return f"Its folder {folder.name!r} is gone: start a new run."
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"Its folder {folder.name!r} cannot be written: change its permissions, then resume."
    return None


def threads_per_run(slots: int) -> int:
    """Return how many threads a run computes with: OMP_NUM_THREADS, else its share of the cores."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdigit() else max(1, (os.cpu_count() or 1) // slots)


def fork(folder: Path, threads: int) -> int:
    """Fork a process that trains the run in `folder`; return its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    update_json(folder / "status.json", outcome=None)
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _redirect(folder / "log.txt")
        own = {"pid": os.getpid(), "process_started": process.start_time(os.getpid())}
        write_atomic(folder / "process.json", json.dumps(own))
        code = train(folder, threads)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # the parent's clean-up at exit is not this process's


def spawn(folder: Path, threads: int, processes: int = 1) -> int:
    """Start a process that trains the run, or one that leads several; return its id.

    Several share each batch's work as accelerate does it: gradients are averaged over them.
    """
    import subprocess

    update_json(folder / "status.json", outcome=None)
    several = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
    module = [*(several if processes > 1 else []), "maskviz.runs.worker", "--train", str(folder)]
    command, threads = [sys.executable, "-m", *module], max(1, threads // processes)
    with (folder / "log.txt").open("ab") as log:
        started = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [*command, "--threads", str(threads)], stdout=log, stderr=log, start_new_session=True
        )
    _spawned[started.pid] = started
    own = {"pid": started.pid, "process_started": process.start_time(started.pid)}
    write_atomic(folder / "process.json", json.dumps(own))
    return started.pid


_spawned: dict[int, Any] = {}  # kept: Python would reap one that nobody holds


def _redirect(path: Path) -> None:
    with path.open("ab") as log, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


def train(folder: Path, threads: int) -> int:
    from ..training.loop.execute import execute

    with mirrored(folder):
        state = execute(folder, threads=threads)
    return 0 if state == "done" else 1


def end_with_leader() -> None:
    """End this process, one of several, soon after the one that leads them.

    Each leads a session of its own, so no signal to the leader's group reaches it.
    """
    leader = os.getppid()

    def watch() -> None:
        while os.getppid() == leader:
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="maskviz-leader", daemon=True).start()
