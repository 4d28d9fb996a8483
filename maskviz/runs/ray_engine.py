"""Runs on a Ray cluster, through Ray Jobs (extra `ray`).

The job runs the very entry point that the worker runs here, on the run's own folder: as in Ray
Train, that folder (MASKVIZ_HOME) must lie on storage that the cluster shares, such as NFS, so
progress, checkpoints and the model are written where they are looked for. Nobody has to stay
connected: whoever looks at the run asks Ray how it goes.

engine.json in the run's folder holds the address, what the job may use, and its id.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import MaskvizError, MissingDependencyError, RunError
from ..training.folder import ACTIVE, ENDED, Run, read_json, runs_home, update_json
from .store import Store

ADDRESS = "http://127.0.0.1:8265"
SILENCE_SECONDS = 180.0  # after which a run whose cluster is gone is given up
_ASK_SECONDS = 1.0
_asked: dict[str, float] = {}


class RayEngine:
    """Sends runs to a Ray cluster."""

    name = "ray"

    def submit(self, run: Run) -> None:
        """Send the queued run as a job; raises RunError where no cluster answers."""
        options = read_json(run.folder / "engine.json")
        update_json(run.folder / "status.json", outcome=None)
        cpus = options.get("num_cpus") or 1
        python = options.get("python") or "python"
        train = f"-m maskviz.runs.worker --train {shlex.quote(str(run.folder))} --threads"
        client = _client(options)
        with _answering(options):
            job = client.submit_job(
                entrypoint=f"{shlex.quote(python)} {train} {max(1, int(cpus))}",
                submission_id=f"{run.id}-{int(time.time())}",
                runtime_env={"env_vars": {"MASKVIZ_HOME": str(runs_home().parent)}},
                entrypoint_num_cpus=cpus,
                entrypoint_num_gpus=options.get("num_gpus") or None,
                metadata={"maskviz_run": run.id},
            )
        update_json(run.folder / "engine.json", job=job)
        Store().update(run.id, reason=f"Sent to Ray as job {job}.")

    def cancel(self, run: Run) -> None:
        """Ask Ray to stop the job: SIGTERM, a checkpoint, and the end."""
        options = read_json(run.folder / "engine.json")
        if options.get("job"):
            client = _client(options)
            with _answering(options):
                client.stop_job(options["job"])


def _client(options: dict[str, Any]) -> Any:
    try:
        from ray.job_submission import JobSubmissionClient
    except ImportError:
        raise MissingDependencyError(
            "The engine 'ray' needs Ray: pip install maskviz[ray], or leave --engine out."
        ) from None
    with _answering(options):
        return JobSubmissionClient(options.get("address") or ADDRESS)


@contextmanager
def _answering(options: dict[str, Any]) -> Iterator[None]:
    address = options.get("address") or ADDRESS
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        first = str(error).strip().splitlines()[0][:120]
        raise RunError(
            f"No Ray cluster answers at {address} ({first}): start it with 'ray start --head', or "
            "give --address."
        ) from None


def refresh(store: Store, row: dict[str, Any]) -> None:
    """Bring the row of a run on Ray up to date, asking the cluster at most once a second."""
    run_id = row["id"]
    folder = runs_home() / run_id
    status = read_json(folder / "status.json")
    if status.get("outcome") in ENDED:
        _end(store, run_id, status["outcome"], status.get("outcome_reason", ""))
        return
    options = read_json(folder / "engine.json")
    now = time.monotonic()
    if not options.get("job") or now - _asked.get(run_id, -9.0) < _ASK_SECONDS:
        return
    _asked[run_id] = now
    try:
        client = _client(options)
        said = str(client.get_job_status(options["job"]).value)
    except (MaskvizError, OSError, RuntimeError):
        heard = max(status.get("heartbeat") or 0.0, (folder / "engine.json").stat().st_mtime)
        if time.time() - heard > SILENCE_SECONDS:  # else what is known stays
            _ended_in_silence(store, row, options)
        return
    if said == "RUNNING" and row["state"] == "queued":
        store.update(run_id, state="running", reason="", started=time.time())
    elif said in ("STOPPED", "FAILED", "SUCCEEDED"):
        _ended_by_ray(store, row, folder, said, client.get_job_logs(options["job"]))


def _ended_in_silence(store: Store, row: dict[str, Any], options: dict[str, Any]) -> None:
    if row["cancel_requested"]:
        _end(store, row["id"], "cancelled", "Cancelled; resume goes on from its last checkpoint.")
        return
    address = options.get("address") or ADDRESS
    reason = (
        f"The Ray cluster at {address} is gone and the run has been silent for "
        f"{SILENCE_SECONDS / 60:.0f} minutes: start the cluster again, then resume."
    )
    _end(store, row["id"], "failed", reason)


def _ended_by_ray(store: Store, row: dict[str, Any], folder: Path, said: str, log: str) -> None:
    status = read_json(folder / "status.json")
    if status.get("outcome") in ENDED:  # written while Ray was asked
        _end(store, row["id"], status["outcome"], status.get("outcome_reason", ""))
        return
    with (folder / "log.txt").open("a", encoding="utf-8") as file:
        file.write(log[-20_000:])
    if said == "STOPPED" or row["cancel_requested"]:
        _end(store, row["id"], "cancelled", "Cancelled; resume goes on from its last checkpoint.")
        return
    last = next((line for line in reversed(log.splitlines()) if line.strip()), "no output")
    reason = (
        f"The Ray job ended without a result ({last.strip()[:120]}): MASKVIZ_HOME must lie on "
        "storage the cluster shares, and maskviz be installed there."
    )
    _end(store, row["id"], "failed", reason)


def _end(store: Store, run_id: str, state: str, reason: str) -> None:
    values = {"state": state, "reason": reason, "ended": time.time(), "cancel_requested": None}
    store.move(run_id, ACTIVE, **values)
