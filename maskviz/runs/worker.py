"""The worker: a process of its own that takes runs from the queue and watches over them.

`python -m maskviz.runs.worker` imports torch and transformers once and forks each run from
that warm state (spawns it where there is no fork), so that training starts at once. It
outlives the page, the browser and the app, ends when there has been nothing to do for a while,
and there is never a second one in the same MASKVIZ_HOME: an operating system's lock on a file
says so, which the system itself takes back when the process dies.

Runs survive the worker as well: each leads a session of its own. A worker that starts finds
what the last one left: a run that still goes on is watched again, one that died is queued
again and goes on from its last checkpoint.

Where the package is updated under it, it takes no further run, and once nothing trains any more
it starts anew in place, as the same process with the new code.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..paths import is_full, no_room, write_atomic
from ..training.folder import ENDED, read_json, runs_home
from . import process
from .launch import end_with_leader, fork, spawn, threads_per_run, train, unusable
from .lock import WorkerLock
from .mirror import settle
from .sources import Sources
from .store import Store

POLL_SECONDS = 0.1
GRACE_SECONDS = 20.0  # between SIGTERM and SIGKILL: time to write a checkpoint
HEARTBEAT_SECONDS = 2.0
RETRY_SECONDS = 1.0  # after the disk or the store refused
IDLE_MINUTES = 10.0
UNUSED_MINUTES = 3.0  # a worker that was only warmed up, by a page that somebody opened
MAX_ATTEMPTS = 10  # without getting any further in between
MAX_OUT_OF_MEMORY = 3  # the same, where the system killed something for want of memory meanwhile


@dataclass
class Child:
    """A process that trains; `own` where this worker forked it and must reap it."""

    run_id: str
    pid: int
    started: float | None
    own: bool
    terminated: float | None = None
    oom_kills: int = 0  # of the whole system, when it started


class Worker:
    """The loop: reap what ended, end what is cancelled, start what waits."""

    def __init__(
        self,
        slots: int = 1,
        idle_minutes: float = IDLE_MINUTES,
        sources: Sources | None = None,
    ) -> None:
        self.store = Store()
        self.sources = sources or Sources()
        self.outdated = False  # the package's files are others now: this worker starts anew
        self.slots = slots
        self.idle_seconds = min(idle_minutes, UNUSED_MINUTES) * 60
        self._idle_after_use = idle_minutes * 60
        self.children: dict[str, Child] = {}
        self.busy_at = time.monotonic()
        self.beat_at = 0.0
        self.stopping = False
        self.stuck = False  # the store or the disk refused; it has been said
        self.roomless: dict[str, str] = {}  # runs that ended on a full disk, and what to say of it

    def run(self) -> None:
        """Work until there has been nothing to do for a while, an update, or SIGTERM."""
        signal.signal(signal.SIGTERM, self._stop)
        self.stuck = not self._tried(self.recover)
        while not self.stopping:
            self.tick()
            idle = time.monotonic() - self.busy_at > self.idle_seconds
            if idle or self.outdated or not self.store.path.exists():  # the whole home is gone
                return
            time.sleep(POLL_SECONDS)

    def tick(self) -> None:
        """Do one round; where the disk is full or the store refuses, try again in a second."""
        self.stuck = not self._tried(self._round)
        if self.stuck:
            time.sleep(RETRY_SECONDS)

    def _tried(self, action: Callable[[], None]) -> bool:
        """Do it and tell whether it could be done; the runs' processes go on meanwhile."""
        try:
            action()
        except (StoreError, OSError) as error:
            if not self.stuck:
                with suppress(OSError):
                    print(f"{time.strftime('%H:%M:%S')} {error}", flush=True)  # noqa: T201
            return False
        return True

    def _round(self) -> None:
        for child in list(self.children.values()):
            if self._has_ended(child):
                del self.children[child.run_id]
                self._settle(child.run_id, oom_kills() > child.oom_kills)
        if self.stuck:
            self.recover()
        self._beat()
        for child in self.children.values():
            self._end_if_cancelled(child)
        while len(self.children) < self.slots and (row := self._next()):
            self._start(row)
        if self.children:
            self.busy_at = time.monotonic()

    def _next(self) -> dict[str, Any] | None:
        """Take the next run, unless the code to train it with is no longer what was imported."""
        if not self.store.rows("queued") or self.sources.changed():
            return None
        return self.store.claim()

    def _stop(self, *_: object) -> None:
        self.stopping = True  # the runs go on and are found by the next worker

    def _beat(self) -> None:
        now = time.monotonic()
        if now - self.beat_at >= HEARTBEAT_SECONDS:
            self.beat_at = now
            beat = {"pid": os.getpid(), "heartbeat": time.time(), "slots": self.slots}
            write_record(beat)
            self.outdated = not self.children and self.sources.settled()

    # recovery -------------------------------------------------------------------------------

    def recover(self) -> None:
        """Take over what the last worker left behind."""
        self.store.adopt()
        for row in self.store.rows("running"):
            if row["engine"] == "ray" or row["id"] in self.children:
                continue  # whoever looks at a run on Ray asks Ray
            if row["engine"] != "local":
                fail_if_gone(self.store, row)
            elif (child := _outlived(row)) is not None:
                self.children[row["id"]] = child
                known = {"pid": child.pid, "process_started": child.started}
                self.store.update(row["id"], **known)
            else:
                self._settle(row["id"])

    # one run --------------------------------------------------------------------------------

    def _start(self, row: dict[str, Any]) -> None:
        folder = runs_home() / row["id"]
        if (why := unusable(folder)) is not None:
            self.store.update(row["id"], state="failed", reason=why, ended=time.time())
            return
        threads = threads_per_run(self.slots)
        processes = int(read_json(folder / "engine.json").get("processes", 1))
        if processes > 1 or not hasattr(os, "fork"):
            pid = spawn(folder, threads, processes)
        else:
            pid = fork(folder, threads)
        child = Child(row["id"], pid, process.start_time(pid), own=True, oom_kills=oom_kills())
        self.children[row["id"]] = child
        self.idle_seconds = self._idle_after_use
        step = latest_checkpoint_step(folder)
        self.store.update(row["id"], pid=pid, process_started=child.started, resumed_step=step)

    def _end_if_cancelled(self, child: Child) -> None:
        if child.terminated is None:
            if self.store.row(child.run_id)["cancel_requested"]:
                child.terminated = time.monotonic()
                process.signal_group(child.pid, signal.SIGTERM)
        elif time.monotonic() - child.terminated > GRACE_SECONDS:
            process.signal_group(child.pid, signal.SIGKILL)

    def _has_ended(self, child: Child) -> bool:
        if child.own and hasattr(os, "fork"):
            # Without one to wait for, somebody has: a parent may have told the system to.
            with suppress(ChildProcessError):
                return os.waitpid(child.pid, os.WNOHANG)[0] == child.pid
        return not process.is_alive(child.pid, child.started)

    def _settle(self, run_id: str, out_of_memory: bool = False) -> None:
        """Write down how a run ended whose process is gone."""
        folder = runs_home() / run_id
        status = read_json(folder / "status.json")
        if status.get("outcome") not in ENDED and is_full(folder):
            self.roomless.setdefault(run_id, str(no_room(folder, "resume")))
        row = self.store.row(run_id)  # waits for room
        ended = {"ended": time.time(), "pid": None, "process_started": None}
        if status.get("outcome") in ENDED and not _ended_by_launcher(row, folder, status):
            state, reason = status["outcome"], status.get("outcome_reason", "")
        elif row["cancel_requested"]:
            state, reason = "cancelled", "Cancelled; it did not stop in time and was ended."
        else:
            state, reason, ended = self._after_a_kill(row, out_of_memory)
        if state in ENDED:  # of one that goes on, what is asked for meanwhile stays
            ended["cancel_requested"] = None
        self.store.update(run_id, state=state, reason=reason, **ended)
        if state in ENDED:
            settle(folder)

    def _after_a_kill(
        self, row: dict[str, Any], out_of_memory: bool
    ) -> tuple[str, str, dict[str, Any]]:
        """Queue a killed run again, unless the disk is full or it keeps dying at the same place."""
        step = latest_checkpoint_step(runs_home() / row["id"])
        gone = {"pid": None, "process_started": None}
        if roomless := self.roomless.pop(row["id"], None):
            return "failed", roomless, {**gone, "ended": time.time()}
        if step > row["resumed_step"]:
            return (
                "queued",
                f"Killed from outside; goes on from step {step}.",
                {**gone, "attempts": 0},
            )
        if row["attempts"] < (MAX_OUT_OF_MEMORY if out_of_memory else MAX_ATTEMPTS):
            return "queued", "Killed from outside; starts again.", gone
        why = "for want of memory" if out_of_memory else "from outside, perhaps for want of memory"
        reason = (
            f"The process was killed {row['attempts']} times at the same place, {why}: lower "
            "per_device_train_batch_size or max_length, then resume."
        )
        return "failed", reason, {**gone, "ended": time.time()}


