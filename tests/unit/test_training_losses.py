"""A step is the same however it is cut into batches, and a figure however rows are batched."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import maskviz
from maskviz.errors import ParameterError
from maskviz.training.loop.losses import decoder_inputs, loss_of
from maskviz.training.spec.spec import MULTI, REGRESSION, SINGLE
from tests.tiny_models import build
from tests.tiny_runs import tiny_spec

TASKS = ["classification", "mlm", "seq2seq"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("losses")
    tiny_spec(folder)
    build("bert", folder / "mlm", "MaskedLM")
    build("t5", folder / "seq2seq", "Seq2SeqLM")
    return folder


def _spec(tiny: Path, task: str, **values) -> maskviz.training.RunSpec:
    own = {} if task == "classification" else {"model": str(tiny / task)}
    if task == "seq2seq":
        own |= {"target_column": "label", "strategy": "none"}
    return tiny_spec(tiny, **{"task": task, "max_steps": 2, "logging_steps": 1, **own, **values})


def _losses(tiny: Path, task: str, **values) -> list[float]:
    run = maskviz.train(_spec(tiny, task, **values))
    assert run.state == "done", run.log()
    return [line["loss"] for line in run.history if "loss" in line]


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        (SINGLE, torch.tensor([0, 2, 1, 1, 0])),
        ("mlm", torch.tensor([0, -100, 2, -100, 1])),
        (MULTI, torch.tensor([[0.0, 1, 1], [0, 0, 0], [1, 1, 1], [0, 0, 1], [1, 0, 0]])),
        (REGRESSION, torch.tensor([0.5, -100, 2, 3, -1])),
    ],
)
def test_two_uneven_batches_are_the_step_of_one(kind, labels):
    torch.manual_seed(0)
    logits = torch.randn(5, 1 if kind == REGRESSION else 3)
    loss = loss_of(kind)
    count = torch.tensor(labels.numel()) if kind == REGRESSION else (labels != -100).sum()
    whole = loss({"logits": logits}, labels, count)
    parts = [loss({"logits": logits[i]}, labels[i], count) for i in (slice(2), slice(2, 5))]
    assert sum(parts).item() == pytest.approx(whole.item(), rel=1e-6)


def test_the_losses_are_those_of_torch():
    logits, labels = torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
    for options in ({}, {"label_smoothing": 0.1}):
        loss = loss_of(SINGLE, None, options.get("label_smoothing", 0.0))
        wanted = torch.nn.functional.cross_entropy(logits, labels, **options)
        assert loss({"logits": logits}, labels, torch.tensor(4)).item() == pytest.approx(
            wanted.item()
        )


@pytest.mark.parametrize("task", TASKS)
def test_the_loss_of_an_accumulated_step_is_that_of_a_step(tiny, task):
    """Before, several architectures gave three times as much for three batches."""
    once = _losses(tiny, task, per_device_train_batch_size=24)
    thrice = _losses(tiny, task, gradient_accumulation_steps=3)
    assert thrice[0] == pytest.approx(once[0], rel=0.3)


@pytest.mark.parametrize("task", TASKS)
def test_the_evaluated_loss_does_not_depend_on_the_batches(tiny, task):
    found = [
        maskviz.train(_spec(tiny, task, per_device_eval_batch_size=size)).metrics for size in (1, 7)
    ]
    names = [name for name in found[0] if name.startswith("loss_")]
    assert names
    for name in names:
        assert found[0][name] == pytest.approx(found[1][name], rel=1e-5), name


def test_a_regression_counts_minus_100_as_any_number(tiny):
    table = tiny / "cold.csv"
    table.write_text("text,degrees\n" + "".join(f"day {i},{-100 + i % 2}\n" for i in range(24)))
    values = {"path": str(table), "problem_type": "regression", "label_column": "degrees"}
    run = maskviz.train(_spec(tiny, "classification", **values, strategy="none"))
    assert run.state == "done", run.log()
    # The network says about 0 of all rows, so each is wrong by about 100.
    assert run.history[0]["loss"] == pytest.approx(1e4, rel=0.1)


def test_labels_of_texts_to_write_can_be_smoothed_and_numbers_cannot(tiny):
    assert _losses(tiny, "seq2seq", label_smoothing_factor=0.1)
    with pytest.raises(ParameterError, match="set it to 0"):
        _spec(tiny, "classification", problem_type="regression", label_smoothing_factor=0.1)


def test_a_decoder_without_a_shift_of_its_own_reads_the_labels_one_place_later(tiny):
    from transformers import AutoModelForSeq2SeqLM

    network = AutoModelForSeq2SeqLM.from_pretrained(tiny / "seq2seq")
    labels = torch.tensor([[5, 6, 7], [8, 9, -100]])
    bare = SimpleNamespace(config=network.config)
    assert decoder_inputs(bare, labels).tolist() == decoder_inputs(network, labels).tolist()


def test_a_process_takes_one_gpu_of_several(tmp_path, monkeypatch):
    from maskviz.training.loop.assemble import training_arguments

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    arguments = training_arguments(tmp_path, maskviz.training.RunSpec(), "cuda", "float32")
    assert (arguments.n_gpu, arguments.train_batch_size) == (1, 32)
