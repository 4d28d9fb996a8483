"""Continued pre-training, the fine-tune from it, and the interference cell, on tiny models."""

from __future__ import annotations

import pytest

from maskviz import runs
from maskviz.errors import ParameterError
from maskviz.evidence.cells import read_cells
from maskviz.evidence.distractor.experiment import ARMS, Experiment
from maskviz.evidence.distractor.interference import interference
from maskviz.evidence.distractor.words import verdicts
from maskviz.sweeps.pretraining import Pretraining, pretrain_and_tune
from maskviz.training.spec.spec import MaskingSpec
from tests.tiny_models import build
from tests.tiny_runs import tiny_spec


@pytest.fixture(scope="module")
def masked_lm(tmp_path_factory):
    return str(build("bert", tmp_path_factory.mktemp("mlm"), "MaskedLM"))


def test_the_fine_tunes_differ_in_the_pretraining_alone_and_none_runs_twice(tmp_path, masked_lm):
    base = tiny_spec(tmp_path, model=masked_lm, max_steps=2, strategy="none", ratio=None)
    asked = Pretraining(base, MaskingSpec("random", ratio=0.3), steps=2, seeds=1)
    said: list[str] = []
    found = pretrain_and_tune(asked, said.append)
    assert [line.partition(",")[0] for line in said] == [
        "pre-training", "fine-tune with it", "fine-tune without it",
    ]  # fmt: skip
    specs = {name: runs.load_run(ids[0]).spec for name, ids in found.runs.items()}
    assert specs["pretrain"].task == "mlm"
    assert specs["with"].model.endswith(f"{found.runs['pretrain'][0]}/model")
    assert specs["with"].training == specs["without"].training
    assert specs["without"].model == specs["pretrain"].model
    assert "one seed" in found.finding
    again = pretrain_and_tune(asked, said.append)
    assert (len(said), again.runs) == (3, found.runs)
    with pytest.raises(ParameterError, match="seeds is 0"):
        Pretraining(base, seeds=0)


def test_every_arm_is_measured_and_kept(masked_lm):
    experiment = Experiment(model=masked_lm, rows=200, steps=1, seeds=2, arms=("plain", "oracle"))
    heard = []
    result = interference(experiment, heard.append)
    assert [(p.cell, p.arm, p.seed) for p in heard] == [
        (1, "plain", 0), (2, "oracle", 0), (3, "plain", 1), (4, "oracle", 1),
    ]  # fmt: skip
    shown = result.to_dict()
    for arm in ("plain", "oracle"):
        for name in ("accuracy_aligned", "reliance", "recovery", "worst_group", "ci95"):
            assert name in shown["arms"][arm]
        for row in read_cells(experiment)[arm]:
            assert row["reliance"] == row["accuracy_aligned"] - row["accuracy_reversed"]
            assert 0 <= row["worst_group"] <= row["accuracy_neutral"] <= 1
    # The oracle hides every difference between the tests: the same rows, so the same answers.
    assert all(row["reliance"] == 0 for row in result.cells["oracle"])
    assert interference(experiment, heard.append).cells == result.cells
    assert len(heard) == 4
    assert verdicts(result)[0][0].startswith("The plain arm leans")


def test_an_experiment_that_cannot_be_is_refused():
    assert ARMS[0] == "plain"
    for values, words in (
        ({"arms": ("oracle",)}, "'plain' is what"),
        ({"arms": ("plain", "magic")}, "Unknown arm"),
        ({"kind": "shoe"}, "Unknown kind"),
        ({"strength": 0.2}, "strength is 0.2"),
    ):
        with pytest.raises(ValueError, match=words):
            Experiment(**values)
