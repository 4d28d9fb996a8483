"""Where runs train, and what is taken away: memory, Ray, several processes, export, the Hub."""

from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import pytest
import torch

import maskviz
from maskviz import runs
from maskviz.errors import ParameterError, RunError
from maskviz.models import load_model
from maskviz.runs import engines, ray_engine, service, worker
from maskviz.runs.export import export, packed, push
from maskviz.runs.store import Store
from maskviz.training import RunSpec
from maskviz.training.data.batches import LengthBuckets
from maskviz.training.data.lessons import with_lessons
from maskviz.training.data.rows import load_rows
from maskviz.training.folder import Run, read_json, runs_home, update_json
from maskviz.training.loop import execute
from tests.tiny_chat import chat_model
from tests.tiny_runs import tiny_spec
from tests.unit.test_training_causal import write_talks

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    return tiny_spec(tmp_path_factory.mktemp("engines"), max_steps=4)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory) -> RunSpec:
    """A run that tunes a decoder."""
    folder = tmp_path_factory.mktemp("spoken")
    return RunSpec.build(
        task="causal", model=chat_model(folder / "chat"), device="cpu", precision="float32",
        path=str(write_talks(folder / "talks.jsonl", 36)), max_steps=4, logging_steps=1,
        per_device_train_batch_size=4, learning_rate=1e-2,
    )  # fmt: skip


@pytest.fixture
def done(spec, maskviz_home) -> Run:
    """A run that is done, its tuned model a copy of the one it started from."""
    import shutil

    from maskviz.training.folder import new_folder

    folder = new_folder(spec)
    shutil.copytree(spec.model, folder / "model")
    (folder / "model" / "README.md").write_text("# A card\n")
    Store().add(folder, state="done", reason="Accuracy 90.0 % plain.")
    return runs.load_run(folder.name)


def test_a_run_that_does_not_fit_the_memory_is_refused_with_both_figures(spec, monkeypatch):
    from maskviz.training.machine.machine import Machine

    monkeypatch.setattr(Machine, "of", lambda *_: Machine(False, 0.01))
    monkeypatch.setattr("maskviz.runs.engines.ensure_worker", lambda: None)
    for start in (runs.submit, maskviz.train):
        with pytest.raises(RunError, match=r"needs about \d+\.\d GB and 0\.0 GB are free: lower"):
            start(spec)
    assert runs.list_runs() == []


def test_a_run_that_keeps_dying_is_given_up_sooner_where_memory_ran_out(done):
    host = worker.Worker()
    row = {"id": done.id, "attempts": worker.MAX_OUT_OF_MEMORY, "resumed_step": -1}
    assert host._after_a_kill(row, out_of_memory=False)[0] == "queued"
    state, reason, _ = host._after_a_kill(row, out_of_memory=True)
    assert state == "failed"
    assert "killed 3 times at the same place, for want of memory: lower" in reason
    row["attempts"] = worker.MAX_ATTEMPTS
    assert host._after_a_kill(row, out_of_memory=False)[0] == "failed"
    assert worker.oom_kills() >= 0


def test_whoever_looks_at_a_run_without_a_worker_starts_the_next_one(done, monkeypatch):
    started = []
    monkeypatch.setattr("maskviz.runs.engines.ensure_worker", lambda: started.append(True))
    Store().update(done.id, state="running", pid=2**22, process_started=1.0)
    assert runs.load_run(done.id).state == "running"
    assert started == [True]


# several processes ----------------------------------------------------------------------------


def test_a_worker_that_is_killed_but_not_yet_gone_is_followed_by_another(tmp_path, monkeypatch):
    # Its threads outlive it by a moment: a zombie that cannot be waited for is no worker any more.
    monkeypatch.setenv("MASKVIZ_HOME", str(tmp_path))

    class Killed:
        pid = os.getpid()
        waited = False

        def poll(self):
            return -9 if self.waited else None

        def wait(self):
            self.waited = True

    killed, started = Killed(), []
    monkeypatch.setattr(engines, "_started", {runs_home(): killed})
    monkeypatch.setattr(engines.process, "start_time", lambda pid: None)
    monkeypatch.setattr(
        engines.subprocess, "Popen", lambda command, **more: started.append(command)
    )
    runs.ensure_worker()
    assert killed.waited
    assert len(started) == 1


def test_two_processes_share_a_run_and_one_of_them_writes(spec, monkeypatch):
    monkeypatch.setattr("maskviz.runs.engines.ensure_worker", lambda: None)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    run = runs.submit(spec, processes=2)
    host = worker.Worker()
    end = time.monotonic() + 300
    while not (run := runs.load_run(run.id)).is_over and time.monotonic() < end:
        host.tick()
        time.sleep(0.1)
    assert run.state == "done", run.log()
    assert run.log().count("training") == 1
    assert run.steps == 4
    assert sum("loss" in line for line in run.history) == len(
        {line["step"] for line in run.history if "loss" in line}
    )


