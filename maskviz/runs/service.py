"""What the doors call: submit, list, find, cancel, resume, clone and delete runs."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..data.uploads import forget
from ..errors import MaskvizError, RunError
from ..training.folder import (
    ACTIVE,
    ENDED,
    Run,
    folders,
    new_folder,
    read_run,
    run_folder,
    runs_home,
    update_json,
)
from . import engines, process
from .engines import Engine, engine
from .ray_engine import refresh
from .store import Store, available

if TYPE_CHECKING:
    from pathlib import Path

    from ..training.spec.spec import RunSpec


def submit(
    spec: RunSpec, engine_name: str = "local", parent: str | None = None, **options: Any
) -> Run:
    """Check the spec's data and model, put the run into the queue and return it.

    `options` are the engine's: `processes` of `local`; `address`, `num_cpus`, `num_gpus` and
    `python` of `ray`. Raises the error that training would, before anything is started.

    >>> submit(RunSpec.build(max_steps=10)).state       # doctest: +SKIP
    'queued'
    """
    from ..training.check import preflight
    from ..training.estimate import require_memory

    chosen = engine(engine_name)
    spec = _absolute(spec)
    preflight(spec)
    if engine_name == "local":
        require_memory(spec)
    store = Store()
    folder = new_folder(spec)
    if given := {name: value for name, value in options.items() if value is not None}:
        update_json(folder / "engine.json", **given)
    store.add(folder, engine=engine_name, parent=parent)
    _send(chosen, store, folder.name)
    return store.run(folder.name)


def _send(chosen: Engine, store: Store, run_id: str) -> None:
    try:
        chosen.submit(store.run(run_id))
    except MaskvizError as error:
        ended = {"state": "failed", "reason": str(error), "ended": time.time()}
        store.update(run_id, **ended)
        raise


def _absolute(spec: RunSpec) -> RunSpec:
    from pathlib import Path

    model = Path(spec.model).expanduser()
    named = str(model.resolve()) if model.is_dir() and os.sep in spec.model else spec.model
    return replace(spec, data=spec.data.located(Path.cwd()), model=named)


def begin_foreground(spec: RunSpec) -> Path:
    """Make a run that this process trains itself; return its folder."""
    folder = new_folder(_absolute(spec))
    own = os.getpid()
    values: dict[str, Any] = {"state": "running", "engine": "foreground", "started": time.time()}
    values |= {"pid": own, "process_started": process.start_time(own), "attempts": 1}
    if available():
        Store().add(folder, **values)
    else:
        update_json(folder / "state.json", created=time.time(), **values)
    return folder


def end_foreground(folder: Path, state: str, reason: str) -> Run:
    """Write down how a run in the foreground ended."""
    values = {"state": state, "reason": reason, "ended": time.time(), "pid": None}
    if available():
        Store().update(folder.name, **values)
    else:
        update_json(folder / "state.json", **values)
    return read_run(folder)


def load_run(run_id: str) -> Run:
    """Find a run by its id or an unambiguous beginning of it; raises RunError.

    >>> load_run("names-hidden-1123-101500-ab12").state     # doctest: +SKIP
    'done'
    """
    run_id = _whole_id(run_id)
    if not available():
        return read_run(run_folder(run_id))
    store = Store()
    _look_after(store, store.row(run_id))
    return store.run(run_id)


def _look_after(store: Store, row: dict[str, Any]) -> None:
    """Bring a row up to date; where the worker that watches over it is gone, start the next."""
    _refresh(store, row)
    waits = row["engine"] == "local" and row["state"] not in ENDED
    if waits and not engines.worker_alive():
        engines.ensure_worker()


def _refresh(store: Store, row: dict[str, Any]) -> None:
    """Ask Ray how a run goes; one in the foreground whose process is gone has failed."""
    from .worker import fail_if_gone

    if row["state"] in ENDED:
        return
    if row["engine"] == "ray":
        refresh(store, row)
    elif row["engine"] == "foreground":
        fail_if_gone(store, row)


def _whole_id(run_id: str) -> str:
    if (runs_home() / run_id / "spec.toml").is_file():
        return run_id
    found = [path.name for path in folders() if path.name.startswith(run_id)] if run_id else []
    if len(found) > 1:
        raise RunError(
            f"{len(found)} runs begin with {run_id!r}: write more of the name, such as "
            f"{max(found)!r}."
        )
    return found[0] if found else run_id


def list_runs() -> list[Run]:
    """Return all runs, newest first; those in the foreground that died without a word have failed.

    Without SQLAlchemy the folders alone are read.
    """
    if not available():
        return sorted((read_run(folder) for folder in folders()), key=lambda run: -run.created)
    store = Store()
    for row in store.rows(*ACTIVE):
        _look_after(store, row)
    return store.runs()


def cancel(run_id: str) -> Run:
    """Cancel a run: one that waits at once, one that trains after it wrote a checkpoint."""
    run_id, store = _found(run_id)
    store.must_be(run_id, ACTIVE, "can be cancelled")
    ended = {"state": "cancelled", "reason": "Cancelled before it started.", "ended": time.time()}
    sent = store.row(run_id)["engine"] == "ray"
    if not sent and store.move(run_id, ("queued",), **ended):
        return store.run(run_id)
    asked = store.move(run_id, ACTIVE, cancel_requested=time.time())
    run = store.run(run_id)
    if asked:  # else it ended just now
        engines.cancel(run)
    return run


def resume(run_id: str) -> Run:
    """Queue a failed or cancelled run again; it goes on from its last complete checkpoint."""
    from ..training.check import preflight

    run_id, store = _found(run_id)
    ended = ("failed", "cancelled")
    row = store.must_be(run_id, ended, "can be resumed")
    preflight(read_run(run_folder(run_id)).spec)
    name = "ray" if row["engine"] == "ray" else "local"
    values = {"state": "queued", "reason": "", "ended": None, "cancel_requested": None}
    if store.move(run_id, ended, engine=name, attempts=0, pid=None, **values):
        _send(engine(name), store, run_id)  # else somebody else was faster
    return store.run(run_id)


def clone(run_id: str, **changes: Any) -> Run:
    """Submit a new run with the settings of another, some of them changed by their flat names."""
    run_id = _whole_id(run_id)
    spec = read_run(run_folder(run_id)).spec
    return submit(spec.changed(**changes) if changes else spec, parent=run_id)


def delete(run_id: str) -> None:
    """Delete a run that has ended, with its tuned model, and its upload if no other run uses it."""
    run_id, store = _found(run_id)
    store.must_be(run_id, ENDED, "can be deleted")
    data = _data_of(run_folder(run_id))
    # Renamed first: a half deleted folder is no run any more.
    doomed = runs_home() / f".deleted-{run_id}"
    try:
        removed = store.remove(run_id, ENDED, doomed)
    except OSError as error:
        raise RunError(f"The folder of {run_id!r} cannot be deleted: {error.strerror}.") from None
    if not removed:  # resumed just now
        store.must_be(run_id, ENDED, "can be deleted")
    shutil.rmtree(doomed, ignore_errors=True)
    if data and not any(_data_of(other) == data for other in folders()):
        forget(data)


def _data_of(folder: Path) -> str:
    """Return the path of a run's data; empty where its spec is none any more."""
    try:
        return read_run(folder).spec.data.path
    except MaskvizError:
        return ""


def _found(run_id: str) -> tuple[str, Store]:
    """Return the whole id of a run and the store, what it says of the run brought up to date."""
    run_id, store = _whole_id(run_id), Store()
    _refresh(store, store.row(run_id))
    return run_id, store


def wait(run_id: str, seconds: float = 3600, poll: float = 0.2) -> Run:
    """Wait until the run has ended, or the time is over, and return it."""
    end = time.monotonic() + seconds
    run = load_run(run_id)
    while not run.is_over and time.monotonic() < end:
        time.sleep(poll)
        run = load_run(run_id)
    return run
