"""`maskviz.train` in this process: results, tasks, and one sentence for every failure."""

from __future__ import annotations

import math

import pytest

import maskviz
from maskviz.errors import DataError
from maskviz.runs import list_runs
from maskviz.training.loop.failures import explain
from tests.tiny_models import build
from tests.tiny_runs import tiny_spec


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    return tiny_spec(tmp_path_factory.mktemp("tiny"), max_steps=6)


def test_train_returns_the_run_and_load_run_finds_it(spec):
    heard = []
    run = maskviz.train(spec, listener=heard.append, strategy="none")
    assert run.state == "done", run.reason
    assert maskviz.load_run(run.id) == run
    assert set(run.metrics) >= {"accuracy_plain", "loss_plain"}
    assert "accuracy_masked" not in run.metrics
    assert {"training", "evaluating"} <= {status["phase"] for status in heard}
    assert run.to_dict()["spec"]["masking"]["strategy"] == "none"


@pytest.mark.parametrize("operator", ["delete", "attention", "placeholder", "unk"])
def test_every_operator_trains(spec, operator):
    run = maskviz.train(spec, operator=operator, max_steps=2)
    assert run.state == "done", run.reason


def test_more_labels_than_the_model_has_get_a_new_head(spec, tmp_path):
    rows = [f"the {word} film,{label}" for label, word in enumerate(["great", "dull", "slow"] * 8)]
    rows = [row.rsplit(",", 1)[0] + f",{'abc'[i % 3]}" for i, row in enumerate(rows)]
    (tmp_path / "three.csv").write_text("text,label\n" + "\n".join(rows))
    run = maskviz.train(spec, path=str(tmp_path / "three.csv"))
    assert run.state == "done", run.reason
    assert maskviz.load_model(run.id).labels == ("a", "b", "c")


def test_mlm_learns_the_hidden_tokens_of_texts_without_labels(tmp_path):
    build("bert", tmp_path / "model", head="MaskedLM")
    (tmp_path / "texts.csv").write_text("text\n" + "The lazy dog jumps over Anna.\n" * 40)
    run = maskviz.train(
        model=str(tmp_path / "model"), path=str(tmp_path / "texts.csv"), task="mlm", max_steps=30,
        learning_rate=1e-2, per_device_train_batch_size=8, ratio=0.3, device="cpu",
    )  # fmt: skip
    assert run.state == "done", run.reason
    losses = [line["loss"] for line in run.history if "loss" in line]
    assert losses[-1] < losses[0]
    assert run.reason.startswith("The model guesses ")
    assert "fill" in maskviz.load_model(run.id).capabilities


def test_a_budget_in_minutes_ends_by_the_clock(spec):
    run = maskviz.train(spec, max_minutes=0.02, max_steps=-1, lr_scheduler_type="constant")
    assert run.state == "done", run.reason
    assert run.seconds >= 1.2
    rates = {line["learning_rate"] for line in run.history if "learning_rate" in line}
    assert rates == {spec.training.learning_rate}  # no warm-up, as by steps
    assert run.history[-1]["step"] == run.step


def test_a_split_column_and_the_example_set_give_reliance(spec):
    run = maskviz.train(spec, path="example", max_rows=40, max_steps=2)
    assert run.state == "done", run.reason
    assert {row["split"] for row in run.result["evaluations"]} == {
        "dev", "aligned", "neutral", "reversed",
    }  # fmt: skip
    assert {"reliance_plain", "reliance_masked"} <= set(run.metrics)
    assert "distractor" in run.reason


def test_what_cannot_start_is_refused_before_there_is_a_run(spec):
    with pytest.raises(DataError, match="no column 'nothing'"):
        maskviz.train(spec, text_column="nothing")
    assert list_runs() == []


def test_a_loss_that_is_no_number_ends_the_run_with_the_step(spec, monkeypatch):
    import torch

    from maskviz.training.model import network as model

    networks = []
    load = model.load_network
    monkeypatch.setattr(model, "load_network", lambda *a: networks.append(load(*a)) or networks[0])

    def overflow(status: dict) -> None:
        if status.get("step") == 1:
            with torch.no_grad():
                networks[0].classifier.weight.fill_(math.nan)

    run = maskviz.train(spec, logging_steps=1, listener=overflow)
    assert run.state == "failed"
    assert run.reason == (
        "The loss became nan at step 2: lower learning_rate (it is 0.01) or set precision to "
        "float32."
    )


def test_a_label_that_fails_late_is_refused_before_a_run_is_made(spec, tmp_path):
    rows = ["fine words,a"] * 60 + ["more words,b"]
    (tmp_path / "late.csv").write_text("text,label\n" + "\n".join(rows))
    before = list_runs()
    with pytest.raises(DataError, match=r"The label 'b' occurs once \(row 61\)"):
        maskviz.train(spec, path=str(tmp_path / "late.csv"))
    assert list_runs() == before


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "Memory ran out: lower per_device_train_batch_size"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "Memory ran out"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "Memory ran out"),
        (OSError(28, "No space left on device"), "The disk is full"),
        (KeyError("x\ny"), "KeyError: "),
        (DataError("The file is odd."), "The file is odd."),
    ],
)
def test_every_failure_has_one_sentence(error, words, tmp_path):
    said = explain(error, tmp_path)
    assert words in said
    assert "\n" not in said
    assert said.endswith(".")