@pytest.mark.slow
def test_two_processes_tune_a_decoder_by_what_both_learn(spoken, monkeypatch):
    monkeypatch.setattr("maskviz.runs.engines.ensure_worker", lambda: None)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    run = runs.submit(spoken, processes=2)
    host, end = worker.Worker(), time.monotonic() + 600
    while not (run := runs.load_run(run.id)).is_over and time.monotonic() < end:
        host.tick()
        time.sleep(0.1)
    assert run.state == "done", run.log()
    losses = {line["step"]: line["loss"] for line in run.history if "loss" in line}
    assert set(losses) == {1, 2, 3, 4}
    model = load_model(spoken.model)
    rows = with_lessons(spoken, model, load_rows(spoken)).train.labels
    buckets = LengthBuckets([len(row.weights) for row in rows], 4, spoken.seed, 0, 2)
    first = [row for turn in (0, 1) for row in _of_turn(buckets, turn)]
    network, total, weight = model.network("generate"), 0.0, 0.0
    for row in first:  # of the first step: Σ w ℓ / Σ w over what both processes learned
        ids, weights = torch.tensor([rows[row].plain.input_ids]), torch.tensor(rows[row].weights)
        with torch.inference_mode():
            said = network(input_ids=ids).logits[0, :-1].log_softmax(-1)
        each = -said.gather(1, ids[0, 1:, None])[:, 0]
        total, weight = total + (each * weights[1:]).sum().item(), weight + sum(weights).item()
    assert losses[1] == pytest.approx(total / weight, abs=1e-3)


def _of_turn(buckets: LengthBuckets, process: int) -> list[int]:
    buckets.process = process
    return next(iter(buckets))


def test_a_run_of_which_one_process_is_killed_goes_on(spec, monkeypatch):
    monkeypatch.setattr("maskviz.runs.engines.ensure_worker", lambda: None)
    run = runs.submit(spec, processes=2)
    store = Store()
    row = store.claim()
    broken = RuntimeError("[…/gloo/transport/tcp/pair.cc:537] Read error: Connection reset by peer")
    monkeypatch.setattr(execute, "prepare", lambda *_: (_ for _ in ()).throw(broken))
    assert execute.execute(run.folder) == "killed"
    assert read_json(run.folder / "status.json")["outcome"] is None
    for outcome in (None, "cancelled"):  # the launcher ends the others as a person would
        store.update(row["id"], state="running")
        update_json(run.folder / "status.json", outcome=outcome)
        worker.Worker()._settle(run.id)
        assert runs.load_run(run.id).state == "queued"


# Ray ------------------------------------------------------------------------------------------


class _Cluster:
    """What maskviz asks of Ray Jobs."""

    def __init__(self) -> None:
        self.asked: dict = {}
        self.status, self.log, self.stopped = "PENDING", "", []

    def submit_job(self, **asked) -> str:
        self.asked = asked
        return asked["submission_id"]

    def get_job_status(self, _job):
        return type("Status", (), {"value": self.status})

    def get_job_logs(self, _job) -> str:
        return self.log

    def stop_job(self, job: str) -> None:
        self.stopped.append(job)


@pytest.fixture
def cluster(monkeypatch) -> _Cluster:
    found = _Cluster()
    monkeypatch.setattr(ray_engine, "_client", lambda _options: found)
    monkeypatch.setattr(ray_engine, "_ASK_SECONDS", 0.0)
    return found


@pytest.mark.parametrize("kind", ["spec", "spoken"])
def test_a_run_goes_to_ray_with_what_it_may_use_and_comes_back(kind, cluster, request):
    spec = request.getfixturevalue(kind)
    run = runs.submit(spec, "ray", num_cpus=2, num_gpus=0.5)
    assert (run.state, run.engine) == ("queued", "ray")
    assert cluster.asked["entrypoint_num_cpus"] == 2
    assert cluster.asked["entrypoint_num_gpus"] == 0.5
    assert f"--train {run.folder}" in cluster.asked["entrypoint"]
    cluster.status = "RUNNING"
    assert runs.load_run(run.id).state == "running"
    update_json(run.folder / "status.json", outcome="done", outcome_reason="Accuracy 80.0 % plain.")
    (ended,) = runs.list_runs()
    assert (ended.state, ended.reason) == ("done", "Accuracy 80.0 % plain.")


def test_a_job_that_dies_on_ray_says_why(spec, cluster):
    run = runs.submit(spec, "ray")
    cluster.status, cluster.log = "FAILED", "line\nNo module named maskviz\n"
    ended = runs.load_run(run.id)
    assert ended.state == "failed"
    assert "No module named maskviz" in ended.reason
    assert "No module named maskviz" in ended.log()
    assert runs.resume(run.id).engine == "ray"


