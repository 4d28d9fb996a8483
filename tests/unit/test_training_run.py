"""A real fine-tune of a tiny model: what it writes, and that no interruption changes it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maskviz.training import RunSpec
from maskviz.training.folder import new_folder, read_json, read_metrics, read_run
from tests.tiny_runs import tiny_spec

ROOT = Path(__file__).parents[2]

# Each child trains one folder and may be killed at a step or while it writes a checkpoint; all
# are forked from one process that has imported torch once, as the worker does.
SCRIPT = """
import json, os, signal, sys
from pathlib import Path
from maskviz.training.loop import execute, recorder, trainer, warm

warm.warm_up()
recorder._STATUS_SECONDS = 0  # every step reports, so that a step can be met exactly

def train(folder, at_step=None, at_publish=None):
    def listener(status):
        if at_step and status.get("step") == at_step and status["phase"] == "training":
            os.kill(os.getpid(), signal_number)
    published = [0]
    publish = trainer.publish
    def deadly(staged, target):
        published[0] += 1
        if published[0] == at_publish:
            (staged / "trainer_state.json").unlink()  # the disk has half of it
            os.kill(os.getpid(), signal.SIGKILL)
        publish(staged, target)
    trainer.publish = deadly
    execute.execute(Path(folder), threads=1, listener=listener)

for folder, name, kill in json.loads(sys.argv[1]):
    signal_number = getattr(signal, name)
    pid = os.fork()
    if not pid:
        train(folder, **kill)
        os._exit(0)
    print(os.waitpid(pid, 0)[1])
