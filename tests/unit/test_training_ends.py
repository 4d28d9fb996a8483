"""What a run says of its end and its beginning: steps not taken, heads drawn, its origin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import maskviz
from maskviz.errors import CapabilityError
from maskviz.models.locate import public_name
from maskviz.runs.compare import finding
from maskviz.sweeps.pretraining import Pretrained
from maskviz.training import RunSpec
from maskviz.training.folder import Run
from maskviz.training.loop.ending import ended_early, steps_asked, unequal
from maskviz.training.model.encoder import without_classifier
from tests.tiny_models import build
from tests.tiny_runs import tiny_spec


@pytest.mark.parametrize(
    ("values", "steps", "words"),
    [
        ({"max_minutes": 2.0, "epochs": 3.0}, 94, "2 minutes were over after 94 of the 171 steps"),
        ({"max_minutes": 1.0, "epochs": 1.0}, 5, "1 minute was over after 5 of the 57 steps of"),
        ({"max_minutes": 0.5, "max_steps": 200}, 40, "40 of the 200 steps."),
        ({"max_minutes": 2.0, "epochs": 3.0}, 400, ""),
        ({"epochs": 3.0}, 171, ""),
        ({"early_stopping_patience": 3, "epochs": 2.0}, 60, "stopped after 60 of the 114 steps"),
        ({"epochs": 2.0, "gradient_accumulation_steps": 4}, 30, ""),
    ],
)  # fmt: skip
def test_a_run_says_what_ended_it_before_its_steps(values, steps, words):
    spec = RunSpec.build(**values)
    said = ended_early(spec, steps, steps_asked(spec, 57))
    assert words in said
    assert bool(said) == bool(words)


def test_a_run_of_minutes_says_how_far_it_came(tmp_path):
    run = maskviz.train(tiny_spec(tmp_path, max_minutes=0.01, max_steps=-1, epochs=1000.0))
    assert run.state == "done"
    assert run.result["steps_asked"] == 9000
    assert f"were over after {run.step:,} of the 9,000 steps of 1000 epochs." in run.reason
    assert run.result["ended_early"] in (run.model_path / "README.md").read_text()
    whole = maskviz.train(tiny_spec(tmp_path, max_steps=3))
    assert (whole.result["ended_early"], whole.result["steps_asked"]) == ("", 3)
    assert f"{run.id} ended early, after {run.step:,} of 9,000 steps" in finding([run, whole])
    assert "ended early" not in finding([whole])


def test_arms_that_end_early_are_named_where_they_are_compared(tmp_path):
    runs = [_ended(tmp_path / name, step) for name, step in (("a", 94), ("b", 105), ("c", 171))]
    said = unequal(runs)
    assert said.startswith("2 of 3 runs ended early, after 94 to 105 of 171 steps")
    assert Pretrained([0.8], [0.7], {}, said).finding.endswith(said)
    assert Pretrained.from_dict(Pretrained([0.8], [0.7], {}, said).to_dict()).early == said
    assert unequal(runs[2:]) == ""


def _ended(folder: Path, step: int) -> Run:
    folder.mkdir()
    early = "" if step == 171 else "Its 2 minutes were over."
    (folder / "result.json").write_text(json.dumps({"ended_early": early, "steps_asked": 171}))
    return Run(folder.name, folder, "done", step=step)


# where a model came from --------------------------------------------------------------------


def test_the_card_of_a_run_names_the_run_its_model_came_from(tmp_path):
    spec = tiny_spec(tmp_path, max_steps=2)
    first = maskviz.train(spec)
    assert "`model`, a folder on the machine" in _card(first)
    for model in (str(first.model_path), first.id):
        second = maskviz.train(spec.changed(model=model))
        line = f"| tuned from | `{first.id}`, a run tuned from `model`, a folder"
        assert line in _card(second)
        assert f'model = "{first.id}"' in _card(second)
        assert str(tmp_path) not in _card(second)


def _card(run) -> str:
    return (run.model_path / "README.md").read_text()


@pytest.mark.parametrize(
    ("model", "name"),
    [("mini", "mini"), ("org/tiny", "org/tiny"), ("/models/tiny", "tiny"), ("/a/model", "model")],
)
def test_of_a_folder_others_read_its_own_name(model, name):
    assert public_name(model) == name


def test_of_the_folder_of_a_run_others_read_the_run(tmp_path):
    folder = tmp_path / "warm-1"
    (folder / "model").mkdir(parents=True)
    (folder / "spec.toml").write_text(RunSpec().to_toml())
    assert public_name(str(folder / "model")) == "warm-1"


# heads --------------------------------------------------------------------------------------

HEADS = {
    "mlm": [("bert", "SequenceClassification"), ("modernbert", "Model"), ("roberta", "Model")],
    "seq2seq": [("t5", "Model")],
}


@pytest.mark.parametrize(
    ("task", "family", "head"), [(t, f, h) for t, pairs in HEADS.items() for f, h in pairs]
)
def test_a_head_that_is_drawn_at_random_is_said(tmp_path, task, family, head):
    pytest.importorskip("sacrebleu")
    model = _built(tmp_path, family, head)
    more = {"operator": "delete", "target_column": "label"} if task == "seq2seq" else {}
    run = maskviz.train(tiny_spec(tmp_path, task=task, model=model, max_steps=2, **more))
    assert run.state == "done", run.reason
    assert "head: one is drawn at random" in run.reason
    assert run.reason.endswith(run.result["notes"][-1])
    assert "drawn at random" in run.log()
    again = maskviz.train(
        tiny_spec(tmp_path, task=task, model=str(run.model_path), max_steps=2, **more)
    )
    assert "drawn at random" not in again.reason


def _built(folder: Path, family: str, head: str) -> str:
    import transformers

    if head != "Model":
        return str(build(family, folder / "alone", head))
    whole = build(family, folder / "whole", "Seq2SeqLM" if family == "t5" else "MaskedLM")
    network = transformers.AutoModel.from_pretrained(whole)
    for file in whole.glob("*token*"):
        (folder / "alone").mkdir(exist_ok=True)
        (folder / "alone" / file.name).write_bytes(file.read_bytes())
    network.save_pretrained(folder / "alone")
    return str(folder / "alone")


@pytest.mark.parametrize("family", ["bert", "modernbert", "distilbert"])
def test_an_encoder_without_any_head_is_what_an_experiment_starts_from(tmp_path, family):
    model = _built(tmp_path, family, "Model")
    assert without_classifier(model, tmp_path / "encoder") == Path(model)
    assert not (tmp_path / "encoder").exists()


def test_a_classifier_alone_is_refused_for_what_it_is(tmp_path):
    model = _built(tmp_path, "bert", "SequenceClassification")
    with pytest.raises(CapabilityError, match="is a classifier alone"):
        without_classifier(model, tmp_path / "encoder")