def _ended_by_launcher(row: dict[str, Any], folder: Path, status: dict[str, Any]) -> bool:
    """Tell whether one of a run's processes was killed and the launcher ended the others."""
    several = read_json(folder / "engine.json").get("processes", 1) > 1
    return several and status["outcome"] == "cancelled" and not row["cancel_requested"]


def _outlived(row: dict[str, Any]) -> Child | None:
    """Return the process that still trains the run, None where there is none.

    A worker killed right after its fork had no time to write the process down: it says so itself.
    """
    said = read_json(runs_home() / row["id"] / "process.json")
    for record in (row, said):
        if process.is_alive(record.get("pid"), record.get("process_started")):
            return Child(row["id"], record["pid"], record["process_started"], own=False)
    return None


def oom_kills() -> int:
    """Return how many processes Linux has killed for want of memory since it started, else 0."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def fail_if_gone(store: Store, row: dict[str, Any]) -> bool:
    """Mark a run in the foreground as ended where its process is gone; tell whether it was."""
    if process.is_alive(row["pid"], row["process_started"]):
        return False
    status = read_json(runs_home() / row["id"] / "status.json")
    state = status.get("outcome") or "failed"
    reason = (
        status.get("outcome_reason") or "Its process was killed: resume goes on from where it was."
    )
    values = {"state": state, "reason": reason, "ended": time.time(), "pid": None}
    return store.move(row["id"], ("running",), **values)


def latest_checkpoint_step(folder: Path) -> int:
    """Return the step of the last complete checkpoint, or -1."""
    from ..training.loop.checkpoints import checkpoints, step_of

    return max(map(step_of, checkpoints(folder / "checkpoints")), default=-1)


def warm_up() -> None:
    """Import what every run needs. No tensor is touched: a fork may not inherit threads."""
    # Without this, asking whether there is a GPU would initialise CUDA, which no fork survives.
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from ..training.loop import warm

    warm.warm_up()


def write_record(beat: dict[str, Any]) -> None:
    """Write who the worker is, for those who look whether there is one."""
    started = process.start_time(os.getpid())
    write_atomic(runs_home() / "worker.json", json.dumps({**beat, "process_started": started}))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the worker, or with --train one run."""
    parser = argparse.ArgumentParser(prog="maskviz.runs.worker")
    parser.add_argument("--slots", type=int, default=os.environ.get("MASKVIZ_SLOTS", "1"))
    parser.add_argument("--idle-minutes", type=float, default=IDLE_MINUTES)
    parser.add_argument("--train", type=Path)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    if options.train:
        if "TORCHELASTIC_RUN_ID" in os.environ:
            end_with_leader()
        return train(options.train, options.threads)
    return _work(max(1, options.slots), options.idle_minutes)


