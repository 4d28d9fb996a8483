"""A run as a script: without maskviz it takes the same steps and ends at the same weights."""

from __future__ import annotations

import ast
import json
import os
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import maskviz
from maskviz import cli
from maskviz.errors import CapabilityError, ParameterError
from maskviz.training import RunSpec
from maskviz.training.loop.script import write_script
from tests.tiny_chat import chat_model
from tests.tiny_models import build
from tests.tiny_runs import write_table
from tests.unit.test_training_causal import write_talks


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("scripts")
    write_table(folder / "rows.csv", 24)
    write_talks(folder / "talks.jsonl")
    labels = {"id2label": {0: "bad", 1: "good"}, "label2id": {"bad": 0, "good": 1}}
    build("bert", folder / "classifier", **labels)
    build("bert", folder / "fill", "MaskedLM")
    build("t5", folder / "writes", "Seq2SeqLM")
    for name in ("classifier", "fill", "writes"):
        path = folder / name / "config.json"
        config = json.loads(path.read_text())
        config |= dict.fromkeys((k for k in config if "dropout" in k), 0.0)
        path.write_text(json.dumps(config))
    rows = ["text,joy,anger,score,said"]
    words = enumerate("abcdefghij")
    rows += [f"a {w} film,{i % 2},{i % 3 % 2},{i / 10},{w} it was" for i, w in words]
    (folder / "several.csv").write_text("\n".join(rows) + "\n")
    chat_model(folder / "llama")
    return folder


def spec_of(made: Path, kind: str) -> RunSpec:
    shared = {
        "device": "cpu", "precision": "float32", "max_steps": 5, "learning_rate": 1e-2,
        "per_device_train_batch_size": 4, "logging_steps": 1, "eval_fraction": 0.25,
    }  # fmt: skip
    several = str(made / "several.csv")
    own = {
        "classification": {"model": "classifier", "path": str(made / "rows.csv"), "ratio": 0.3,
                           "class_weights": "balanced", "gradient_accumulation_steps": 4},
        "a new head": {"model": "fill", "path": str(made / "rows.csv"), "strategy": "span"},
        "several": {"model": "classifier", "path": several, "text_column": "text",
                    "problem_type": "multi_label_classification", "label_column": "joy,anger"},
        "number": {"model": "classifier", "path": several, "text_column": "text",
                   "problem_type": "regression", "label_column": "score", "strategy": "none"},
        "mlm": {"task": "mlm", "model": "fill", "path": str(made / "rows.csv"), "ratio": 0.4},
        "seq2seq": {"task": "seq2seq", "model": "writes", "path": several, "text_column": "text",
                    "target_column": "said", "operator": "delete", "ratio": 0.3},
        "causal": {"task": "causal", "model": "llama", "path": str(made / "talks.jsonl"),
                   "strategy": "pattern", "parameters": {"words": ["rained"]},
                   "prompt_weight": 0.25, "num_train_epochs": 1.0},
        "packed": {"task": "causal", "model": "llama", "path": str(made / "talks.jsonl"),
                   "packing": True, "max_length": 120, "lr_scheduler_type": "cosine"},
        "lora": {"task": "causal", "model": "llama", "path": str(made / "talks.jsonl"),
                 "lora_r": 2, "lora_dropout": 0.0},
    }[kind]  # fmt: skip
    values = {**shared, **own, "model": str(made / own["model"])}
    return RunSpec.build(**values)


KINDS = ("classification", "a new head", "several", "number", "mlm", "seq2seq", "causal", "packed")


def ran(folder, elsewhere, monkeypatch, capsys) -> list[dict]:
    """Run a script in this process; return what it prints of its evaluations."""
    monkeypatch.chdir(elsewhere)
    capsys.readouterr()
    runpy.run_path(str(folder / "train.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    return [json.loads(line) for line in lines if line.startswith('{"eval')]


@pytest.mark.slow
def test_a_script_needs_no_maskviz(made, tmp_path) -> None:
    folder = write_script(spec_of(made, "causal"), tmp_path / "script")
    code = "import sys, runpy; sys.modules['maskviz'] = None; runpy.run_path(sys.argv[1])"
    answer = subprocess.run(
        [sys.executable, "-I", "-c", code, str(folder / "train.py")], capture_output=True,
        text=True, cwd=tmp_path, env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-2000:]


@pytest.mark.parametrize("kind", [*KINDS, "lora"])
def test_a_script_takes_the_steps_of_its_run(made, tmp_path, kind, monkeypatch, capsys) -> None:
    if kind == "lora":
        pytest.importorskip("peft")
    spec = spec_of(made, kind)
    run = maskviz.train(spec)
    assert run.state == "done", run.reason
    folder = write_script(run.spec, tmp_path / "script", run.id)
    text = (folder / "train.py").read_text()
    ast.parse(text)
    assert "maskviz" not in text
    said = ran(folder, tmp_path, monkeypatch, capsys)
    found, own = (load_file(f / "model" / "model.safetensors") for f in (folder, run.folder))
    assert found.keys() == own.keys()
    for name, weights in own.items():
        torch.testing.assert_close(found[name], weights, atol=2e-4, rtol=2e-3, msg=name)
    wanted = {f"{e['split']}-{e['mask']}": e["loss"] for e in run.result["evaluations"]}
    assert {line["evaluation"]: pytest.approx(line["loss"], abs=1e-3) for line in said} == wanted


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"max_minutes": 1.0}, "max_steps"),
        ({"early_stopping_patience": 2}, "early_stopping_patience"),
        ({"matrix": "window"}, "attention matrix"),
    ],
)
def test_what_a_script_cannot_do_is_refused(made, tmp_path, values, said) -> None:
    spec = spec_of(made, "classification").changed(**values)
    with pytest.raises(CapabilityError, match=said):
        write_script(spec, tmp_path / "script")
    assert not list(tmp_path.iterdir())


def test_packed_rows_under_attention_and_a_folder_that_is_there_are_refused(made, tmp_path) -> None:
    spec = spec_of(made, "packed").changed(strategy="random", operator="attention")
    with pytest.raises(CapabilityError, match="Packed rows"):
        write_script(spec, tmp_path / "script")
    with pytest.raises(ParameterError, match="is there already"):
        write_script(replace(spec, masking=replace(spec.masking, operator="delete")), tmp_path)


def test_the_command_writes_the_script_of_a_run(made, tmp_path, monkeypatch, capsys) -> None:
    run = maskviz.train(spec_of(made, "mlm").changed(max_steps=1))
    target = str(tmp_path / "out")
    monkeypatch.setattr(sys, "argv", ["maskviz", "runs", "script", run.id, target, "--json"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code
    shown = json.loads(capsys.readouterr().out)
    assert Path(shown["script"]).read_text().startswith('"""Tune ')
    assert run.id in Path(shown["script"]).read_text()
