"""SIGKILL a run again and again: does it resume, and is it as if nothing had happened?

    python benchmarks/reliability.py                  # 50 kills, about 5 minutes on 2 idle cores
    python benchmarks/reliability.py --kills 10 --daemon-kills 1

The same small run is trained once undisturbed and then under fire. Runs are killed at random
moments drawn from a seed; every third kill waits for a checkpoint that is being written. Worker
and the process that queued the run are killed as well. After each kill: the store must be whole
(SQLite's own integrity check), and every checkpoint complete, all of its tensors readable. At the
end: the same weights bit by bit, the same metrics, and no process left that belongs to this home.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
PATIENCE = 600.0  # seconds for anything to happen; a guard, not a measurement
KILLS_A_RUN = 5
FILES = ("model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json")


def until(what: str, happened: Callable[[], Any]) -> Any:
    """Wait until it has happened and return what it gave."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := happened():
            return found
        time.sleep(0.002)
    raise SystemExit(f"Waited {PATIENCE:.0f} s for {what}.")


class Range:
    """One home with its worker and its runs."""

    def __init__(self, folder: Path, steps: int, seed: int) -> None:
        from tests.tiny_runs import tiny_spec

        self.home = folder / "home"
        os.environ["MASKVIZ_HOME"] = str(self.home)
        self.spec = tiny_spec(folder, max_steps=steps, save_steps=5, eval_steps=20)
        self.rng = random.Random(seed)  # noqa: S311 - repeatable
        self.faults: list[str] = []
        self.in_writing = 0
        self.longest = 1.0  # seconds from a process's start to its kill

    # killing ----------------------------------------------------------------------------------

    def shoot(self, run_id: str, in_writing: bool) -> bool:
        """Kill the run's process at a random moment; tell whether it was still there to be hit."""
        from maskviz import runs

        def target() -> Any:
            run = runs.load_run(run_id)
            return run if run.is_over or (run.state == "running" and run.pid) else None

        run = until("a process to kill", target)
        if run.is_over:
            return False
        staging = run.folder / "checkpoints" / ".staging"
        if in_writing:
            until("a checkpoint or the end", lambda: staging.exists() or _over(run_id))
        else:
            time.sleep(self.rng.uniform(0.0, self.longest))
        hit = staging.exists()
        try:
            os.killpg(run.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return False
        self.in_writing += hit
        until("the kill to be noticed", lambda: runs.load_run(run_id).pid != run.pid)
        self.inspect(run.folder)
        return True

    def kill_worker(self) -> None:
        """Kill the worker; the next one takes its runs over."""
        from maskviz import runs
        from maskviz.training.folder import read_json, runs_home

        record = until("a worker", lambda: read_json(runs_home() / "worker.json"))
        os.kill(record["pid"], signal.SIGKILL)
        until("the worker's end", lambda: not runs.worker_alive())
        self.inspect(None)
        runs.ensure_worker()
        until("the next worker", runs.worker_alive)

    def kill_app(self) -> str:
        """Let a process queue a run, as the app does, and kill it; return the run."""
        toml = self.home / "app.toml"
        toml.write_text(self.spec.to_toml())
        code = (
            "import sys, time; from maskviz import runs; from maskviz.training import RunSpec;"
            "print(runs.submit(RunSpec.from_file(sys.argv[1])).id, flush=True); time.sleep(600)"
        )
        app = subprocess.Popen(
            [sys.executable, "-c", code, str(toml)], stdout=subprocess.PIPE, text=True,
            start_new_session=True, cwd=ROOT,
        )  # fmt: skip
        run_id = app.stdout.readline().strip()
        os.killpg(app.pid, signal.SIGKILL)
        app.wait()
        return run_id

    # looking ----------------------------------------------------------------------------------

    def inspect(self, folder: Path | None) -> None:
        """Note what is broken: the store, or a checkpoint."""
        with sqlite3.connect(self.home / "runs" / "runs.sqlite", timeout=30) as connection:
            said = connection.execute("PRAGMA integrity_check").fetchone()[0]
        connection.close()
        if said != "ok":
            self.faults.append(f"store: {said}")
        for checkpoint in (folder / "checkpoints").glob("checkpoint-*") if folder else ():
            try:
                _read(checkpoint)
            except FileNotFoundError as error:
                if checkpoint.exists():  # else it was old and taken away just now
                    self.faults.append(f"{checkpoint.name}: {error}")
            except (OSError, ValueError, KeyError) as error:
                self.faults.append(f"{checkpoint.name}: {error}")

    def end(self) -> list[int]:
        """End the worker; return the processes that are still there."""
        import psutil

        from maskviz.training.folder import read_json, runs_home

        record = read_json(runs_home() / "worker.json")
        if record.get("pid"):
            os.kill(record["pid"], signal.SIGTERM)
        mine = f"MASKVIZ_HOME={self.home}"

        def left() -> list[int]:
            found = []
            for process in psutil.process_iter(["pid"]):
                try:
                    home = process.environ().get("MASKVIZ_HOME")
                    zombie = process.status() == psutil.STATUS_ZOMBIE
                except psutil.Error:
                    continue
                if f"MASKVIZ_HOME={home}" == mine and process.pid != os.getpid() and not zombie:
                    found.append(process.pid)
            return found

        end = time.monotonic() + 60
        while left() and time.monotonic() < end:
            time.sleep(0.2)
        return left()


def _over(run_id: str) -> bool:
    from maskviz import runs

    return runs.load_run(run_id).is_over


def _read(checkpoint: Path) -> None:
    import torch
    from safetensors.numpy import load_file

    for name in FILES:
        path = checkpoint / name
        if not path.stat().st_size:
            raise ValueError(f"{name} is empty")
    load_file(checkpoint / "model.safetensors")
    json.loads((checkpoint / "trainer_state.json").read_text())
    torch.load(checkpoint / "optimizer.pt", weights_only=True)


def same(one: Any, other: Any) -> bool:
    """Tell whether two runs have the same weights bit by bit, the same curve and figures."""
    a, b = ((run.model_path / "model.safetensors").read_bytes() for run in (one, other))
    clocks = ("seconds", "time", "tokens_per_second", "device_use")
    curves = [
        [{k: v for k, v in line.items() if k not in clocks} for line in run.history]
        for run in (one, other)
    ]
    return a == b and curves[0] == curves[1] and one.metrics == other.metrics


def main() -> None:
    """Fire, look and print; the exit status is 1 where anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--daemon-kills", type=int, default=5)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        sys.exit(fire(Range(Path(name), options.steps, options.seed), options))


def fire(place: Range, options: argparse.Namespace) -> int:
    """Run the whole trial; return the exit status."""
    from maskviz import runs

    began = time.monotonic()
    whole = runs.wait(runs.submit(place.spec).id, PATIENCE)
    place.longest = (whole.ended - whole.started) / 3
    hits = daemon = done = equal = trials = 0
    try:
        while hits < options.kills or daemon < options.daemon_kills:
            run_id = place.kill_app() if trials == 0 else runs.submit(place.spec).id
            trials += 1
            for _ in range(min(KILLS_A_RUN, options.kills - hits)):
                hits += place.shoot(run_id, in_writing=hits % 3 == 2)
            if daemon < options.daemon_kills and not _over(run_id):
                place.kill_worker()
                daemon += 1
            run = runs.wait(run_id, PATIENCE)
            done += run.state == "done"
            equal += run.state == "done" and same(whole, run)
            print(f"{hits:>3} kills  {run.state:<9} {run.attempts} starts  {run.reason[:60]}")
    finally:
        left = place.end()
    print(
        f"\n{hits} kills of runs ({place.in_writing} while a checkpoint was written), {daemon} of "
        f"the worker, 1 of the app: {done} of {trials} runs ended, {equal} of {trials} with the "
        f"weights and metrics of the undisturbed run; faults in store or checkpoints: "
        f"{len(place.faults)}; processes left: {len(left)}; {time.monotonic() - began:.0f} s."
    )
    for fault in place.faults:
        print(f"  {fault}")
    return int(not (done == equal == trials) or bool(place.faults or left))


if __name__ == "__main__":
    main()
