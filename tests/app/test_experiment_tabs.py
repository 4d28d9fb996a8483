"""The tabs Sweeps, Planted distractor and Pre-training: empty, started, half-way and done."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from maskviz import runs, sweeps
from maskviz.evidence.cells import cell_file, read_cells
from maskviz.evidence.distraction.experiment import QUICK as SMALL
from maskviz.evidence.distraction.experiment import Experiment as Asked
from maskviz.evidence.distractor.experiment import ARMS, QUICK, Experiment
from maskviz.evidence.distractor.interference import known_cells, summarise
from maskviz.paths import write_atomic
from maskviz.runs.background import Background
from maskviz.runs.store import Store
from maskviz.sweeps.shipped import shipped_pretraining, shipped_sweep
from tests.tiny_runs import tiny_spec
from tests.unit.test_distraction import cells

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch):
    """Leave runs in the queue and commands unstarted; keep what would have been started."""
    asked: list[tuple[str, list[str]]] = []
    # The test runner forgets app.py before every run, as a fresh server does before its first: the
    # page then starts again, and a pressed button would be lost.
    monkeypatch.setattr("maskviz.ui.shared.page._run_app_script", lambda: None)
    monkeypatch.setattr("maskviz.runs.engines.ensure_worker", lambda: None)
    monkeypatch.setattr("maskviz.runs.ensure_worker", lambda: None)
    monkeypatch.setattr(
        Background, "start", lambda self, arguments: asked.append((self.name, list(arguments)))
    )
    return asked


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_spec(tmp_path_factory.mktemp("tiny"))


def _tab(name: str, **state: object) -> AppTest:
    at = AppTest.from_file(APP, default_timeout=300)
    for key, value in {"experiments_tab": name, **state}.items():
        at.session_state[key] = value
    at.switch_page("pages/experiments.py").run()
    assert not at.exception
    return at


def _words(at: AppTest) -> str:
    said = [m.value for m in [*at.markdown, *at.caption, *at.error]]
    shown = re.sub("[\\\\\u2068\u2069]", "", " ".join(said))  # escapes and isolates are not seen
    return shown.replace("\u00a0", " ")


def _again(at: AppTest, name: str) -> AppTest:
    """Run the page again on this tab: the test runner does not send which one is open."""
    at.session_state["experiments_tab"] = name
    at.run()
    assert not at.exception
    return at


def _press(at: AppTest, label: str, name: str) -> AppTest:
    next(b for b in at.button if b.label == label).click()
    return _again(at, name)


def _labels(at: AppTest) -> list[str]:
    return [b.label for b in at.button]


def _finish(sweep: sweeps.Sweep, accuracy, seeds: int = 99, state: str = "done") -> None:
    """Let cells end as if they had trained; `accuracy` is a function of the cell."""
    for cell, run in sweep.runs().items():
        if run and not run.is_over and cell.seed < seeds:
            kind = "plain" if cell.strategy == "none" else "masked"
            metrics = {f"accuracy_{kind}": accuracy(cell)}
            (run.folder / "status.json").write_text(json.dumps({"metrics": metrics}))
            Store().update(run.id, state=state, ended=time.time(), reason="why")


def _sweep(base) -> sweeps.Sweep:
    words = base.changed(strategy="pattern", parameters={"words": ["the", "film"]})
    return sweeps.start(sweeps.SweepSpec(("pattern", "random"), ("mask",), (0.2, 0.4), 2, words))


def _accuracy(cell) -> float:
    best = {"pattern": 0.1, "random": 0.0, "none": 0.02}[cell.strategy] * (cell.role != "control")
    return 0.7 + best + 0.01 * cell.seed + 0.05 * (cell.ratio == 0.4)


# sweeps ---------------------------------------------------------------------------------------


def test_without_a_sweep_the_tab_says_what_one_is():
    at = _tab("Sweeps")
    assert "Which strategy, which ratio?" in _words(at)
    found, command = shipped_sweep()
    assert f"An example: {found.finding[:30]}" in _words(at)
    assert command in [block.value for block in at.code]
    assert len(at.get("plotly_chart")) == 2


def test_the_form_starts_a_sweep_and_shows_its_cells(base):
    at = _tab("Sweeps", sw_ratios="0.3", sw_seeds=2, sw_steps=1, sw_rows=100)
    at.multiselect(key="sw_strategies").set_value(["random"])
    at.multiselect(key="sw_groups_example").set_value(["distractor", "label"])
    _press(at, "Start the sweep", "Sweeps")
    assert not at.exception
    assert [e.value for e in at.error] == []
    (sweep,) = sweeps.list_sweeps()
    assert (sweep.spec.strategies, sweep.spec.ratios, sweep.spec.seeds) == (("random",), (0.3,), 2)
    assert sweep.spec.base.data.max_rows == 100
    assert sweep.spec.base.data.group_columns == "distractor,label"
    assert len(runs.list_runs()) == len(sweep.cells) == 4
    assert "No cell is finished yet" in _words(at)
    assert len(at.get("plotly_chart")) == 1  # the grid of states
    _press(at, "Cancel what is not finished", "Sweeps")
    assert {run.state for run in runs.list_runs()} == {"cancelled"}


@pytest.mark.parametrize("written", ["a lot", "0.2, 1.7", ""])
def test_ratios_that_are_none_are_one_line(written):
    at = _tab("Sweeps", sw_ratios=written)
    _press(at, "Start the sweep", "Sweeps")
    assert not at.exception
    assert len(at.error) == 1
    assert sweeps.list_sweeps() == []


def test_a_half_finished_sweep_shows_what_is_known_and_goes_on(base):
    sweep = _sweep(base)
    _finish(sweep, _accuracy, seeds=1)
    _finish(sweep, _accuracy, state="failed")
    at = _tab("Sweeps")
    done = sum(state == "done" for state in sweep.states().values())
    assert any(
        f"{done} of {len(sweep.cells)} cells done" in str(p.proto) for p in at.get("progress")
    )
    assert len(at.get("plotly_chart")) == 3  # curves, heatmap and the grid of states
    assert "of too few seeds to tell" in _words(at)
    finished = {run.id for run in sweep.runs().values() if run.state == "done"}
    _press(at, "Go on", "Sweeps")
    assert not at.exception
    states = {run.id: run.state for run in sweep.runs().values()}
    assert {states[run] for run in finished} == {"done"}
    assert {state for run, state in states.items() if run not in finished} == {"queued"}
    assert len(runs.list_runs()) == len(sweep.cells)


def test_a_finished_sweep_opens_with_its_answer_and_changes_the_measure(base):
    sweep = _sweep(base)
    _finish(sweep, _accuracy)
    at = _tab("Sweeps")
    assert "pattern 0.4, mask has the highest mean" in _words(at)
    assert "Go on" not in _labels(at)
    assert len(at.get("plotly_chart")) == 2
    table = at.dataframe[0].value
    assert next(iter(table["setting"])) == "plain"
    assert any(name.startswith("random control") for name in table["setting"])
    at.selectbox(key="sw_measure").set_value("macro-F1")
    _again(at, "Sweeps")
    assert not at.exception
    assert "No cell is finished yet" in _words(at)  # the runs have no such figure


# the planted distractor -----------------------------------------------------------------------


def _cells(experiment: Experiment, seeds: int) -> None:
    lean = {"plain": 0.3, "random": 0.4, "key": 0.1}
    for seed in range(seeds):
        for arm in ARMS:
            own = lean.get(arm, 0.0) + 0.01 * seed
            figures = {
                "accuracy_aligned": 0.8, "accuracy_neutral": 0.75,
                "accuracy_reversed": 0.8 - own, "reliance": own, "worst_group": 0.6,
                "leakage_text": 0.7, "leakage_text_chance": 0.5,
                "leakage_representation": 0.6, "leakage_representation_chance": 0.5,
            }  # fmt: skip
            write_atomic(cell_file(experiment, seed, arm), json.dumps(figures))


def test_one_button_starts_the_experiment_with_what_was_chosen(nothing_starts):
    at = _tab("Planted distractor", if_kind="age", if_seeds=2)
    assert "keep a model from learning it?" in _words(at)
    _press(at, "Run the experiment", "Planted distractor")
    assert not at.exception
    ((name, arguments),) = nothing_starts
    assert name.startswith("interference-")
    assert "--quick" in arguments
    assert arguments[arguments.index("--kind") + 1] == "age"
    assert arguments[arguments.index("--seeds") + 1] == "2"


def test_finished_seeds_are_shown_and_the_rest_goes_on():
    _cells(Experiment(**QUICK), 2)
    at = _tab("Planted distractor")
    assert "So far 2 of 5 seeds." in _words(at)
    assert "Go on" in _labels(at)
    assert len(at.get("plotly_chart")) == 2


def test_the_result_says_what_held_and_what_did_not():
    _cells(Experiment(**QUICK), 5)
    at = _tab("Planted distractor")
    said = _words(at)
    assert "the model loses 32.0 points of accuracy" in said
    assert "Against the claim: “Hiding as much at random wins back nothing” does not hold" in said
    assert "Hiding attributes wins back 90 % or more" in said
    assert "**Does not hold**: Hiding as much at random wins back nothing" in said
    assert not {"Go on", "Run the experiment"} & set(_labels(at))
    table = at.dataframe[0].value
    assert list(table["arm"]) == list(ARMS)
    assert {"worst_group", "recovery"} <= set(table.columns)
    assert all(cell.endswith(") %") for cell in table["leakage_representation"])  # with chance


def test_what_came_with_the_model_is_shown_until_it_is_measured_here(tmp_path, monkeypatch):
    experiment = Experiment(**QUICK)
    _cells(experiment, 5)
    kept = summarise(experiment, read_cells(experiment)).to_dict()
    for file in experiment.folder.glob("*.json"):
        file.unlink()
    monkeypatch.setattr("maskviz.evidence.distractor.interference.assets", lambda: tmp_path)
    for identity, shown in (("of other weights", False), (experiment.id, True)):
        (tmp_path / "interference.json").write_text(json.dumps({**kept, "id": identity}))
        assert bool(known_cells(experiment)["plain"]) is shown
    assert known_cells(experiment) == kept["cells"]


# distraction ----------------------------------------------------------------------------------


def test_distraction_starts_as_a_command_and_says_what_it_is_about(nothing_starts):
    at = _tab("Distraction", di_operator="attention")
    assert "Do irrelevant sentences disturb a chat model" in _words(at)
    _press(at, "Run the experiment", "Distraction")
    ((name, arguments),) = nothing_starts
    assert name.startswith("distraction-")
    assert arguments[:3] == ["bench", "distraction", "--json"]
    assert arguments[arguments.index("--operator") + 1] == "attention"
    assert "--quick" in arguments


@pytest.mark.parametrize("seeds", [1, 2])
def test_distraction_shows_curves_and_no_verdict_of_two_seeds(seeds):
    experiment = Asked(**SMALL)
    for seed, arm in product(range(seeds), experiment.arms):
        figures = cells(5)[arm][seed]
        write_atomic(cell_file(experiment, seed, arm), json.dumps(figures))
    at = _tab("Distraction")
    assert f"{seeds} seed{'s' * (seeds > 1)}: no verdict." in _words(at)
    assert ("So far 1 of 2 seeds." in _words(at)) == (seeds == 1)
    assert len(at.get("plotly_chart")) == 2
    table = at.dataframe[0].value
    assert list(table["arm"]) == list(experiment.arms)
    assert table["k8"].between(0, 100).all()
    assert "What was claimed" not in _words(at)


def test_distraction_of_five_seeds_says_what_held():
    experiment = Asked(**{**SMALL, "seeds": 5})
    for seed, arm in product(range(5), experiment.arms):
        write_atomic(cell_file(experiment, seed, arm), json.dumps(cells(5)[arm][seed]))
    at = _tab("Distraction", di_seeds_quick=5)
    assert "**Does not hold**: Hiding them in training helps more" in _words(at)
    assert not {"Go on", "Run the experiment"} & set(_labels(at))


# pre-training ---------------------------------------------------------------------------------

PRETRAINED = {
    "without": {"values": [0.70, 0.72, 0.71]}, "with": {"values": [0.75, 0.78, 0.75]},
    "runs": {"pretrain": ["a"], "with": ["b"], "without": ["c"]},
}  # fmt: skip


def test_pre_training_starts_as_a_command_and_shows_what_it_found(nothing_starts):
    at = _tab("Pre-training", pt_seeds=2, pt_ratio=40)
    assert "Does reading more text without labels help" in _words(at)
    assert f"An example: {shipped_pretraining()[0].finding[:10]}" in _words(at)
    _press(at, "Run it", "Pre-training")
    ((name, arguments),) = nothing_starts
    assert arguments[:2] == ["bench", "pretraining"]
    assert arguments[arguments.index("--ratio") + 1] == "0.4"
    write_atomic(Background(name).folder / "out.json", json.dumps(PRETRAINED))
    _again(at, "Pre-training")
    assert not at.exception
    assert "Accuracy 71.0 % without and 76.0 % with pre-training: +5.0 points" in _words(at)
    assert len(at.get("plotly_chart")) == 1


def test_pre_training_that_stopped_says_why(nothing_starts):
    at = _tab("Pre-training")
    _press(at, "Run it", "Pre-training")
    ((name, _),) = nothing_starts
    write_atomic(Background(name).folder / "log.txt", "The model 'x' has no masked-LM head.\n")
    _again(at, "Pre-training")
    assert "It stopped: The model 'x' has no masked-LM head." in _words(at)
    assert "Go on" in _labels(at)


def test_the_names_of_data_and_models_stay_text(base, tmp_path):
    name = "</script><img src=x onerror=alert(1)>*_.csv".replace("/", "")
    table = tmp_path / name
    table.write_text(Path(base.data.path).read_text())
    runs.submit(replace(base, data=replace(base.data, path=str(table))))
    at = _tab("Sweeps")
    assert name in at.selectbox(key="sw_data").options
    assert not any(m.allow_html for m in at.markdown)
