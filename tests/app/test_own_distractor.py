"""A distractor in one's own rows on the Experiments page: few controls, one job, one sentence."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from maskviz.evidence.cells import cell_file
from maskviz.evidence.distractor.experiment import QUICK, Experiment, arms_of
from maskviz.evidence.distractor.own import own
from maskviz.paths import write_atomic
from tests.app.test_experiment_tabs import _again, _labels, _press, _words
from tests.app.test_experiment_tabs import _tab as opened
from tests.app.test_experiment_tabs import nothing_starts as nothing_starts
from tests.unit.test_own_distractor import table

TAB = "Planted distractor"


def _tab(path: Path, **state: object) -> AppTest:
    return opened(TAB, if_rows="My own file", maskviz_table=(path.name, path), **state)


def test_it_waits_for_a_file() -> None:
    at = opened(TAB, if_rows="My own file")
    assert "Choose a table with a text and one of two labels" in _words(at)
    assert "Run the experiment" not in _labels(at)


@pytest.mark.parametrize(
    ("chosen", "plant"),
    [
        (
            {"if_plant": "sentence", "if_sentence": "Sent by <b>me</b>."},
            "sentence:Sent by <b>me</b>.",
        ),
        ({"if_plant": "gender"}, "gender"),
        ({"if_plant": "a column it has", "if_column": "site"}, "site"),
    ],
)
def test_one_button_starts_the_command_that_is_shown(
    tmp_path: Path, nothing_starts, chosen: dict, plant: str
) -> None:
    path = table(tmp_path, tie=0.7)
    at = _tab(path, if_seeds=2, if_place="end", **chosen)
    assert [error.value for error in at.error] == []
    assert "in your rows?" in _words(at)
    shown = next(block.value for block in at.code if "bench interference" in block.value)
    assert str(tmp_path) not in shown  # nobody learns where a server keeps files
    _press(at, "Run the experiment", TAB)
    ((name, arguments),) = nothing_starts
    place = "start" if plant == "site" else "end"  # of a column nothing is planted anywhere
    asked = own(str(path), "text", "label", plant, place)
    mine = Experiment(own=asked, arms=arms_of(asked), seeds=2, **QUICK)
    assert name == f"interference-{mine.id}"
    given = dict(pairwise(arguments))
    wanted = {"--data": str(path), "--text-column": "text", "--label-column": "label"}
    assert wanted.items() <= given.items()
    assert (given["--plant"], given["--place"]) == (plant, place)
    assert "--quick" in arguments
    assert "--keep-head" not in arguments


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"if_plant": "word", "if_word": "film"}, "already"),
        ({"if_plant": "word", "if_word": "?!"}, "says nothing"),
        ({"if_plant": "a column it has", "if_column": "site"}, "cannot be told apart"),
    ],
)
def test_what_cannot_be_tested_is_one_sentence_and_no_button(tmp_path, chosen, says) -> None:
    at = _tab(table(tmp_path, tie=1.0), **chosen)
    assert says in " ".join(error.value for error in at.error)
    assert "Run the experiment" not in _labels(at)


def test_what_was_found_is_shown_with_its_arms(tmp_path: Path) -> None:
    path = table(tmp_path, tie=0.7)
    asked = own(str(path), "text", "label", "site")
    mine = Experiment(own=asked, arms=arms_of(asked), **QUICK)
    lean = {"plain": 0.3, "random": 0.3}
    for seed in range(5):
        for arm in mine.arms:
            own_lean = lean.get(arm, 0.0) + 0.01 * seed
            figures = {
                "accuracy_aligned": 0.8, "accuracy_neutral": 0.7,
                "accuracy_reversed": 0.8 - own_lean, "reliance": own_lean, "worst_group": 0.6,
                "leakage_text": 0.7, "leakage_text_chance": 0.5,
                "leakage_representation": 0.6, "leakage_representation_chance": 0.5,
            }  # fmt: skip
            write_atomic(cell_file(mine, seed, arm), json.dumps(figures))
    at = _tab(path, if_plant="a column it has", if_column="site")
    assert [error.value for error in at.error] == []
    assert "when the column “site” turns against the label" in _words(at)
    assert "oracle" not in list(at.dataframe[-1].value["arm"])
    assert "Run the experiment" not in _labels(at)
    _again(at, TAB)