"""


def _weights(folder: Path) -> dict:
    from safetensors.numpy import load_file

    return load_file(folder / "model" / "model.safetensors")


def _losses(folder: Path) -> list[tuple]:
    return [
        (line["step"], line.get("loss"), line.get("plain_accuracy"), line.get("masked_loss"))
        for line in read_metrics(folder)
    ]


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> dict[str, Path]:
    """Train the same run undisturbed, killed at a step, killed in a checkpoint, and stopped."""
    home = tmp_path_factory.mktemp("trained")
    before = os.environ.get("MASKVIZ_HOME")
    os.environ["MASKVIZ_HOME"] = str(home)
    try:
        # The tiny network stays at the loss of a coin for 20 to 35 steps: of 40 too few are left.
        spec = tiny_spec(home, max_steps=80, save_steps=10)
        names = ("whole", "killed", "torn", "stopped")
        folders = {name: new_folder(spec.changed(name=name)) for name in names}
        small = spec.changed(lora_r=2, lora_dropout=0.3, max_steps=20)
        folders |= {name: new_folder(small.changed(name=name)) for name in ("lora", "lora-killed")}
        plan = [
            ("whole", "SIGKILL", {}),
            ("killed", "SIGKILL", {"at_step": 23}),
            ("killed", "SIGKILL", {}),
            ("torn", "SIGKILL", {"at_publish": 4}),
            ("torn", "SIGKILL", {}),
            ("stopped", "SIGTERM", {"at_step": 17}),
            ("lora", "SIGKILL", {}),
            ("lora-killed", "SIGKILL", {"at_step": 13}),
            ("lora-killed", "SIGKILL", {}),
        ]
        ends = _play([(str(folders[name]), number, kill) for name, number, kill in plan])
        killed = signal.SIGKILL
        assert ends == [0, killed, 0, killed, 0, 0, 0, killed, 0]
    finally:
        os.environ.pop("MASKVIZ_HOME")
        if before:
            os.environ["MASKVIZ_HOME"] = before
    return folders


def _play(steps: list[tuple]) -> list[int]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(steps)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return [int(line) for line in done.stdout.split()]


def test_it_learns_what_the_words_say(trained):
    result = read_json(trained["whole"] / "result.json")
    assert result["metrics"]["accuracy_plain"] > 0.9 > result["majority"]
    assert {"accuracy_masked", "ci95_plain", "macro_f1_plain"} <= set(result["metrics"])
    assert result["finding"].startswith("Accuracy ")
    losses = [line["loss"] for line in read_metrics(trained["whole"]) if "loss" in line]
    assert losses[-1] < 0.1 * losses[0]  # 0.6, 1.3, 0.4 % of it with seeds 0, 1, 2


def test_it_keeps_which_rows_are_right_on_each_part(trained):
    from maskviz.training.loop.answers import answers_of

    found = answers_of(trained["whole"])["dev"]
    result = read_json(trained["whole"] / "result.json")
    for row in (r for r in result["evaluations"] if r["split"] == "dev"):
        right = found["right"][row["mask"]]
        assert len(right) == row["rows"]
        assert right.count("1") / len(right) == pytest.approx(row["accuracy"])
        assert row["ci95_low"] <= row["accuracy"] <= row["ci95_high"]


def test_the_folder_holds_what_it_should(trained):
    run = read_run(trained["whole"])
    assert (run.step, run.steps) == (80, 80)
    assert run.tokens_per_second > 0
    assert run.peak_memory_bytes > 0
    first = run.history[0]
    assert {"step", "epoch", "loss", "learning_rate", "grad_norm", "tokens_per_second"} <= set(
        first
    )
    assert not (trained["whole"] / "checkpoints").exists()
    assert [p.name for p in trained["whole"].glob(".*")] == []
    card = (trained["whole"] / "model" / "README.md").read_text()
    assert "random 20\u00a0%" in card
    assert "seed | 0" in card
    assert str(trained["whole"].parents[1]) not in card  # no folder of this machine travels


def test_the_tuned_model_loads_by_the_run_and_answers(trained, monkeypatch):
    from maskviz.masks import apply
    from maskviz.models import list_models, load_model
    from maskviz.readings import predict

    monkeypatch.setenv("MASKVIZ_HOME", str(trained["whole"].parents[1]))
    assert trained["whole"].name in [info.name for info in list_models()]
    model = load_model(trained["whole"].name)
    texts = ("the film loved great story", "the film dull empty story")
    found = [p.label for p in predict(model, [apply(t, model=model) for t in texts])]
    assert found == ["good", "bad"]


@pytest.mark.parametrize("name", ["killed", "torn"])
def test_killed_and_resumed_is_as_if_never_killed(trained, name):
    import numpy as np

    whole, again = _weights(trained["whole"]), _weights(trained[name])
    assert whole.keys() == again.keys()
    for key, value in whole.items():
        assert np.array_equal(value, again[key]), key
    assert _losses(trained[name]) == _losses(trained["whole"])
    assert "goes on from step" in (trained[name] / "log.txt").read_text()
    ends = [read_json(trained[n] / "result.json")["metrics"] for n in ("whole", name)]
    assert ends[0] == ends[1]


def test_lora_killed_and_resumed_is_as_if_never_killed(trained):
    whole, again = (_weights(trained[name]) for name in ("lora", "lora-killed"))
    assert set(whole) == set(again)
    for name, tensor in whole.items():
        assert (tensor == again[name]).all(), name
    assert _losses(trained["lora"]) == _losses(trained["lora-killed"])


def test_the_best_checkpoint_of_an_attempt_before_is_kept(tmp_path):
    from types import SimpleNamespace

    from maskviz.training.loop.pacer import Pacer
    from maskviz.training.loop.recorder import Recorder

    lines = [{"step": 20, "plain_loss": 0.1}, {"step": 40, "plain_loss": 0.3}]
    (tmp_path / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    trainer = SimpleNamespace(
        spec=RunSpec.build(early_stopping_patience=5), recorder=Recorder(tmp_path),
        args=SimpleNamespace(device=SimpleNamespace(type="cpu")), best_step=None,
    )  # fmt: skip
    state = SimpleNamespace(global_step=40, max_steps=100)
    Pacer(trainer).on_train_begin(trainer.args, state, None)
    assert trainer.best_step == 20


def test_a_torn_checkpoint_is_not_taken(trained):
    assert "goes on from step 30" in (trained["torn"] / "log.txt").read_text()


def test_sigterm_writes_a_checkpoint_and_says_so(trained):
    status = read_json(trained["stopped"] / "status.json")
    assert status["outcome"] == "cancelled"
    assert status["outcome_reason"] == "Cancelled at step 18; resume goes on from there."
    steps = sorted(p.name for p in (trained["stopped"] / "checkpoints").iterdir())
    assert steps == ["checkpoint-10", "checkpoint-18"]


def test_a_run_does_not_go_on_with_other_rows_than_it_began_with(trained, tmp_path):
    from maskviz.training.loop.execute import execute

    spec = RunSpec.from_file(trained["stopped"] / "spec.toml")
    table = tmp_path / "changed.csv"
    table.write_text(Path(spec.data.path).read_text().replace("loved", "hated", 1))
    folder = tmp_path / "other"
    shutil.copytree(trained["stopped"], folder)
    (folder / "spec.toml").write_text(spec.changed(path=str(table)).to_toml())
    assert execute(folder, threads=1) == "failed"
    reason = read_json(folder / "status.json")["outcome_reason"]
    assert reason.startswith("The data has changed since checkpoint 18 of this run (72 rows")
    assert (folder / "checkpoints" / "checkpoint-18").is_dir()


def test_a_checkpoint_whose_deletion_is_cut_short_is_no_checkpoint(tmp_path, monkeypatch):
    from types import SimpleNamespace

    from maskviz.training.loop import trainer
    from maskviz.training.loop.checkpoints import checkpoints

    for name in ("checkpoint-10", "checkpoint-20", ".staging/checkpoint-30"):
        (tmp_path / name).mkdir(parents=True)
        for file in ("trainer_state.json", "model.safetensors"):
            (tmp_path / name / file).write_text("{}")
    run = SimpleNamespace(
        state=SimpleNamespace(global_step=30), best_step=None,
        spec=SimpleNamespace(training=SimpleNamespace(save_total_limit=2)),
    )  # fmt: skip
    monkeypatch.setattr(
        trainer.shutil, "rmtree",
        lambda folder: next(folder.rglob("model.safetensors")).unlink(),
    )  # fmt: skip
    trainer.MaskTrainer._publish(run, tmp_path)
    kept = checkpoints(tmp_path)
    assert [path.name for path in kept] == ["checkpoint-20", "checkpoint-30"]
    assert all((path / "model.safetensors").is_file() for path in kept)
