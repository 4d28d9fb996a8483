"""The most accurate of several runs is named where that can be told."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maskviz.evidence.distractor.words import _recovery
from maskviz.runs import compare
from maskviz.training.spec.spec import DataSpec


def run(name: str, accuracy: float, half: float | None = 0.01, **data: Any) -> Any:
    metrics = {"accuracy_plain": accuracy}
    if half is not None:
        metrics["ci95_plain"] = half
    spec = SimpleNamespace(data=DataSpec(**data), task="classification", name="")
    folder = Path("/nowhere")
    return SimpleNamespace(
        id=name, state="done", is_over=True, metrics=metrics, spec=spec, folder=folder
    )


def kept(one: Any, right: str, folder: Path, rows: str = "same") -> Any:
    """Give a run the answers it kept."""
    (folder / one.id).mkdir()
    answers = {"dev": {"rows": rows, "right": {"plain": right}}}
    (folder / one.id / "answers.json").write_text(json.dumps(answers))
    one.folder = folder / one.id
    return one


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (
            "0" * 20 + "1" * 80, "1" * 15 + "0" * 5 + "1" * 80,
            "On the same 100 held-out rows a is right 15.0 points more often than given (95 %: "
            "+9.3 to +23.3; McNemar p < 0.001): 15 are right in it alone, 0 in given alone. "
            "That is of these runs: another seed gives other figures.",
        ),
        (
            "0" * 20 + "1" * 80, "1" * 12 + "0" * 8 + "0" * 8 + "1" * 72,
            "On the same 100 held-out rows a and given cannot be told apart in accuracy: they are "
            "4.0 points apart (95 %: −5.1 to +13.3; McNemar p = 0.50); of a 12 are right in it "
            "alone, 8 in given alone.",
        ),
    ],
)  # fmt: skip
def test_two_runs_on_the_same_rows_are_compared_in_pairs(
    first, second, said, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(compare, "unequal", lambda runs: "")
    one, other = kept(run("b", 0.8), first, tmp_path), kept(run("a", 0.9), second, tmp_path)
    one.spec.name = "given"
    assert compare.finding([one, other]) == said


def test_other_rows_are_no_pairs(tmp_path) -> None:
    one, other = kept(run("a", 0.9), "11", tmp_path), kept(run("b", 0.8), "10", tmp_path, "other")
    assert compare.paired(one, other) is None
    assert compare.paired(one, run("c", 0.5)) is None


APART = "a is the most accurate: 90.0"
UNTOLD = "cannot be told apart in accuracy."
OTHER_DATA = "The runs have different data"


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([], "a: accuracy 90.0 %; 95 %: 89.0 to 91.0."),
        ([run("b", 0.8)], APART),
        ([run("b", 0.89)], UNTOLD),
        (
            [run("b", 0.85), run("c", 0.84, 0.1)],
            "and c (84.0 %; 95 %: 74.0 to 94.0) cannot be told apart",
        ),
        ([run("b", 0.8, None)], UNTOLD),
        ([run(n, 0.89) for n in "bcde"], "and 2 more cannot be told apart"),
        ([run("b", 0.5, path="other.csv")], OTHER_DATA),
        ([run("b", 0.5, label_column="stars")], OTHER_DATA),
        ([run("b", 0.5, eval_path="held_out.csv")], OTHER_DATA),
        ([run("b", 0.5, max_rows=100)], OTHER_DATA),
    ],
)
def test_the_most_accurate_is_named_where_all_intervals_lie_below(others, said, monkeypatch):
    monkeypatch.setattr(compare, "unequal", lambda runs: "")
    found = compare.finding([*others, run("a", 0.9)]).replace("\u00a0", " ")
    assert said in found
    assert ("is the most accurate" in found) is (said == APART)


@pytest.mark.parametrize("arm", ["attribute", "random"])
@pytest.mark.parametrize(
    ("leans", "figure", "said"),
    [
        (True, (0.2, -0.96, 1.37), "the interval is too wide to tell"),
        (None, (0.2, 0.1, 0.3), "whether the plain arm leans on it cannot be told"),
        (False, (0.2, 0.1, 0.3), "leans too little to tell"),
    ],
)
def test_what_cannot_be_told_does_not_count_as_failed(arm, leans, figure, said) -> None:
    _, holds, words = _recovery(SimpleNamespace(arms={arm: {"recovery": figure}}), arm, leans)
    assert holds is None
    assert said in words
