"""Runs mirrored in MLflow: by MLflow's own client and store; a run never fails for its sake."""

from __future__ import annotations

import json

import pytest

import maskviz
from maskviz.runs import mirror
from maskviz.training.folder import read_json
from tests.tiny_runs import tiny_spec


@pytest.fixture
def tracking(tmp_path, monkeypatch):
    """A store of MLflow's on the disk, and its client."""
    mlflow = pytest.importorskip("mlflow")
    uri = (tmp_path / "mlruns").as_uri()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return mlflow.MlflowClient(uri)


def _mirrored(client, run):
    return client.get_run(read_json(run.folder / "mlflow.json")["run"])


def test_a_run_is_mirrored_with_settings_curve_and_end(tracking, tmp_path):
    run = maskviz.train(tiny_spec(tmp_path, max_steps=10, eval_steps=5))
    assert run.state == "done", run.log()
    found = _mirrored(tracking, run)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == run.id
    assert found.data.params["training.max_steps"] == "10"
    assert found.data.tags["mlflow.note.content"] == run.reason
    assert found.data.metrics["accuracy_plain"] == run.metrics["accuracy_plain"]
    losses = [(m.step, m.value) for m in tracking.get_metric_history(found.info.run_id, "loss")]
    assert losses == [(line["step"], line["loss"]) for line in run.history if "loss" in line]


def test_a_run_that_goes_on_is_the_same_run_there(tracking, tmp_path):
    run = maskviz.train(tiny_spec(tmp_path, max_steps=5))
    first = _mirrored(tracking, run).info.run_id
    (run.folder / "mlflow.json").unlink()  # as if MLflow had made it and answered too late
    mirror.Mirror(run.folder).send_last()
    assert _mirrored(tracking, run).info.run_id == first
    assert len(tracking.search_runs([_mirrored(tracking, run).info.experiment_id])) == 1


def test_how_a_killed_run_ended_is_told_by_whoever_knows_it(tracking, tmp_path):
    run = maskviz.train(tiny_spec(tmp_path, max_steps=5))
    state = {"state": "failed", "reason": "The process was killed."}
    (run.folder / "state.json").write_text(json.dumps(state))
    mirror.Mirror(run.folder).send_last()
    found = _mirrored(tracking, run)
    assert read_json(run.folder / "mlflow.json")["ended"]
    assert found.info.status == "FAILED"
    assert found.data.tags["mlflow.note.content"] == "The process was killed."


def test_an_end_that_mlflow_did_not_hear_of_is_told_by_a_process_of_its_own(tracking, tmp_path):
    run = maskviz.train(tiny_spec(tmp_path, max_steps=5))
    known = read_json(run.folder / "mlflow.json")
    tracking.update_run(known["run"], status="RUNNING")
    mirror.settle(run.folder)  # it has been told already
    (run.folder / "mlflow.json").write_text(json.dumps({**known, "ended": False}))
    mirror.settle(run.folder)
    assert [child.wait(240) for child in mirror._settling] == [0]
    assert _mirrored(tracking, run).info.status == "FINISHED"


def test_a_server_that_is_not_there_ends_no_run(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nowhere://tracking")
    run = maskviz.train(tiny_spec(tmp_path, max_steps=5))
    assert run.state == "done"
    assert run.log(100).count("not mirrored in MLflow") == 1  # tried often, said once


def test_nothing_is_mirrored_unless_asked_for(monkeypatch, tmp_path):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with mirror.mirrored(tmp_path):
        pass
    mirror.settle(tmp_path)
    assert list(tmp_path.iterdir()) == []