def test_cancel_stops_the_job_on_ray(spec, cluster):
    run = runs.submit(spec, "ray")
    runs.cancel(run.id)
    assert cluster.stopped == [read_json(run.folder / "engine.json")["job"]]
    cluster.status = "STOPPED"
    assert runs.load_run(run.id).state == "cancelled"


@pytest.mark.parametrize(("asked", "state"), [(False, "failed"), (True, "cancelled")])
def test_a_silent_run_whose_cluster_is_gone_is_given_up(spec, cluster, monkeypatch, asked, state):
    run = runs.submit(spec, "ray")
    cluster.status = "RUNNING"
    assert runs.load_run(run.id).state == "running"
    if asked:
        runs.cancel(run.id)

    def gone(_options):
        raise RunError("No Ray cluster answers")

    monkeypatch.setattr(ray_engine, "_client", gone)
    assert runs.load_run(run.id).state == "running"  # it may answer in a moment
    monkeypatch.setattr(ray_engine, "SILENCE_SECONDS", -1.0)
    ended = runs.load_run(run.id)
    assert ended.state == state
    assert "resume" in ended.reason


def test_without_a_cluster_there_is_one_sentence(spec):
    pytest.importorskip("ray")
    with pytest.raises(RunError, match=r"No Ray cluster answers at http://127\.0\.0\.1:9 "):
        runs.submit(spec, "ray", address="http://127.0.0.1:9")
    (run,) = runs.list_runs()
    assert run.state == "failed"


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "said"), [("spec", "Accuracy "), ("spoken", "")])
def test_a_local_ray_trains_a_run_and_the_store_has_the_result(kind, said, request):
    pytest.importorskip("ray")
    spec = request.getfixturevalue(kind)
    short = tempfile.mkdtemp(prefix="r")  # Ray's sockets want short paths, shorter than tmp_path
    request.addfinalizer(lambda: shutil.rmtree(short, ignore_errors=True))
    port, dashboard = _free_port(), _free_port()
    found = Path(sys.executable).parent
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1",
        "PATH": f"{found}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    head = subprocess.Popen(
        [found / "ray", "start", "--head", "--block", f"--port={port}", "--num-cpus=1",
         "--node-ip-address=127.0.0.1",
         f"--dashboard-port={dashboard}", "--disable-usage-stats", f"--temp-dir={short}",
         "--object-store-memory=80000000"],
        env=environment, start_new_session=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        run = _sent(spec, f"http://127.0.0.1:{dashboard}")
        ended = runs.wait(run.id, 300)
        assert ended.state == "done", ended.log()
        assert ended.model_path is not None
        assert ended.reason.startswith(said)
    finally:
        os.killpg(head.pid, signal.SIGTERM)
        head.wait(60)


def _sent(spec, address: str) -> Run:
    end = time.monotonic() + 300
    while True:
        try:
            return service.submit(spec, "ray", address=address, num_cpus=1)
        except RunError:  # not up yet
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# taking away ----------------------------------------------------------------------------------


def test_an_exported_folder_loads_with_transformers(done, tmp_path):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    target = export(done.id, tmp_path / "new" / "tuned")
    assert AutoModelForSequenceClassification.from_pretrained(target).config.num_labels == 2
    assert AutoTokenizer.from_pretrained(target)("film")["input_ids"]
    assert (target / "README.md").read_text() == "# A card\n"
    with pytest.raises(ParameterError, match="'tuned' is there already"):
        export(done.id, target)
    names = zipfile.ZipFile(io.BytesIO(packed(done.id))).namelist()
    assert f"{done.id}/model.safetensors" in names


def test_loras_matrices_are_taken_away_alone(done, tmp_path):
    with pytest.raises(RunError, match="has no adapter: tune one with lora_r above 0"):
        export(done.id, tmp_path / "tuned", adapter=True)
    adapter = done.folder / "adapter"
    adapter.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors", "README.md"):
        (adapter / name).write_text("{}")
    target = export(done.id, tmp_path / "small", adapter=True)
    assert {path.name for path in target.iterdir()} == {path.name for path in adapter.iterdir()}
    names = zipfile.ZipFile(io.BytesIO(packed(done.id, adapter=True))).namelist()
    assert f"{done.id}/adapter_config.json" in names
    assert f"{done.id}/model.safetensors" not in names


def test_only_a_run_that_is_done_has_a_model(done, tmp_path):
    Store().update(done.id, state="failed")
    with pytest.raises(RunError, match="is failed: only one that is done"):
        export(done.id, tmp_path / "tuned")


def test_a_push_that_cannot_be_is_one_sentence(done, monkeypatch):
    with pytest.raises(ParameterError, match="names no repository"):
        push(done.id, "https://hub/x y")
    monkeypatch.setenv("HF_TOKEN", "")
    with pytest.raises(RunError, match=r"cannot be pushed to 'me/model': .*(login|HF_HUB_OFFLINE)"):
        push(done.id, "me/model")