def _work(slots: int, idle_minutes: float) -> int:
    lock, sources = WorkerLock(), Sources()
    while lock.acquire() or _takes_over(lock):
        write_record({"pid": os.getpid(), "heartbeat": time.time(), "slots": slots})
        warm_up()
        worker = Worker(slots, idle_minutes, sources)
        worker.run()
        if worker.outdated and not worker.stopping:
            _start_anew(slots, idle_minutes)
        # Whoever queued a run before the record went away counts on this worker: look once more.
        (runs_home() / "worker.json").unlink(missing_ok=True)
        lock.release()
        if worker.stopping or not worker.store.rows("queued"):
            break
    return 0


def _start_anew(slots: int, idle_minutes: float) -> None:
    """Become a worker with the code that is there now: the same process, the same record.

    The lock goes with the old one's files.
    """
    print(f"{time.strftime('%H:%M:%S')} The code has changed: starting anew.", flush=True)  # noqa: T201
    options = ["--slots", str(slots), "--idle-minutes", str(idle_minutes)]
    os.execv(sys.executable, [sys.executable, "-m", "maskviz.runs.worker", *options])  # noqa: S606


def _takes_over(lock: WorkerLock, seconds: float = 10.0) -> bool:
    """Wait for the lock of a worker that is dying: its threads may hold it a moment longer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        record = read_json(runs_home() / "worker.json")
        if process.is_alive(record.get("pid"), record.get("process_started")):
            return False  # a living one: there is never a second
        if lock.acquire():
            return True
        time.sleep(0.1)
    return False


if __name__ == "__main__":
    sys.exit(main())
