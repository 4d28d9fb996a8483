"""A run that hides nothing is refused; a figure over nothing is absent."""

from __future__ import annotations

import csv

import pytest

import maskviz
from maskviz.errors import DataError
from maskviz.report.document import render
from maskviz.report.run import run_report
from maskviz.runs.service import submit
from maskviz.sweeps.service import plan
from maskviz.sweeps.spec import SweepSpec
from maskviz.training import RunSpec
from maskviz.training.check import preflight
from maskviz.training.data import hits
from maskviz.training.data.masking import Masker
from maskviz.training.loop.result import finding
from maskviz.training.spec.mask_spec import MaskingSpec
from tests.tiny_models import build
from tests.tiny_runs import tiny_spec

NAMELESS = [f"the {'warm' if i % 2 else 'dull'} film {i}" for i in range(24)]
EMPTY = {
    "entity": {},
    "attribute": {"types": ["religion"]},
    "pattern": {"pattern": "zebra"},
    "entity & pattern:/zebra/": {},
}


def _spec(folder, texts, **values):
    table = folder / "texts.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *((t, i % 2) for i, t in enumerate(texts))])
    return tiny_spec(folder, path=str(table), ratio=None, **values)


@pytest.mark.parametrize("task", ["classification", "mlm"])
@pytest.mark.parametrize("strategy", EMPTY)
def test_a_strategy_that_finds_nothing_is_refused_before_there_is_a_run(tmp_path, strategy, task):
    more = (
        {"task": task, "model": str(build("bert", tmp_path / "mlm", "MaskedLM"))}
        if task == "mlm"
        else {}
    )
    spec = _spec(tmp_path, NAMELESS, strategy=strategy, parameters=EMPTY[strategy], **more)
    with pytest.raises(DataError, match="0 of the 24 rows"):
        preflight(spec)
    with pytest.raises(DataError, match="0 of the 24 rows"):
        submit(spec)


def test_one_row_that_holds_a_hit_is_enough(tmp_path):
    rows = [*NAMELESS, "a film of Anna in Paris", "a dull one"]
    preflight(_spec(tmp_path, rows, strategy="entity"))
    preflight(_spec(tmp_path, NAMELESS, strategy="random"))
    preflight(_spec(tmp_path, NAMELESS, strategy="pattern", parameters={"pattern": "zebra"},
                    complement=True))  # fmt: skip


def test_a_long_table_is_looked_at_by_the_run_itself(tmp_path, monkeypatch):
    monkeypatch.setattr("maskviz.training.check.LOOKED_AT", 10)
    spec = _spec(tmp_path, NAMELESS, strategy="pattern", parameters={"pattern": "zebra"})
    preflight(spec)
    run = maskviz.train(spec)
    assert run.state == "failed"
    assert "0 of the 18 rows" in run.reason


def test_a_sweep_refuses_what_hides_nothing(tmp_path):
    spec = _spec(tmp_path, NAMELESS)
    with pytest.raises(DataError, match="0 of the 24 rows"):
        plan(SweepSpec(base=spec, strategies=("random", "entity"), seeds=2))


@pytest.mark.parametrize(("texts", "hit"), [(["a b c d e f zebra"], False), (["zebra b"], True)])
def test_what_the_model_does_not_read_is_no_hit(tmp_path, texts, hit):
    model = maskviz.load_model(str(build("bert", tmp_path / "model")))
    masking = MaskingSpec("pattern", parameters={"pattern": "zebra"})
    masker = Masker(model, texts, masking, 0, 6)
    assert masker.hits(0) == hit
    if not hit:
        with pytest.raises(DataError, match="0 of the 1 rows"):
            hits.require_hits(masker)


def test_figures_over_nothing_are_absent(tmp_path):
    """The rows to train on hold a hit, those to evaluate on do not."""
    build("bert", tmp_path / "mlm", "MaskedLM")
    spec = _spec(tmp_path, ["a zebra and a film"] * 12, task="mlm", model=str(tmp_path / "mlm"),
                 strategy="pattern", parameters={"pattern": "zebra"}, max_steps=4)  # fmt: skip
    own = tmp_path / "own.csv"
    own.write_text("text,label\nno such thing,1\nnone here,0\n")
    run = maskviz.train(spec.changed(eval_path=str(own)))
    assert run.state == "done"
    assert not {"loss_masked", "accuracy_masked"} & set(run.metrics)
    assert run.reason.startswith("No row that was evaluated holds anything hidden")
    assert "majority" not in run.result
    assert "| – | – |" in (run.model_path / "README.md").read_text()
    assert "most frequent" not in render(run_report(run))


def test_a_finding_says_what_there_is():
    assert "100" not in finding({"metrics": {}, "evaluations": []}, "dev", "mlm")
    assert RunSpec().kind == "single_label_classification"


@pytest.mark.parametrize("kind", ["causal", "mlm", "multi_label_classification", "classification"])
@pytest.mark.parametrize(("rows", "said"), [
    (1, "on 1 row that was held out"), (2, "on 2 rows that were held out"),
    (19, "on 19 rows that were held out"), (20, ""),
])  # fmt: skip
def test_figures_on_few_rows_say_how_many(kind: str, rows: int, said: str) -> None:
    both = ("plain", "masked")
    own = {"loss": 0.0, "accuracy": 1.0, "micro_f1": 1.0, "exact_match": 1.0}
    own |= {"ci95": 0.0} if rows > 1 else {}
    figures = {f"{name}_{mask}": value for name, value in own.items() for mask in both}
    others = {"split": "test", "mask": "plain", "rows": 3}
    evaluations = [{"split": "dev", "mask": mask, "rows": rows} for mask in both]
    result = {"metrics": figures, "evaluations": [*evaluations, others], "majority": 0.5}
    sentence = finding(result, "dev", kind)
    assert said in sentence
    assert ("held out" in sentence) == bool(said)
    assert rows > 1 or "±" not in sentence
