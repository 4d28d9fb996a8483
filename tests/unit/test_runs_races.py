"""What two people, two processes or a kill at the wrong moment could do to the queue."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maskviz.errors import MaskvizError, RunError, StoreError
from maskviz.paths import home
from maskviz.runs import engines, launch, process, worker
from maskviz.runs.service import cancel, delete, list_runs, load_run, resume
from maskviz.runs.store import Store
from maskviz.training import RunSpec
from maskviz.training.folder import new_folder, runs_home

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    monkeypatch.setattr("maskviz.runs.engines.ensure_worker", lambda: None)


@pytest.fixture
def watcher(monkeypatch) -> worker.Worker:
    """A worker whose loop the test turns, and which starts no process."""
    monkeypatch.setattr(worker, "fork", lambda folder, threads: 2**22)
    return worker.Worker()


def _added(state: str = "queued", **values) -> str:
    folder = new_folder(RunSpec.build(name="run"))
    Store().add(folder, state, **values)
    return folder.name


def _meanwhile(monkeypatch, action) -> None:
    """Let something happen between a look at the state of a run and what it leads to."""
    look = Store.must_be

    def must_be(self, *args):
        row = look(self, *args)
        monkeypatch.setattr(Store, "must_be", look)
        action(self)
        return row

    monkeypatch.setattr(Store, "must_be", must_be)


def test_a_run_that_two_people_resume_starts_once(monkeypatch):
    run_id = _added("failed")
    _meanwhile(monkeypatch, lambda store: (resume(run_id), store.claim()))
    assert resume(run_id).state == "running"  # as the other's resume left it


def test_a_run_that_is_resumed_while_it_is_deleted_stays(monkeypatch):
    run_id = _added("cancelled")
    _meanwhile(monkeypatch, lambda store: resume(run_id))
    with pytest.raises(RunError, match="is queued: only"):
        delete(run_id)
    assert load_run(run_id).state == "queued"


def test_a_folder_that_cannot_be_moved_keeps_its_run(monkeypatch):
    run_id = _added("done")

    def refuse(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(RunError, match="cannot be deleted: Permission denied"):
        delete(run_id)
    assert load_run(run_id).state == "done"


def test_a_run_that_ends_while_it_is_cancelled_has_no_request_left(monkeypatch):
    run_id = _added("running")
    _meanwhile(monkeypatch, lambda store: store.update(run_id, state="done"))
    run = cancel(run_id)
    assert (run.state, run.cancel_requested) == ("done", None)


def test_a_cancel_that_comes_as_a_killed_run_is_queued_again_is_not_lost(watcher, monkeypatch):
    run_id = _added()
    monkeypatch.setattr(watcher, "_has_ended", lambda child: True)
    watcher.tick()  # starts it
    after = watcher._after_a_kill

    def slowly(row, out_of_memory):
        cancel(run_id)
        return after(row, out_of_memory)

    monkeypatch.setattr(watcher, "_after_a_kill", slowly)
    watcher.tick()  # finds it dead and starts it anew
    assert load_run(run_id).cancel_requested
    watcher.tick()
    run = load_run(run_id)
    assert (run.state, run.cancel_requested) == ("cancelled", None)


def test_a_run_whose_folder_somebody_adopts_before_it_is_queued_is_queued():
    folder = new_folder(RunSpec())
    assert [run.state for run in list_runs()] == ["failed"]  # no row, so it was never started
    Store().add(folder)
    assert load_run(folder.name).state == "queued"


def test_a_folder_taken_away_by_hand_holds_up_neither_the_queue_nor_the_list(watcher, monkeypatch):
    gone, fine = _added(created=1.0), _added(created=2.0)
    shutil.rmtree(runs_home() / gone)
    watcher.tick()
    assert [(run.id, run.state) for run in list_runs()] == [(fine, "running")]
    assert not (runs_home() / gone).exists()
    assert Store().row(gone)["reason"].endswith("is gone: start a new run.")


def test_a_folder_that_cannot_be_written_ends_its_run_alone(watcher, monkeypatch):
    locked, fine = _added(created=1.0), _added(created=2.0)
    monkeypatch.setattr(
        launch.os, "access", lambda path, mode: Path(path).name != locked, raising=True
    )
    watcher.tick()
    assert "cannot be written" in load_run(locked).reason
    assert (load_run(locked).state, load_run(fine).state) == ("failed", "running")


def test_a_child_that_the_system_reaped_has_ended(watcher):
    assert watcher._has_ended(worker.Child("run", 2**22, 1.0, own=True))


def test_a_damaged_database_has_a_sentence_and_is_made_anew_once_it_is_gone():
    run_id = _added("done")
    for path in runs_home().glob("runs.sqlite*"):
        path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(StoreError, match="made anew from the runs' folders"):
        list_runs()
    for path in runs_home().glob("runs.sqlite*"):
        path.unlink()
    assert load_run(run_id).state == "done"


def test_a_spec_that_is_none_any_more_keeps_no_other_run_from_being_listed_or_deleted():
    broken, fine = _added("done"), _added("done")
    (runs_home() / broken / "spec.toml").write_text("task = [")
    assert load_run(broken).to_dict()["spec"] == {}
    delete(fine)
    delete(broken)
    assert list_runs() == []


def test_the_clock_of_the_machine_changes_no_process(monkeypatch):
    started = process.start_time(os.getpid())
    monkeypatch.setattr("psutil.boot_time", lambda: 5.0)
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: 5.0, raising=False)
    assert process.is_alive(os.getpid(), started)


def test_a_run_whose_data_has_gone_is_refused_when_it_is_resumed(tmp_path):
    table = tmp_path / "rows.csv"
    table.write_text("text,label\na b,x\nc d,y\n")
    folder = new_folder(RunSpec.build(path=str(table)))
    Store().add(folder, "cancelled")
    table.unlink()
    with pytest.raises(MaskvizError, match="no file"):
        resume(folder.name)
    assert load_run(folder.name).state == "cancelled"


def test_a_home_named_from_the_working_folder_is_the_workers_too(tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MASKVIZ_HOME", "mine")
    asked: dict = {}
    monkeypatch.setattr(
        engines.subprocess, "Popen", lambda command, **options: asked.update(options)
    )
    monkeypatch.setattr(engines, "_started", {})
    engines.ensure_worker()
    assert asked["env"]["MASKVIZ_HOME"] == str(home()) == str(tmp_path / "mine")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX")
def test_a_process_of_several_ends_with_its_leader(tmp_path):
    code = (
        "import os, sys, time, subprocess\n"
        "if len(sys.argv) > 1:\n"
        "    from maskviz.runs.launch import end_with_leader\n"
        "    end_with_leader(); print(os.getpid(), flush=True); time.sleep(600)\n"
        "subprocess.run([sys.executable, __file__, 'member'], start_new_session=True)\n"
    )
    script = tmp_path / "leader.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as leader:
        member = int(leader.stdout.readline())
        started = process.start_time(member)
        leader.send_signal(signal.SIGKILL)
    assert process.wait_gone(member, started, 60)
