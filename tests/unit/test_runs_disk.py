"""A full disk: a sentence at every door, a run that ends as failed, a worker that goes on."""

from __future__ import annotations

import errno
import os
import time

import pytest

from maskviz import runs
from maskviz.errors import DiskFullError, RunError, StoreError
from maskviz.paths import write_atomic
from maskviz.runs import worker
from maskviz.runs.store import Store
from maskviz.training import RunSpec
from maskviz.training.folder import new_folder, read_json, runs_home
from maskviz.training.loop import execute
from maskviz.training.loop.recorder import Recorder

NO_SPACE = OSError(errno.ENOSPC, "No space left on device")


def _refuse(*_: object, **__: object) -> None:
    raise NO_SPACE


@pytest.fixture
def queued(monkeypatch) -> str:
    """A run in the queue, which no worker of another process takes."""
    monkeypatch.setattr("maskviz.runs.engines.ensure_worker", lambda: None)
    folder = new_folder(RunSpec.build(name="disk"))
    Store().add(folder)
    return folder.name


def test_a_file_without_room_keeps_what_it_was_and_leaves_no_half(tmp_path, monkeypatch):
    path = tmp_path / "status.json"
    write_atomic(path, "before")
    monkeypatch.setattr(os, "fsync", _refuse)
    with pytest.raises(DiskFullError, match=r"The disk is full \([\d,]+ MB free\): make room"):
        write_atomic(path, "after")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("status.json", "before")]


def test_a_store_that_refuses_has_a_sentence(queued, monkeypatch):
    (runs_home() / "runs.sqlite").unlink()
    (runs_home() / "runs.sqlite").mkdir()
    with pytest.raises(StoreError, match=r"cannot be used .*: see whether runs\.sqlite can be"):
        runs.list_runs()
    monkeypatch.setattr("maskviz.runs.store.is_full", lambda _: True)
    with pytest.raises(DiskFullError, match="The disk is full"):
        runs.list_runs()


def test_a_run_that_cannot_write_its_last_words_makes_room_and_ends(queued, monkeypatch):
    folder = runs_home() / queued
    half = folder / "checkpoints" / ".staging"
    half.mkdir(parents=True)
    monkeypatch.setattr(execute, "prepare", _refuse)
    assert execute.execute(folder) == "failed"
    assert not half.exists()
    assert "disk is full" in read_json(folder / "status.json")["outcome_reason"]
    monkeypatch.setattr(Recorder, "update", _refuse)
    assert execute.execute(folder) == "failed"


def test_what_ended_on_a_full_disk_is_failed_once_there_is_room_to_say_so(queued, monkeypatch):
    started = []

    def dies(*_: object) -> int:
        started.append(os.fork())
        return started[-1] or os._exit(1)

    monkeypatch.setattr(worker, "fork", dies)
    monkeypatch.setattr(worker, "RETRY_SECONDS", 0.01)
    host, open_store = worker.Worker(), Store._write
    host.tick()
    assert runs.load_run(queued).state == "running"

    monkeypatch.setattr(Store, "_write", _refuse)
    monkeypatch.setattr(worker, "is_full", lambda _: True)
    end = time.monotonic() + 60
    while host.children and time.monotonic() < end:
        host.tick()
    host.tick()
    assert host.stuck

    monkeypatch.setattr(Store, "_write", open_store)
    monkeypatch.setattr(worker, "is_full", lambda _: False)
    host.tick()
    ended = runs.load_run(queued)
    assert (ended.state, ended.pid, host.stuck) == ("failed", None, False)
    assert ended.reason.startswith("The disk is full")
    assert ended.reason.endswith("then resume.")

    runs.resume(queued)
    host.tick()
    assert len(started) == 2
    os.waitpid(started[1], 0)


def test_a_store_error_is_one_that_a_person_can_act_on():
    assert issubclass(StoreError, RunError)
    assert issubclass(DiskFullError, OSError)  # whoever writes and heeds OSError heeds it too
