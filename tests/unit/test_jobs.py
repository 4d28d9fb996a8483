"""Comparisons that outlive the page: progress, cancel, partial results, every end with a reason."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from maskviz.evidence import FileComparison
from maskviz.evidence.files.reader import RowReader
from maskviz.evidence.jobs import jobs, work
from maskviz.paths import home
from maskviz.runs.lock import WorkerLock


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "films.csv"
    path.write_text("text,label\n" + "".join(f"he saw film {i},{i % 2}\n" for i in range(200)))
    return path


def worked(kind: str, name: str, source: Path, arguments: dict) -> jobs.Job:
    """Do a job's work here, where a process of its own would."""
    job = jobs.create(kind, name, source, arguments)
    work.work(job)
    return job


def until(condition, seconds: float = 120) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


def asked(model: str, **more) -> dict:
    return {"strategies": {"random": {}}, "text_column": "text", "model": model, **more}


def test_a_job_leaves_its_result_and_every_row(tiny, table) -> None:
    job = worked("compare", "films", table, asked(tiny("bert"), label_column="label"))
    status = job.status()
    assert (status.state, status.done, status.total) == ("done", 200, 200)
    result = FileComparison.from_dict(job.result())
    assert result.rows == 200
    assert result.complete
    assert len(job.rows.read_text().splitlines()) == 201
    assert jobs.find(job.id) == job
    assert [j.id for j in jobs.recent()] == [job.id]
    assert job.spec["name"] == "films"


def test_cancelling_keeps_what_was_found(tiny, table, monkeypatch) -> None:
    steps = work.Diary.step

    def cancel_after_the_first(diary, done, total, result):
        steps(diary, done, total, result)
        if done:
            diary.job.cancel()

    monkeypatch.setattr(work.Diary, "step", cancel_after_the_first)
    job = worked("compare", "films", table, asked(tiny("bert")))
    status = job.status()
    assert status.state == "cancelled"
    assert 0 < status.done < 200
    assert job.result()["rows"] == status.done
    assert not job.result()["complete"]
    assert len(job.rows.read_text().splitlines()) == status.done + 1


def test_a_failure_says_why(tiny, table) -> None:
    job = worked("compare", "films", table, asked(tiny("bert"), label_column="size"))
    status = job.status()
    assert status.state == "failed"
    assert "no column 'size'" in status.message


def test_a_process_works_in_its_turn_and_what_it_found_outlives_it(tiny, table) -> None:
    turn = WorkerLock(home() / "comparisons" / "turn.lock")
    table.write_text("text\n" + "a long and empty story\n" * 100_000)
    job = jobs.create("compare", "films", table, asked(tiny("bert")))
    assert turn.acquire()  # a lock of this process is no lock to itself, but to others
    job.process.start([job.id], module="maskviz.evidence.jobs.work")
    waiting = jobs.start("compare", "other", table, asked(tiny("bert")))
    waiting.cancel()
    until(lambda: waiting.status().state == "cancelled")
    assert job.status().state == "waiting"
    turn.release()
    until(lambda: job.result() is not None)
    assert job.status().state == "running"
    os.kill(json.loads((job.folder / "process.json").read_text())["pid"], signal.SIGKILL)
    until(lambda: job.status().state == "interrupted")
    assert job.result()["rows"] > 0  # whole, and there for whoever opens the app next
    assert jobs.recent()[1] == job


def test_a_job_whose_process_is_gone_is_interrupted(tmp_path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "status.json").write_text(json.dumps({"state": "running", "older": 1, "done": 5}))
    status = jobs.Job(folder).status()
    assert (status.state, status.done) == ("interrupted", 5)


def test_an_ended_job_can_be_run_again(tiny, table, monkeypatch) -> None:
    first = worked("compare", "films", table, asked("no-such-model"))
    monkeypatch.setattr(jobs.Background, "start", lambda *_, **__: None)
    second = jobs.again(first)
    assert second.spec == first.spec
    assert second.id != first.id


def test_pairs_run_as_a_job(tiny, table) -> None:
    asked = {"strategies": {}, "text_column": "text", "swap": ["gender"], "model": tiny("bert")}
    job = worked("fairness", "films", table, asked)
    assert job.status().state == "done"
    assert job.result()["pairs"] == 200
    assert job.result()["arms"]["differences"]["ctf_gap"] == 0


def test_time_left_follows_from_the_rows_so_far() -> None:
    assert jobs.Status("running").seconds_left is None


def test_names_of_jobs_lead_nowhere_else() -> None:
    assert jobs.find("../../etc") is None
    assert jobs.find("") is None


