"""A run that knows groups: the worst at each evaluation, and the weights that are best for it."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path

import pytest

import maskviz
from maskviz.errors import DataError, ParameterError
from maskviz.masks import Mask
from maskviz.models import load_model
from maskviz.readings.labels import predict
from maskviz.readings.windows import encodings_of
from maskviz.report import render, run_report
from maskviz.runs.compare import summary_row
from maskviz.training import RunSpec
from maskviz.training.check import preflight
from maskviz.training.data.rows import load_rows
from maskviz.training.loop.metrics import group_accuracies
from maskviz.training.loop.patience import Patience
from tests.tiny_runs import BAD, GOOD, tiny_model, tiny_spec


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """A model, and a table in which one group's labels are often turned."""
    folder = tmp_path_factory.mktemp("groups")
    tiny_model(folder / "model")
    rng = random.Random(0)
    lines = ["text,label,who,where"]
    for i in range(160):
        good = i % 2
        turned = i % 3 == 0 and rng.random() < 0.4
        words = [*rng.sample(GOOD if good else BAD, 2), "the", "film", str(i)]
        lines.append(f"{' '.join(words)},{int(good != turned)},{'xyy'[i % 3]},{'uv'[i % 5 > 2]}")
    (folder / "rows.csv").write_text("\n".join(lines))
    return folder


def test_the_worst_group_chooses_the_weights(tiny: Path) -> None:
    spec = tiny_spec(
        tiny, group_columns="who", metric_for_best_model="worst_group_accuracy", max_steps=20,
        eval_steps=4, strategy="none",
    )  # fmt: skip
    run = maskviz.train(spec)
    assert run.state == "done", run.reason
    name = "plain_worst_group_accuracy"
    history = [(line[name], line["step"]) for line in run.history if name in line]
    best = next(step for value, step in history if value == max(v for v, _ in history))
    if best != 20:
        assert f"takes the weights of step {best}, where worst group accuracy was highest" in (
            run.log()
        )
    figures = next(e for e in run.result["evaluations"] if e["mask"] == "plain")
    assert figures["worst_group_accuracy"] == min(figures["group_accuracy"].values())
    assert "; the worst of 2 groups is " in run.result["finding"]
    assert summary_row(run)["Worst group plain"] == figures["worst_group_accuracy"]
    told_so = render(run_report(run))
    assert "Whom does it fail?" in told_so
    # The same from the saved model, asked row by row.
    rows = load_rows(spec).evaluation["dev"]
    assert figures["group_rows"] == Counter(rows.groups)
    assert len(set(rows.groups)) == 2
    put = load_model(str(run.model_path))
    for group, accuracy in figures["group_accuracy"].items():
        own = [i for i, g in enumerate(rows.groups) if g == group]
        whole = [(Mask(rows.texts[i]), "attention") for i in own]
        right = [one.label for one in predict(put, [e for (e,) in encodings_of(whole, put)])]
        names = load_rows(spec).label_names
        told = [names[rows.labels[i]] for i in own]
        assert sum(a == b for a, b in zip(right, told, strict=True)) / len(own) == pytest.approx(
            accuracy
        )


def test_groups_of_several_columns_cross_and_split_with_their_rows(tiny: Path) -> None:
    rows = load_rows(tiny_spec(tiny, group_columns="who, where"))
    for part in (rows.train, *rows.evaluation.values()):
        for text, group in zip(part.texts, part.groups, strict=True):
            i = int(text.split()[-1])
            assert group == f"{'xyy'[i % 3]} × {'uv'[i % 5 > 2]}"
        few = part.sample(7)
        assert len(few.groups) == 7
        assert (
            dict(zip(few.texts, few.groups, strict=True)).items()
            <= dict(zip(part.texts, part.groups, strict=True)).items()
        )
    assert load_rows(tiny_spec(tiny)).train.groups == ()


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"metric_for_best_model": "worst_group_accuracy"}, ParameterError, "group_columns"),
        ({"metric_for_best_model": "speed"}, Exception, "worst_group_accuracy"),
        ({"group_columns": "who", "task": "mlm"}, ParameterError, "one label a row"),
    ],
)
def test_what_cannot_be_is_refused(given: dict, error: type, says: str) -> None:
    with pytest.raises(error, match=says):
        RunSpec.build(**given)


def test_a_column_that_is_not_there_is_named_before_anything_starts(tiny: Path) -> None:
    spec = tiny_spec(tiny, group_columns="who,nowhere")
    for read in (preflight, load_rows):
        with pytest.raises(DataError, match="no column 'nowhere'"):
            read(spec)


@pytest.mark.parametrize(
    ("who", "says"),
    [
        (lambda i: "x", "All held-out rows have one value of 'who'"),
        (lambda i: f"n{i}", "'who' has 800 different values, and groups are at most 200"),
        (lambda i: f"{i % 20},{i % 19}", "'who' and 'where' have 380 different values"),
        (
            lambda i: ("x", "NaN", " ")[i % 3],
            r"held-out rows say nothing in 'who': they are \(empty",
        ),
        (lambda i: f"n{i % 100}", "No group of 'who' has 10 held-out rows"),
        (lambda i: "x" if i % 50 else "y", "fewer than 10 held-out rows are never called worst: y"),
        (lambda i: "uv"[i % 2], "The label '1' is in the group 'v' of 'who' alone"),
        (lambda i: "uv"[i % 3 > 1], None),
    ],
)
def test_what_groups_of_a_run_cannot_say_is_said(tmp_path: Path, who, says: str | None) -> None:
    crossed = "," in who(0)
    lines = [f"text,label,who{',where' * crossed}"]
    lines += [f"{'good' if i % 2 else 'dull'} film {i},{i % 2},{who(i)}" for i in range(800)]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    columns = "who,where" if crossed else "who"
    spec = RunSpec.build(path=str(tmp_path / "rows.csv"), group_columns=columns, text_column="text",
                         label_column="label")  # fmt: skip
    if says and "different values" in says:
        with pytest.raises(DataError, match=says):
            load_rows(spec)
        return
    notes = " ".join(load_rows(spec).notes)
    assert re.search(says, notes) if says else notes == ""


def test_a_spec_without_groups_is_written_as_before() -> None:
    written = RunSpec.build().to_toml()
    assert "group_columns" not in written
    assert "metric_for_best_model" not in written
    spec = RunSpec.build(group_columns="a", metric_for_best_model="worst_group_accuracy")
    assert RunSpec.from_toml(spec.to_toml()) == spec


def test_small_groups_are_the_worst_only_where_all_are_small() -> None:
    groups = ["x"] * 12 + ["y"] * 3
    assert group_accuracies([1] * 15, [1] * 12 + [0] * 3, groups) == {"x": 1.0}
    assert group_accuracies([1, 0], [1, 1], ["x", "y"]) == {"x": 1.0, "y": 0.0}


@pytest.mark.parametrize(
    ("metric", "values", "best"),
    [("loss", [0.5, 0.3, 0.4], 2), ("accuracy", [0.5, 0.8, 0.8], 2), ("accuracy", [0.9, 0.8], 1)],
)
def test_the_best_step_is_the_first_with_the_best_figure(
    tmp_path: Path, metric: str, values: list[float], best: int
) -> None:
    import json

    lines = [json.dumps({"step": i + 1, f"plain_{metric}": v}) for i, v in enumerate(values)]
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    patience = Patience(1, "classification", tmp_path, metric)
    assert patience.best_step == best
    assert patience.is_over == (len(values) > best)
    assert Patience(0, "classification", tmp_path, metric).is_over is False
