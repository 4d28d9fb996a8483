"""The worker: one at a time, and runs that survive a kill of theirs or of the worker's process.

All waits are for something to happen, with a limit far above what it takes; nothing here
depends on how fast the machine is.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maskviz import runs
from maskviz.runs import engines, process
from maskviz.runs.store import Store
from maskviz.training.folder import Run, read_json, runs_home
from tests.tiny_runs import tiny_spec

LIMIT = 240  # seconds; torch's import alone takes 5 to 20 of them on a busy machine
ENDLESS = 1_000_000


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    tiny_spec(folder)
    return folder


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory) -> Iterator[Path]:
    """One home, and so one warm worker, for all tests here; it is ended at the end."""
    home = tmp_path_factory.mktemp("worker")
    yield home
    record = read_json(home / "runs" / "worker.json")
    if process.is_alive(record.get("pid"), record.get("process_started")):
        os.kill(record["pid"], signal.SIGTERM)
        assert process.wait_gone(record["pid"], record["process_started"], LIMIT)
    for started in engines._started.values():
        started.wait(LIMIT)


@pytest.fixture(autouse=True)
def maskviz_home(shared_home, monkeypatch) -> Iterator[Path]:
    """Give each test the shared home; a run that a failed test leaves is cancelled."""
    monkeypatch.setenv("MASKVIZ_HOME", str(shared_home))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield shared_home
    for run in runs.list_runs():
        if not run.is_over:
            runs.cancel(run.id)
            _until(run.id, lambda r: r.is_over)


def _until(run_id: str, wanted: Callable[[Run], bool]) -> Run:
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        run = runs.load_run(run_id)
        if wanted(run):
            return run
        if run.state == "failed":
            break
        time.sleep(0.05)
    raise AssertionError(f"{run.state}: {run.reason}\n{run.log()}\n{engines.worker_log(30)}")


def _training(run: Run) -> bool:
    return run.state == "running" and bool(run.pid) and run.step > 5


def _worker() -> dict:
    assert runs.wait_for_worker(LIMIT), engines.worker_log(30)
    return read_json(runs_home() / "worker.json")


def test_a_run_goes_from_queued_to_done_while_nobody_looks(tiny):
    run = runs.submit(tiny_spec(tiny, max_steps=10))
    assert run.state == "queued"
    done = _until(run.id, lambda r: r.is_over)
    assert done.state == "done", done.reason
    assert done.reason.startswith("Accuracy")
    assert done.pid is None
    assert (done.model_path / "model.safetensors").is_file()


def test_a_second_worker_ends_at_once(tiny):
    before = _worker()
    first = engines._started.pop(runs_home())
    (runs_home() / "worker.json").rename(runs_home() / "worker.hidden")
    runs.ensure_worker()
    second = engines._started[runs_home()]
    assert second.wait(LIMIT) == 0
    assert process.is_alive(before["pid"], before["process_started"])
    (runs_home() / "worker.hidden").rename(runs_home() / "worker.json")
    engines._started[runs_home()] = first


def test_cancel_keeps_a_checkpoint_and_leaves_no_process(tiny):
    run = runs.submit(tiny_spec(tiny, max_steps=ENDLESS))
    running = _until(run.id, _training)
    waiting = runs.submit(tiny_spec(tiny, max_steps=ENDLESS))
    assert runs.load_run(waiting.id).state == "queued"  # one slot
    assert runs.cancel(waiting.id).state == "cancelled"
    runs.cancel(run.id)
    ended = _until(run.id, lambda r: r.is_over)
    assert (ended.state, ended.pid) == ("cancelled", None)
    assert f"step {ended.step}" in ended.reason
    assert (ended.folder / "checkpoints" / f"checkpoint-{ended.step}").is_dir()
    assert not process.is_alive(running.pid, running.process_started)
    resumed = runs.resume(run.id)
    again = _until(resumed.id, lambda r: _training(r) and r.step > ended.step)
    assert f"goes on from step {ended.step}" in again.log()
    runs.cancel(run.id)
    _until(run.id, lambda r: r.is_over)
    runs.delete(run.id)


def test_a_killed_run_goes_on_from_its_last_checkpoint(tiny):
    run = runs.submit(tiny_spec(tiny, max_steps=ENDLESS))
    running = _until(run.id, _training)
    os.kill(running.pid, signal.SIGKILL)
    again = _until(run.id, lambda r: _training(r) and "goes on from step" in r.log())
    assert again.pid != running.pid
    runs.cancel(run.id)
    assert _until(run.id, lambda r: r.is_over).state == "cancelled"


def test_a_run_outlives_a_killed_worker_and_the_next_one_takes_it_over(tiny):
    run = runs.submit(tiny_spec(tiny, max_steps=ENDLESS))
    running = _until(run.id, _training)
    first = _worker()
    os.kill(first["pid"], signal.SIGKILL)
    engines._started[runs_home()].wait(LIMIT)
    assert process.wait_gone(first["pid"], first["process_started"], LIMIT)
    assert _until(run.id, lambda r: r.step > running.step).pid == running.pid
    # As if it had been killed right after the fork, before it wrote the process down.
    Store().update(run.id, pid=None, process_started=None)
    runs.ensure_worker()
    assert _worker()["pid"] != first["pid"]
    assert _until(run.id, lambda r: bool(r.pid)).pid == running.pid
    runs.cancel(run.id)
    ended = _until(run.id, lambda r: r.is_over)
    assert ended.state == "cancelled"
    assert not process.is_alive(running.pid, running.process_started)


def test_a_run_whose_process_died_with_its_worker_goes_on(tiny):
    run = runs.submit(tiny_spec(tiny, max_steps=ENDLESS))
    running = _until(run.id, _training)
    first = _worker()
    os.kill(first["pid"], signal.SIGKILL)
    os.kill(running.pid, signal.SIGKILL)
    engines._started[runs_home()].wait(LIMIT)
    runs.ensure_worker()
    again = _until(run.id, lambda r: _training(r) and "goes on from step" in r.log())
    assert again.pid != running.pid
    runs.cancel(run.id)
    _until(run.id, lambda r: r.is_over)


def test_a_run_that_fails_says_why_and_the_next_one_starts(tiny, tmp_path):
    rows = "fine words,a\n" * 60 + "more words,b\n"
    (tmp_path / "late.csv").write_text("text,label\n" + rows)
    bad = runs.submit(tiny_spec(tiny, path=str(tmp_path / "late.csv")))
    good = runs.submit(tiny_spec(tiny, max_steps=2))
    failed = runs.wait(bad.id, LIMIT)
    assert failed.state == "failed"
    assert failed.reason.startswith("The label 'b' occurs once (row 61)")
    assert _until(good.id, lambda r: r.is_over).state == "done"
