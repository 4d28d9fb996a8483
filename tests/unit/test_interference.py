"""The planted-distractor experiment: cells side by side, and words that follow the figures."""

from __future__ import annotations

import json
import sys

import pytest

from maskviz import cli
from maskviz.data.distractor import make
from maskviz.evidence.cells import read_cells
from maskviz.evidence.distractor.cell import attributes_of
from maskviz.evidence.distractor.experiment import ARMS, Experiment
from maskviz.evidence.distractor.interference import FIGURES, interference, summarise
from maskviz.evidence.distractor.words import verdicts
from maskviz.masks import mask
from tests.tiny_models import build

PLAIN = (0.30, 0.28, 0.34, 0.31, 0.27)


@pytest.fixture(scope="module")
def masked_lm(tmp_path_factory):
    return str(build("bert", tmp_path_factory.mktemp("mlm"), "MaskedLM"))


def cells(**reliance):
    """Return five seeds of each arm with this reliance and a neutral accuracy of its own."""
    neutral = {"plain": 0.80, "attribute": 0.85}
    kept = {}
    for arm in ARMS:
        rows = []
        for seed, plain in enumerate(PLAIN):
            own = reliance.get(arm, 0.0) * plain
            middle = neutral.get(arm, 0.8) + 0.002 * seed * (arm == "attribute")
            rows.append(
                {
                    "accuracy_aligned": middle + own / 2, "accuracy_neutral": middle,
                    "accuracy_reversed": middle - own / 2, "reliance": own, "worst_group": 0.6,
                    "leakage_text": 0.7, "leakage_text_chance": 0.5,
                    "leakage_representation": 0.6, "leakage_representation_chance": 0.49,
                }
            )  # fmt: skip
        kept[arm] = rows
    return kept


def test_the_words_bear_the_claim_out_where_the_figures_do():
    found = summarise(Experiment(), cells(plain=1.0, random=1.0, key=0.3))
    held = {claim: holds for claim, holds, _ in verdicts(found)}
    assert list(held.values()) == [True, True, True, True]
    assert "Against the claim" not in found.finding
    assert "rises instead" in verdicts(found)[-1][2]


def test_the_words_say_what_speaks_against_the_claim():
    found = summarise(Experiment(), cells(plain=1.0, random=1.6, attribute=0.5))
    wins, random = verdicts(found)[1:3]
    assert (wins[1], random[1]) == (False, False)
    assert random[2].endswith("it makes the reliance larger")
    assert "Against the claim: “Hiding attributes wins back 90 % or more” does not" in found.finding
    assert [v["holds"] for v in found.to_dict()["verdicts"]] == [True, False, False, True]


def test_a_model_that_does_not_lean_leaves_nothing_to_win_back():
    found = summarise(Experiment(), cells(plain=0.1))
    assert "hardly leans on it" in found.finding
    assert [holds for _, holds, _ in verdicts(found)] == [False, None, None, True]
    assert "Against" not in found.finding
    assert "leans too little to tell" in verdicts(found)[1][2]


def test_cells_side_by_side_are_those_one_after_another(masked_lm, tmp_path, monkeypatch):
    experiment = Experiment(model=masked_lm, rows=200, steps=1, seeds=2, arms=("plain", "oracle"))
    interference(experiment)
    expected = read_cells(experiment)
    monkeypatch.setenv("MASKVIZ_HOME", str(tmp_path))
    heard = []
    found = interference(experiment, heard.append, processes=2)
    assert found.cells == expected
    assert [(p.cell, p.arm, p.seed) for p in heard] == [
        (1, "plain", 0), (2, "oracle", 0), (3, "plain", 1), (4, "oracle", 1),
    ]  # fmt: skip
    assert heard[0].seconds_left is None
    assert heard[-1].seconds_left > 0


def test_the_command_prints_every_arm_with_intervals_and_shuffled_labels(
    masked_lm, monkeypatch, capsys
):
    asked = ["--model", masked_lm, "--rows", "200", "--steps", "1", "--seeds", "2"]
    asked += ["--arms", "plain,oracle", "--processes", "1"]
    monkeypatch.setattr(sys, "argv", ["maskviz", "bench", "interference", *asked])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    out, err = capsys.readouterr()
    assert not stopped.value.code
    assert "4 of 4: oracle, seed 1" in err
    assert "leak, inside" in out
    assert "oracle" in out
    assert "beside the same with shuffled labels" in out
    monkeypatch.setattr(sys, "argv", ["maskviz", "bench", "interference", *asked, "--json"])
    with pytest.raises(SystemExit):
        cli.main()
    shown = json.loads(capsys.readouterr().out)
    assert 0 <= shown["arms"]["plain"]["leakage_representation_chance"] <= 1


def test_where_a_place_is_planted_the_arm_attribute_hides_places():
    frame = make(60, 0, 0.95, "place", 0.25)
    arms = {k: attributes_of(Experiment(kind=k)) for k in ("place", "name")}
    texts = tuple(frame.text[:30])
    hidden = [mask(text, "attribute", second=arms["place"].second) for text in texts]
    for row, found in zip(frame.itertuples(), hidden, strict=False):
        assert any(s.start <= row.start and row.end <= s.end for s in found.spans)
    assert arms["name"].second is None
    assert len({Experiment(kind=k).id for k in arms}) == 2


def test_an_interval_reaches_no_further_than_its_figure_can():
    found = summarise(Experiment(seeds=2), {"plain": [_row(0.1), _row(0.9)]})
    assert found.arms["plain"]["accuracy_aligned"][1:] == (0.0, 1.0)
    assert found.arms["plain"]["reliance"][1:] == (-1.0, 1.0)


def _row(value: float) -> dict[str, float]:
    return dict.fromkeys((name for name in FIGURES if name != "recovery"), value)
