"""`maskviz train` and `maskviz runs`: JSON as the design has it, one line for what is wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from maskviz import cli
from maskviz.masks import Choice
from maskviz.runs.store import Store
from maskviz.training import RunSpec
from maskviz.training.folder import new_folder
from tests.tiny_runs import tiny_spec


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Return a function that runs a command and gives (exit status, stdout, stderr)."""
    monkeypatch.setattr("maskviz.runs.engines.ensure_worker", lambda: None)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["maskviz", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        captured = capsys.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return call


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A spec file beside its model and table."""
    folder = tmp_path_factory.mktemp("tiny")
    spec = tiny_spec(folder, max_steps=4)
    (folder / "spec.toml").write_text(spec.to_toml())
    return folder


def _queued() -> str:
    folder = new_folder(RunSpec())
    Store().add(folder)
    return folder.name


def test_train_in_the_foreground_prints_one_document_and_its_progress_elsewhere(run, tiny):
    status, out, err = run("train", str(tiny / "spec.toml"), "--json")
    assert status == 0, err
    result = json.loads(out)
    assert {"run", "state", "metrics", "seconds", "tokens_per_second", "device"} <= set(result)
    assert result["state"] == "done"
    assert "training, 100 %" in err
    status, out, _ = run("runs", "show", result["run"], "--json")
    shown = json.loads(out)
    assert {"pid", "step", "steps", "heartbeat", "error", "spec"} <= set(shown)
    assert (shown["step"], shown["error"]) == (4, None)
    assert "training" in run("runs", "logs", result["run"], "-n", "50")[1]


def test_flags_go_where_they_belong_and_over_the_file(run, tiny):
    flags = (
        "--strategy", "entity", "--types", "PERSON,GPE", "--ratio", "0.3", "--static",
        "--epochs", "2", "--batch-size", "4", "--seed", "3", "--set", "weight_decay=0.1",
        "--set", "lr_scheduler_type=cosine", "--name", "flags", "--detach", "--json",
        "--second", "random:0.3", "--second-seed", "4", "--join", "minus", "--complement",
    )  # fmt: skip
    status, out, err = run("train", str(tiny / "spec.toml"), *flags)
    assert status == 0, err
    answer = json.loads(out)
    assert set(answer) == {"run", "state"}
    spec = Store().run(answer["run"]).spec
    assert spec.masking.parameters == {"types": ["PERSON", "GPE"]}
    assert (spec.masking.ratio, spec.masking.dynamic, spec.seed) == (0.3, False, 3)
    assert spec.masking.second == Choice("random:0.3", seed=4)
    assert (spec.masking.join, spec.masking.complement) == ("minus", True)
    assert spec.training.weight_decay == 0.1
    assert spec.training.lr_scheduler_type == "cosine"
    assert spec.training.learning_rate == 1e-2  # the file's


@pytest.mark.parametrize(
    ("strategy", "flags", "parameters"),
    [
        ("pii", ("--types", "EMAIL_ADDRESS,PERSON", "--threshold", "0.3"),
         {"types": "EMAIL_ADDRESS,PERSON", "threshold": 0.3}),
        ("pos", ("--types", "NOUN"), {"tags": ["NOUN"]}),
        ("attribute", ("--types", "names", "--pipeline", "en_mini"),
         {"types": ["names"], "pipeline": "en_mini"}),
        ("pattern", ("--words", "of,story"), {"words": "of,story"}),
        ("pattern", ("--pattern", "f..m"), {"pattern": "f..m"}),
        ("sentence", ("--indices", "1"), {"indices": [1]}),
        ("noise", ("--threshold", "2", "--surprisal", "0"), {"threshold": 2.0, "surprisal": 0.0}),
        ("key", ("--by", "lexicon"), {"by": "lexicon"}),
    ],
)  # fmt: skip
def test_train_takes_what_mask_takes(run, tiny, strategy, flags, parameters):
    said = "Anna of Paris saw a dulll fiim, anna@example.org, of no story"
    table = tiny / "said.csv"
    table.write_text("text,label\n" + "".join(f'"{said}",{i % 2}\n' for i in range(8)))
    status, out, err = run("mask", said, "-s", strategy, "--json", *flags)
    assert status == 0, err
    assert json.loads(out)["spans"]
    status, out, err = run("train", str(tiny / "spec.toml"), "--strategy", strategy, *flags,
                           "--data", str(table), "--detach", "--json")  # fmt: skip
    assert status == 0, err
    assert Store().run(json.loads(out)["run"]).spec.masking.parameters == parameters


def test_the_parameters_of_another_strategy_do_not_stay(run, tiny):
    spec = tiny / "typed.toml"
    text = (tiny / "spec.toml").read_text()
    from maskviz.training import RunSpec

    typed = RunSpec.from_toml(text).changed(strategy="entity", parameters={"types": ["PERSON"]})
    spec.write_text(typed.to_toml())
    for flags, kept in ((("--pipeline", "en_mini"), {"types": ["PERSON"], "pipeline": "en_mini"}),
                        (("--strategy", "random"), {})):  # fmt: skip
        status, out, err = run("train", str(spec), *flags, "--detach", "--json")
        assert status == 0, err
        assert Store().run(json.loads(out)["run"]).spec.masking.parameters == kept


def test_a_run_that_fails_exits_1_with_json_and_one_line(run, tiny, tmp_path):
    shutil.copytree(tiny / "model", tmp_path / "broken")
    (tmp_path / "broken" / "model.safetensors").write_bytes(b"half a file")
    flags = ("--model", str(tmp_path / "broken"), "--json")
    status, out, err = run("train", str(tiny / "spec.toml"), *flags)
    assert status == 1, err
    assert json.loads(out)["state"] == "failed"
    last = err.strip().splitlines()[-1]
    assert last.startswith("maskviz: The model ")
    assert "cannot be tuned for classification" in last


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--strategy", "rndom"), "Unknown strategy 'rndom'"),
        (("--ratio", "1.5"), "ratio is 1.5"),
        (("--data", "nowhere.csv"), "no file 'nowhere.csv'"),
        (("--set", "weight_decay"), "name=value"),
        (("--set", "wieght_decay=1"), "Unknown setting 'wieght_decay'"),
        (
            ("--strategy", "random", "--types", "PERSON"),
            "does not take 'types': it takes no parameters",
        ),
        (("--strategy", "pii", "--types", "EMAIL"), "'EMAIL'"),
        (("--strategy", "none", "--types", "PERSON"), "Nothing is hidden"),
        (("--strategy", "entity:GPE | pos", "--types", "PERSON"), "leave --types out"),
        (("nowhere.toml",), "no spec file"),
        (("--epochs", "many"), "--epochs"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(run, arguments, words):
    status, out, err = run("train", *arguments)
    assert status == 2, err
    assert out == ""
    assert words in err
    assert len(err.strip().splitlines()) == 1


def test_list_cancel_resume_delete(run):
    assert "no runs yet" in run("runs", "list")[1]
    assert json.loads(run("runs", "list", "--json")[1]) == []
    run_id = _queued()
    assert json.loads(run("runs", "list", "--json")[1])[0]["run"] == run_id
    cancelled = run("runs", "cancel", run_id, "--json")
    assert json.loads(cancelled[1]) == {"run": run_id, "state": "cancelled"}
    assert json.loads(run("runs", "resume", run_id, "--json")[1])["state"] == "queued"
    status, _, err = run("runs", "delete", run_id)
    assert (status, "is queued" in err) == (2, True)
    run("runs", "cancel", run_id)
    assert json.loads(run("runs", "delete", run_id, "--json")[1])["state"] == "deleted"
    assert run("runs", "show", run_id)[0] == 2


def test_steering_runs_imports_no_torch_and_no_streamlit():
    code = (
        "import sys, maskviz.commands, maskviz.runs.service as s; s.list_runs();"
        "print([m for m in ('torch', 'transformers', 'streamlit', 'plotly', 'spacy', 'pandas')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
