"""The most accurate of several runs is named where that can be told."""

from __future__ import annotations

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
    spec = SimpleNamespace(data=DataSpec(**data))
    return SimpleNamespace(id=name, state="done", is_over=True, metrics=metrics, spec=spec)


APART = "a is the most accurate: 90.0"
UNTOLD = "cannot be told apart in accuracy."
OTHER_DATA = "The runs have different data"


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([], APART),
        ([run("b", 0.8)], APART),
        ([run("b", 0.89)], UNTOLD),
        ([run("b", 0.85), run("c", 0.84, 0.1)], "and c (84.0 % ± 10.0) cannot be told apart"),
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
