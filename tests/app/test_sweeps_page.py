"""The Experiments page's tabs of sweeps and of the planted distractor."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from maskviz import runs, sweeps
from maskviz.evidence.interference import ARMS, QUICK, Experiment
from maskviz.paths import write_atomic
from maskviz.runs.background import Background
from maskviz.runs.store import Store

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    """Leave runs in the queue: that they train is tested with the worker."""
    monkeypatch.setattr("maskviz.runs.engines.ensure_worker", lambda: None)


def _page(tab: str) -> AppTest:
    at = AppTest.from_file(APP, default_timeout=120)
    at.session_state["experiments_tab"] = tab
    return at.switch_page("pages/experiments.py").run()


def _click(at: AppTest, key: str) -> None:
    # The test runner does not keep which tab is open.
    at.session_state["experiments_tab"] = at.session_state["experiments_tab"]
    at.button(key=key).click().run()


def _words(at: AppTest) -> str:
    return " ".join(m.value for m in [*at.markdown, *at.caption]).replace("\\", "")


def test_a_sweep_is_started_on_the_page_and_shows_what_it_found():
    at = _page("Sweeps")
    assert not at.exception
    assert "Which strategy, which ratio?" in _words(at)
    at.multiselect(key="sw_strategies").set_value(["random"])
    at.text_input(key="sw_ratios").set_value("0.1, x")
    at.number_input(key="sw_seeds").set_value(2)
    _click(at, "sw_start")
    assert "not numbers" in at.error[0].value
    at.text_input(key="sw_ratios").set_value("0.1, 0.3")
    _click(at, "sw_start")
    assert not at.exception
    (sweep,) = sweeps.list_sweeps()
    assert len(sweep.cells) == 6
    for cell, run in sweep.runs().items():
        metrics = {"accuracy_plain": 0.8, "accuracy_masked": 0.7 + (cell.ratio or 0)}
        (run.folder / "status.json").write_text(json.dumps({"metrics": metrics}))
        Store().update(run.id, state="done", ended=time.time())
    at = _page("Sweeps")
    assert not at.exception
    assert "random 0.3, mask does best: accuracy 100.0" in _words(at)
    assert len(at.get("plotly_chart")) == 2
    assert len(runs.list_runs()) == 6


def test_one_button_runs_the_planted_distractor_and_its_figures_stay(monkeypatch):
    started = []
    monkeypatch.setattr(Background, "start", lambda self, words: started.append(words))
    at = _page("Planted distractor")
    assert not at.exception
    _click(at, "if_start")
    assert started[0][:4] == ["bench", "interference", "--json", "--kind"]
    assert "--quick" in started[0]
    experiment = Experiment(**QUICK)
    for arm in ARMS:
        for seed in range(5):
            lean = 0.3 if arm in ("plain", "random") else 0.01 * seed
            cell = dict.fromkeys(
                ("accuracy_neutral", "worst_group", "leakage_text", "leakage_representation"), 0.8
            )
            cell |= {"accuracy_aligned": 0.9, "accuracy_reversed": 0.9 - lean, "reliance": lean}
            write_atomic(experiment.folder / f"{arm}-{seed}.json", json.dumps(cell))
    at = _page("Planted distractor")
    assert not at.exception
    assert "loses 30.0 points" in _words(at)
    assert "✅ Hiding attributes wins back 90 % or more" in _words(at)
    assert len(at.get("plotly_chart")) == 2
    assert "if_start" not in [b.key for b in at.button]
