"""The store: states move one way, folders are the truth, bad ids get a sentence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from maskviz import runs
from maskviz.data.uploads import keep
from maskviz.errors import DataError, MaskvizError, ModelNotFoundError, RunError, UnknownNameError
from maskviz.runs import process
from maskviz.runs.lock import WorkerLock
from maskviz.runs.service import cancel, clone, delete, list_runs, load_run, resume, submit
from maskviz.runs.store import Store
from maskviz.training import RunSpec
from maskviz.training.folder import new_folder, read_metrics, read_run, run_folder, runs_home, tail


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    """Leave the queue alone: these tests look at the store."""
    monkeypatch.setattr("maskviz.runs.engines.ensure_worker", lambda: None)


def _queued(name: str = "run", **values) -> str:
    folder = new_folder(RunSpec.build(name=name))
    Store().add(folder, **values)
    return folder.name


def test_a_new_run_waits_and_is_found_by_the_beginning_of_its_name():
    run_id = _queued("Names hidden!")
    assert run_id.startswith("names-hidden-")
    run = load_run("names-hid")
    assert (run.id, run.state, run.is_over) == (run_id, "queued", False)
    assert run.spec == RunSpec.build(name="Names hidden!")
    assert [r.id for r in list_runs()] == [run_id]


def test_claim_takes_the_oldest_and_each_once():
    first, second = _queued(created=1.0), _queued(created=2.0)
    store = Store()
    assert store.claim()["id"] == first
    assert store.claim()["id"] == second
    assert store.claim() is None
    assert load_run(first).state == "running"


def test_many_threads_claim_without_two_taking_the_same():
    ids = {_queued() for _ in range(12)}
    taken: list[str] = []

    def work() -> None:
        store = Store()
        while row := store.claim():
            taken.append(row["id"])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(ids)


def test_cancel_before_the_start_is_at_once_and_only_once():
    run_id = _queued()
    assert cancel(run_id).reason == "Cancelled before it started."
    with pytest.raises(RunError, match="is cancelled: only queued or running"):
        cancel(run_id)


def test_resume_puts_back_what_ended_badly_and_nothing_else():
    run_id = _queued()
    with pytest.raises(RunError, match="is queued: only failed or cancelled"):
        resume(run_id)
    cancel(run_id)
    assert resume(run_id).state == "queued"


def test_delete_takes_the_folder_and_the_row_of_a_run_that_ended():
    run_id = _queued()
    with pytest.raises(RunError, match="only done or failed or cancelled"):
        delete(run_id)
    cancel(run_id)
    delete(run_id)
    assert list_runs() == []
    assert not (runs_home() / run_id).exists()


def test_an_upload_goes_with_the_last_run_that_uses_it_a_users_own_file_never(tmp_path):
    upload = keep(b"text,label\na,1\n", "../my rows.csv")
    own = tmp_path / "own.csv"
    own.write_text("text,label\n")
    ids = []
    for path in (upload, upload, own):
        folder = new_folder(RunSpec.build(path=str(path)))
        Store().add(folder, state="done")
        ids.append(folder.name)
    delete(ids[0])
    assert upload.is_file()
    delete(ids[1])
    delete(ids[2])
    assert not upload.exists()
    assert own.is_file()


def test_clone_keeps_the_settings_but_those_changed(tmp_path):
    from tests.tiny_runs import tiny_spec

    folder = new_folder(tiny_spec(tmp_path))
    Store().add(folder)
    copy = clone(folder.name, seed=5)
    assert copy.parent == folder.name
    assert copy.spec.seed == 5
    assert copy.spec.training == load_run(folder.name).spec.training


def test_a_lost_database_is_made_again_from_the_folders():
    run_id = _queued()
    cancel(run_id)
    for path in runs_home().glob("runs.sqlite*"):
        path.unlink()
    assert [(r.id, r.state, r.reason) for r in list_runs()] == [
        (run_id, "cancelled", "Cancelled before it started.")
    ]


def test_a_run_made_without_the_store_is_adopted():
    folder = new_folder(RunSpec())
    (folder / "state.json").write_text(json.dumps({"state": "done", "created": 5.0}))
    assert [(r.id, r.state, r.created) for r in list_runs()] == [(folder.name, "done", 5.0)]


def test_a_foreground_run_whose_process_is_gone_is_failed_with_a_next_step():
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    values = {"engine": "foreground", "pid": int(gone.stdout), "process_started": 1.0}
    run_id = _queued(state="running", **values)
    other = _queued(state="running", **values)
    assert (load_run(run_id).state, list_runs()[0].state) == ("failed", "failed")
    assert "resume" in load_run(run_id).reason
    third = _queued(state="running", **values)
    with pytest.raises(RunError, match="is failed: only queued or running"):
        cancel(third)
    assert [resume(i).state for i in (other, third)] == ["queued", "queued"]


def test_cancel_asks_the_process_that_trains_in_the_foreground_to_stop():
    code = "import time; print('up', flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as training:
        training.stdout.readline()
        started = process.start_time(training.pid)
        where = {"engine": "foreground", "pid": training.pid, "process_started": started}
        assert cancel(_queued(state="running", **where)).state == "running"
        assert training.wait(60) == -signal.SIGTERM


@pytest.mark.parametrize("engine", ["foreground", "moon"])
def test_nothing_is_sent_where_nobody_trains_it(engine):
    with pytest.raises(UnknownNameError, match=f"{engine}': choose one of local, ray"):
        submit(RunSpec(), engine)
    assert list_runs() == []


@pytest.mark.parametrize("run_id", ["nowhere", "", "../../etc", "a/b", ".", "x" * 200])
def test_an_unknown_run_gets_one_sentence(run_id):
    for action in (load_run, cancel, resume, delete):
        with pytest.raises(RunError, match=r"There is no run .*runs list"):
            action(run_id)


def test_an_ambiguous_beginning_names_one_of_them():
    _queued("twin"), _queued("twin")
    with pytest.raises(RunError, match="2 runs begin with 'twin'"):
        load_run("twin")


def test_submit_refuses_what_cannot_start(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\na,1\n")
    with pytest.raises(DataError, match="no column 'body'"):
        runs.submit(RunSpec.build(path=str(tmp_path / "a.csv"), text_column="body"))
    with pytest.raises(ModelNotFoundError):
        runs.submit(RunSpec.build(model=str(tmp_path / "no-model")))
    with pytest.raises(MaskvizError, match="no file"):
        runs.submit(RunSpec.build(path=str(tmp_path / "nowhere.csv")))
    with pytest.raises(MaskvizError, match="pattern"):
        runs.submit(RunSpec.build(strategy="pattern", parameters={"pattern": "("}))
    assert list_runs() == []


def test_two_workers_cannot_hold_the_lock(tmp_path):
    lock = WorkerLock()
    assert lock.acquire()
    code = "import sys; from maskviz.runs.lock import WorkerLock; sys.exit(WorkerLock().acquire())"
    second = [sys.executable, "-c", code]
    assert subprocess.run(second, env=os.environ, check=False).returncode == 0
    lock.release()
    assert subprocess.run(second, env=os.environ, check=False).returncode == 1


def test_a_process_is_its_id_and_its_start_time():
    own = os.getpid()
    started = process.start_time(own)
    assert process.is_alive(own, started)
    assert not process.is_alive(own, started - 100)
    assert not process.is_alive(None, None)


def test_a_line_of_metrics_cut_by_a_crash_is_left_out(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2}\n{"st')
    assert [line["step"] for line in read_metrics(tmp_path)] == [1, 2]


def test_tail_reads_the_end_and_what_a_progress_bar_wrote_last(tmp_path):
    (tmp_path / "log.txt").write_text("first\n" * 10 + "10 %\r20 %\r30 %\nlast\n")
    assert tail(tmp_path / "log.txt", 2) == "30 %\nlast"
    assert tail(tmp_path / "none.txt", 2) == ""


def test_tuned_models_are_those_with_a_model_newest_first():
    for name, ended in (("old", 1.0), ("new", 2.0), ("none", 3.0)):
        folder = new_folder(RunSpec.build(name=name))
        (folder / "state.json").write_text(json.dumps({"state": "done", "ended": ended}))
        if name != "none":
            (folder / "model").mkdir()
            (folder / "model" / "config.json").write_text("{}")
    assert [name.split("-")[0] for name, _ in runs.tuned_models()] == ["new", "old"]


def test_html_of_a_run_escapes_what_the_user_wrote():
    folder = new_folder(RunSpec())
    (folder / "state.json").write_text(json.dumps({"state": "failed", "reason": "<script>x"}))
    assert "<script>" not in read_run(run_folder(folder.name))._repr_html_()
