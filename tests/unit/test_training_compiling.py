"""A compiled network learns what the network learns, in few shapes, or trains as it is."""

from __future__ import annotations

import pytest
import torch

import maskviz
from maskviz.training.data.collating import TaskCollator
from maskviz.training.data.masking import TokenRow
from maskviz.training.machine import compiling
from maskviz.training.machine.compiling import Lengths, places
from tests.tiny_models import build
from tests.tiny_runs import tiny_spec


@pytest.fixture
def graphs(monkeypatch):
    """The graphs that were compiled, each as a list of its inputs; run by torch, op by op."""
    found = []

    def backend(graph, inputs):
        found.append(inputs)
        return graph.forward

    torch._dynamo.reset()
    monkeypatch.setattr(compiling, "_BACKEND", backend)
    yield found
    torch._dynamo.reset()


def _losses(folder, **values):
    run = maskviz.train(tiny_spec(folder, max_steps=6, logging_steps=1, **values))
    assert run.state == "done", run.log()
    return run, [row["loss"] for row in run.history if "loss" in row]


UNDER = {"strategy": "none", "matrix": "window", "matrix_parameters": {"width": 1}}


@pytest.mark.parametrize(
    ("task", "more"),
    [
        ("mlm", {}),
        ("classification", UNDER),
        pytest.param("classification", {}, marks=pytest.mark.slow),
    ],
)
def test_a_compiled_network_learns_the_same_with_one_graph(tmp_path, graphs, task, more):
    head = "MaskedLM" if task == "mlm" else "SequenceClassification"
    model = str(build("modernbert", tmp_path / "modernbert", head))  # it drops nothing out
    _, plain = _losses(tmp_path, model=model, task=task, **more)
    run, compiled = _losses(tmp_path, model=model, task=task, torch_compile=True, **more)
    assert compiled == pytest.approx(plain, rel=1e-4)
    assert len(graphs) == 1  # evaluations run as they are
    assert "compiler" not in run.log()


def test_what_cannot_be_compiled_trains_as_it_is(tmp_path, monkeypatch):
    def backend(graph, inputs):
        raise OSError("no C++ compiler here\nsecond line")

    torch._dynamo.reset()
    monkeypatch.setattr(compiling, "_BACKEND", backend)
    run, losses = _losses(tmp_path, torch_compile=True)
    said = [line for line in run.log().splitlines() if "The compiler cannot take" in line]
    assert len(said) == 1
    assert "no C++ compiler here" in said[0]
    assert len(losses) == 6


def test_rows_are_padded_to_few_lengths():
    lengths = Lengths.up_to(250)
    assert {lengths(n) for n in range(1, 251)} == {32, 64, 96, 128, 160, 192, 224, 250}
    assert Lengths.up_to(5)(2) == 5
    assert lengths(300) == 300  # a row of an evaluation may be longer than all of training


def test_hidden_places_are_one_of_eight_counts():
    assert {places(n, 80) for n in range(1, 81)} == set(range(10, 81, 10))
    assert places(1, 3) == 1

    def row(ids, hidden):
        original = tuple(i if i in hidden else -100 for i in ids)
        return TokenRow(tuple(ids), (1,) * len(ids), original)

    collate = TaskCollator(0, "mlm", sparse=True, lengths=Lengths(8, 16))
    batch = collate([(row(range(1, 11), {3, 4, 9}), 0), (row(range(1, 6), {2}), 0)])
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (2, 16)
    assert batch["labels"].tolist() == [[3, 4, 9, 2]]
    assert batch["head_positions"].tolist() == [2, 3, 8, 17]
    batch = collate([(row(range(1, 11), {3, 4, 9, 5}), 0), (row(range(1, 6), {2}), 0)])
    assert batch["labels"].tolist() == [[3, 4, 5, 9, 2, -100, -100, -100]]
    assert batch["real_tokens"] == 15
