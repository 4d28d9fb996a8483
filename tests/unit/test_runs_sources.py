"""A worker under which the package is updated: it takes no run, hurts none, and starts anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maskviz.runs import sources as module
from maskviz.runs import worker
from maskviz.runs.sources import Sources
from maskviz.runs.store import Store
from maskviz.training import RunSpec
from maskviz.training.folder import new_folder


@pytest.fixture
def package(tmp_path) -> Path:
    folder = tmp_path / "package" / "part"
    folder.mkdir(parents=True)
    (folder / "module.py").write_text("a = 1\n")
    return folder.parent


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time that settling is counted in, to be set by hand."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def _update(package: Path) -> None:
    os.utime(package / "part" / "module.py", ns=(1, 1))


@pytest.mark.parametrize("change", ["other", "new", "gone"])
def test_files_that_are_others_are_noticed_and_counted_once_they_rest(package, clock, change):
    sources = Sources(package)
    assert not sources.changed()
    if change == "other":
        _update(package)
    elif change == "new":
        (package / "new.py").write_text("")
    else:
        (package / "part" / "module.py").unlink()
    assert sources.changed()
    assert not sources.settled()  # an installer may be at work
    clock[0] = 5.0
    assert sources.settled()


def test_what_python_itself_writes_is_no_change(package):
    sources = Sources(package)
    (package / "part" / "__pycache__").mkdir()
    (package / "part" / "__pycache__" / "module.cpython-311.pyc").write_bytes(b"")
    assert not sources.changed()


def test_an_outdated_worker_takes_no_run_and_ends_to_start_anew(package, clock, monkeypatch):
    monkeypatch.setattr(worker, "HEARTBEAT_SECONDS", 0.0)
    folder = new_folder(RunSpec.build(max_rows=100))
    Store().add(folder)
    host = worker.Worker(sources=Sources(package))
    _update(package)
    host.tick()
    assert Store().row(folder.name)["state"] == "queued"
    assert not host.outdated
    clock[0] = 5.0
    host.tick()
    assert host.outdated
    assert Store().row(folder.name)["state"] == "queued"


def test_a_run_in_training_is_let_alone(package, clock, monkeypatch):
    monkeypatch.setattr(worker, "HEARTBEAT_SECONDS", 0.0)
    folder = new_folder(RunSpec.build(max_rows=100))
    Store().add(folder, state="running")
    host = worker.Worker(slots=2, sources=Sources(package))
    own = worker.process.start_time(os.getpid())
    host.children[folder.name] = worker.Child(folder.name, os.getpid(), own, own=False)
    _update(package)
    host.tick()
    clock[0] = 5.0
    host.tick()
    assert not host.outdated
    assert folder.name in host.children


def test_it_starts_anew_with_its_own_settings(monkeypatch):
    monkeypatch.setattr(worker, "warm_up", lambda: None)
    monkeypatch.setattr(worker.Worker, "run", lambda self: setattr(self, "outdated", True))
    started = []
    monkeypatch.setattr(worker.os, "execv", lambda *call: started.append(call))
    worker.main(["--slots", "3", "--idle-minutes", "7"])
    ((_, command),) = started
    assert command[1:] == ["-m", "maskviz.runs.worker", "--slots", "3", "--idle-minutes", "7.0"]
