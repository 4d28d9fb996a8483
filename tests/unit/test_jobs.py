"""Comparisons that outlive the page: progress, cancel, partial results, every end with a reason."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from maskviz.evidence import FileComparison, jobs


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "films.csv"
    path.write_text("text,label\n" + "".join(f"he saw film {i},{i % 2}\n" for i in range(200)))
    return path


def wait(job: jobs.Job) -> jobs.Status:
    for thread in threading.enumerate():
        if thread.name == f"compare-{job.id}":
            thread.join(120)
    return job.status()


def asked(model: str, **more) -> dict:
    return {"strategies": {"random": {}}, "text_column": "text", "model": model, **more}


def test_a_job_leaves_its_result_and_every_row(tiny, table) -> None:
    job = jobs.start("compare", "films", table, asked(tiny("bert"), label_column="label"))
    status = wait(job)
    assert (status.state, status.done, status.total) == ("done", 200, 200)
    result = FileComparison.from_dict(job.result())
    assert result.rows == 200
    assert result.complete
    assert len(job.rows.read_text().splitlines()) == 201
    assert jobs.find(job.id) == job
    assert [j.id for j in jobs.recent()] == [job.id]
    assert job.spec["name"] == "films"


def test_cancelling_keeps_what_was_found(tiny, table, monkeypatch) -> None:
    steps = jobs._Diary.step

    def cancel_after_the_first(diary, done, total, result):
        steps(diary, done, total, result)
        if done:
            diary.job.cancel()

    monkeypatch.setattr(jobs._Diary, "step", cancel_after_the_first)
    job = jobs.start("compare", "films", table, asked(tiny("bert")))
    status = wait(job)
    assert status.state == "cancelled"
    assert 0 < status.done < 200
    assert job.result()["rows"] == status.done
    assert not job.result()["complete"]
    assert len(job.rows.read_text().splitlines()) == status.done + 1


def test_a_failure_says_why(tiny, table) -> None:
    job = jobs.start("compare", "films", table, asked(tiny("bert"), label_column="size"))
    status = wait(job)
    assert status.state == "failed"
    assert "no column 'size'" in status.message


def test_a_job_whose_process_is_gone_is_interrupted(tmp_path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "status.json").write_text(json.dumps({"state": "running", "process": 1, "done": 5}))
    status = jobs.Job(folder).status()
    assert (status.state, status.done) == ("interrupted", 5)


def test_pairs_run_as_a_job(tiny, table) -> None:
    asked = {"strategies": {}, "text_column": "text", "swap": ["gender"], "model": tiny("bert")}
    job = jobs.start("fairness", "films", table, asked)
    assert wait(job).state == "done"
    assert job.result()["pairs"] == 200
    assert job.result()["arms"]["differences"]["ctf_gap"] == 0


def test_time_left_follows_from_the_rows_so_far() -> None:
    assert jobs.Status("running", 50, 200, 10.0).seconds_left == pytest.approx(30)
    assert jobs.Status("running").seconds_left is None


def test_names_of_jobs_lead_nowhere_else() -> None:
    assert jobs.find("../../etc") is None
    assert jobs.find("") is None


def test_the_oldest_jobs_are_forgotten(tiny, table, monkeypatch) -> None:
    monkeypatch.setattr(jobs, "_KEPT", 2)
    started = [jobs.start("compare", str(i), table, asked("no-such-model")) for i in range(3)]
    for job in started:
        wait(job)
    assert started[-1].status().state == "failed"
    last = jobs.start("compare", "last", table, asked("no-such-model"))
    wait(last)
    kept = {job.id for job in jobs.recent()}
    assert last.id in kept
    assert len(kept) == 2