def test_the_oldest_jobs_are_forgotten(table, monkeypatch) -> None:
    monkeypatch.setattr(jobs, "_KEPT", 2)
    for i in range(3):
        assert worked("compare", str(i), table, asked("no-such-model")).status().state == "failed"
    last = worked("compare", "last", table, asked("no-such-model"))
    kept = {job.id for job in jobs.recent()}
    assert last.id in kept
    assert len(kept) == 2


def cancelled_after(steps: int, monkeypatch) -> None:
    """Let each job be cancelled after so many steps."""
    original = work.Diary.step

    def step(diary, done, total, result):
        original(diary, done, total, result)
        if done and diary.steps == steps:
            diary.job.cancel()
        diary.steps += 1

    monkeypatch.setattr(work.Diary, "steps", 0, raising=False)
    monkeypatch.setattr(work.Diary, "step", step)


FILE = {"strategies": {"random": {}, "span": {}}, "text_column": "text", "label_column": "label"}
PAIRS = {"strategies": {"random": {}}, "text_column": "text", "swap": ["gender"]}


@pytest.mark.parametrize(("kind", "given"), [("compare", FILE), ("fairness", PAIRS)])
def test_a_resumed_job_asks_for_the_rest_alone_and_ends_as_if_never_stopped(
    tiny, table, monkeypatch, kind, given
) -> None:
    arguments = {**given, "model": tiny("bert")}
    table.write_text(table.read_text() + "\n,1\n" + "she saw it,1\n" * 3)
    whole = worked(kind, "films", table, arguments)
    with monkeypatch.context() as patch:
        cancelled_after(2, patch)
        job = worked(kind, "films", table, arguments)
    before = job.status()
    assert before.state == "cancelled"
    assert 0 < before.done < before.total
    with job.steps.open("ab") as file:
        file.write(b'{"done": 190, "sid')  # as a process leaves it that is killed while it writes
    asked: list[int] = []
    if kind == "compare":
        kind_of, done_at = RowReader, lambda own, rows, done, *more: done
    else:
        kind_of, done_at = work.FairnessWork, lambda own, rows: own.done
    step = kind_of._step
    with monkeypatch.context() as patch:
        patch.setattr(kind_of, "_step", lambda *g: asked.append(done_at(*g)) or step(*g))
        patch.setattr(jobs.Background, "start", lambda *_, **__: work.work(job))
        jobs.resume(job)
    assert min(asked) == before.done  # nothing is asked again
    assert job.status().state == "done"
    assert job.status().seconds >= before.seconds
    assert job.result() == whole.result()
    assert not job.steps.exists()
    if kind == "compare":
        assert job.rows.read_bytes() == whole.rows.read_bytes()


def test_pairs_keep_what_was_found(tiny, table, monkeypatch) -> None:
    cancelled_after(1, monkeypatch)
    job = worked("fairness", "films", table, {**PAIRS, "model": tiny("bert")})
    assert job.status().state == "cancelled"
    assert job.result()["pairs"] == job.status().done == 16
    assert "These are the first 16 pairs." in job.result()["notes"]


def test_a_killed_process_is_resumed_in_another(tiny, table) -> None:
    table.write_text("text\n" + "".join(f"a long and empty story {i}\n" for i in range(2500)))
    job = jobs.start("compare", "films", table, asked(tiny("bert")))
    until(lambda: job.steps.exists() and job.steps.stat().st_size > 0)
    os.kill(json.loads((job.folder / "process.json").read_text())["pid"], signal.SIGKILL)
    until(lambda: job.status().state == "interrupted")
    lines = job.steps.read_bytes().count(b"\n")
    jobs.resume(job)
    until(lambda: job.status().ended)
    assert lines > 0
    assert (job.status().state, job.result()["rows"]) == ("done", 2500)
    assert len(job.rows.read_text().splitlines()) == 2501


@pytest.mark.parametrize(
    ("first", "done", "seconds", "left"),
    [
        ((0, 0.0), 0, 5.0, None),  # still loading
        ((1, 20.0), 1, 20.0, None),  # one row, and all that was loaded before it
        ((1, 20.0), 51, 25.0, 4.9),
        ((64, 12.0), 82, 15.0, 3.0),
    ],
)
def test_the_time_left_leaves_out_what_came_before_the_first_rows(
    first: tuple[int, float], done: int, seconds: float, left: float | None
) -> None:
    status = jobs.Status("running", done, 100, seconds, "", *first)
    assert status.seconds_left == (left if left is None else pytest.approx(left))
