"""Sweeps: their cells, their controls, that nothing runs twice, and what they find."""

from __future__ import annotations

import json
import math
import sys
import time

import pytest

from maskviz import cli, runs
from maskviz.errors import MaskvizError, ParameterError, RunError, UnknownNameError
from maskviz.runs.store import Store
from maskviz.sweeps import SweepSpec, advance, list_sweeps, load_sweep, results, start
from maskviz.sweeps.results import WORST, measures
from maskviz.sweeps.service import plan
from maskviz.training.data.control import matching_ratio, realised_ratio
from maskviz.training.spec.spec import MaskingSpec
from tests.tiny_runs import tiny_spec


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    """Leave runs in the queue: that they train is tested with the worker."""
    monkeypatch.setattr("maskviz.runs.engines.ensure_worker", lambda: None)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_spec(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def spec(base):
    return SweepSpec(("pattern", "random"), ("mask",), (0.2, 0.4), 2, _with_words(base))


def _with_words(base):
    return base.changed(strategy="pattern", parameters={"words": ["the", "film"]})


def _finish(sweep, accuracy, state="done"):
    """Let the sweep's runs end as if they had trained; accuracy is a function of the cell."""
    for cell, run in sweep.runs().items():
        if run and not run.is_over:
            metrics = {"accuracy_plain": accuracy(cell)}
            if cell.strategy != "none":
                metrics["accuracy_masked"] = accuracy(cell)
            (run.folder / "status.json").write_text(json.dumps({"metrics": metrics}))
            Store().update(run.id, state=state, ended=time.time(), reason="why")


def test_a_sweep_always_has_the_plain_baseline_and_a_control_of_the_same_size(spec):
    sweep = start(spec)
    roles = {cell.setting: cell.role for cell in sweep.cells}
    assert roles["none", "mask", None] == "plain"
    assert roles["random", "mask", 0.2] == "grid"
    for setting, control in sweep.controls.items():
        assert setting[0] == "pattern"
        assert ("random", "mask", control.ratio) in roles
    assert [cell.seed for cell in sweep.cells] == sorted(cell.seed for cell in sweep.cells)
    assert set(sweep.states().values()) == {"queued"}
    assert len({(c.setting, c.seed) for c in sweep.cells}) == len(sweep.cells)


def test_the_control_hides_as_many_words_as_the_strategy(base):
    texts = [f"{'the film ' * (i % 4)}one two three four five six" for i in range(1, 40)]
    masking = MaskingSpec("pattern", parameters={"words": ["film"]})
    wanted = realised_ratio(masking, texts, base.model)
    assert wanted > 0.05
    ratio = matching_ratio(wanted, texts)
    own = realised_ratio(MaskingSpec("random", ratio=ratio), texts, base.model)
    assert own == pytest.approx(wanted, abs=0.03)
    assert matching_ratio(0.0, texts) == 0.0
    assert matching_ratio(1.0, texts) == pytest.approx(1.0, abs=0.11)


def test_the_same_sweep_goes_on_and_a_finished_cell_is_never_run_twice(spec):
    sweep = start(spec)
    _finish(sweep, lambda cell: 0.8)
    count = len(runs.list_runs())
    again = start(spec)
    assert again.id == sweep.id
    assert len(runs.list_runs()) == count
    for engine in ("nowhere", "foreground"):  # also where nothing is left to run
        with pytest.raises(UnknownNameError, match=f"{engine}': choose one of local, ray"):
            start(spec, engine=engine)
    assert set(again.states().values()) == {"done"}
    wider = start(SweepSpec(("pattern", "random"), ("mask",), (0.2, 0.4), 3, spec.base))
    states = wider.states()
    assert {state for cell, state in states.items() if cell.seed < 2} == {"done"}
    assert {state for cell, state in states.items() if cell.seed == 2} == {"queued"}


def test_a_cell_that_failed_is_resumed_and_one_that_is_gone_is_queued_anew(spec):
    sweep = start(spec)
    _finish(sweep, lambda cell: 0.8, state="failed")
    first = next(iter(sweep.runs().values()))
    runs.delete(first.id)
    moved = advance(sweep)
    assert len(moved) == len(sweep.cells)
    assert set(sweep.states().values()) == {"queued"}
    assert len(runs.list_runs()) == len(sweep.cells)


def test_a_sweep_whose_worker_is_gone_gets_another(spec, monkeypatch):
    started = []
    monkeypatch.setattr("maskviz.runs.engines.ensure_worker", lambda: started.append(True))
    sweep = start(spec)
    for alive in (True, False):
        monkeypatch.setattr("maskviz.runs.engines.worker_alive", lambda alive=alive: alive)
        started.clear()
        assert advance(sweep) == []  # every cell is queued already
        assert bool(started) is not alive  # asking once more than once starts no second one
    _finish(sweep, lambda cell: 0.8)
    started.clear()
    advance(sweep)
    assert started == []


def test_data_that_changed_make_cells_and_controls_anew(spec, monkeypatch):
    from pathlib import Path

    sweep = start(spec)
    _finish(sweep, lambda cell: 0.8)
    table = Path(sweep.spec.base.data.path)
    before = table.stat()
    import os

    try:
        os.utime(table, (time.time() + 60, time.time() + 60))
        assert set(sweep.states().values()) == {"waiting"}
        measured = []
        monkeypatch.setattr(
            "maskviz.training.data.control.realised_ratio", lambda *_: measured.append(1) or 0.2
        )
        assert plan(spec).controls  # the controls hide as much as the strategies do on the new rows
        assert measured
    finally:
        os.utime(table, (before.st_atime, before.st_mtime))


def test_results_pair_by_seed_and_the_finding_says_what_can_be_told(spec):
    sweep = start(spec)
    assert results(sweep).finding == "No cell is finished yet."
    best = {"pattern": 0.1, "random": 0.0, "none": 0.0}
    spread = {0: 1.0, 1: 1.002}
    gain = {cell: best[cell.strategy] * spread[cell.seed] for cell in sweep.cells}
    _finish(sweep, lambda c: 0.7 + gain[c] * (c.role == "grid") + 0.01 * c.seed)
    found = results(sweep)
    assert found.plain.interval[0] == pytest.approx(0.705)
    top = next(g for g in found.grid if g.strategy == "pattern")
    assert top.against_plain == pytest.approx((0.1, 0.099, 0.101), abs=5e-4)
    assert top.against_control == pytest.approx(top.against_plain)
    assert found.finding.startswith(
        "pattern 0.2, mask has the highest mean of 4 settings: accuracy 80.5"
    )
    assert "+10.0 points against plain" in found.finding
    assert "; every other ratio does worse" not in found.finding  # 0.2 and 0.4 do the same here
    assert "the ratio 0.4 cannot be told from it" in found.finding
    assert "as the best of 4)" in found.finding
    for measure in measures(sweep):
        assert results(sweep, measure).measure == measure
    with pytest.raises(ParameterError, match="names none: start one with --set group_columns"):
        results(sweep, WORST)


def test_the_best_of_many_settings_needs_a_larger_difference(spec):
    sweep = start(SweepSpec(("pattern", "random"), ("mask",), (0.2, 0.4), 5, spec.base))
    above = [0.024, 0.004, 0.034, 0.004, 0.024]
    _finish(sweep, lambda c: 0.7 + above[c.seed] * (c.setting == ("pattern", "mask", 0.2)))
    found = results(sweep)
    top = next(g for g in found.grid if (g.strategy, g.ratio) == ("pattern", 0.2))
    assert top.against_plain == pytest.approx((0.018, 0.0013, 0.0347), abs=1e-4)
    assert "no difference from plain can be told (−0.8 to +4.4, as the best of 4)" in found.finding
    assert "no difference from its random control" in found.finding


def test_few_seeds_reach_no_further_than_an_accuracy_can_and_plain_text_may_do_best(spec):
    sweep = start(spec)
    lost = {"none": 0.0, "random": 0.1, "pattern": 0.05}
    _finish(sweep, lambda c: 0.97 - lost[c.strategy] + 0.02 * c.seed)
    found = results(sweep)
    assert found.plain.interval[2] == 1.0
    assert found.plain.interval[0] == pytest.approx(0.98)
    assert "that hide words: accuracy 93.0" in found.finding
    controls = [g.name for g in found.groups if g.role == "control"]
    assert all(name.startswith("random control, ") for name in controls)
    assert controls


def test_a_sweep_goes_through_toml_and_is_found_again(spec, tmp_path):
    sweep = start(spec)
    assert load_sweep(sweep.id[:-2]).spec == sweep.spec
    assert [s.id for s in list_sweeps()] == [sweep.id]
    file = tmp_path / "sweep.toml"
    file.write_text(sweep.spec.to_toml())
    assert SweepSpec.from_file(file).id == sweep.id
    with pytest.raises(RunError, match="no sweep 'nowhere'"):
        load_sweep("nowhere")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"strategies": ("none",)}, "needs a strategy"),
        ({"strategies": ("rndom",)}, "Unknown strategy 'rndom'"),
        ({"operators": ("hide",)}, "Unknown operator 'hide'"),
        ({"ratios": (1.5,)}, "ratio is 1.5"),
        ({"seeds": 0}, "seeds is 0"),
        ({"ratios": tuple(i / 1000 for i in range(1, 500))}, "more than 1,000"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused(values, words):
    with pytest.raises(MaskvizError, match=words):
        SweepSpec(**values)


def test_the_command_plans_queues_shows_and_cancels(base, tmp_path, monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["maskviz", "sweep", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, err = capsys.readouterr()
        return int(stopped.value.code or 0), out, err

    file = tmp_path / "spec.toml"
    file.write_text(base.to_toml())
    flags = (str(file), "--strategies", "random", "--ratios", "0.2", "--seeds", "2", "--json")
    status, out, err = call(*flags, "--plan")
    assert status == 0, err
    planned = json.loads(out)
    assert len(planned["cells"]) == 4
    assert runs.list_runs() == []
    status, out, _ = call(*flags, "--detach")
    said = json.loads(out)
    assert (said["state"], said["cells"], said["states"]) == ("queued", 4, {"queued": 4})
    assert json.loads(call(planned["sweep"], "--cancel", "--json")[1])["cancelled"] == 4
    assert json.loads(call("--list", "--json")[1])[0]["sweep"] == planned["sweep"]
    status, _, err = call("--ratios", "a,b", "--strategies", "random")
    assert (status, err.count("\n")) == (2, 1)
    assert "--ratios has 'a'" in err
    assert "Nothing to sweep" in call()[2]
    assert "Unknown engine 'nowhere'" in call(*flags, "--engine", "nowhere")[2]
    assert "Unknown measure" in call("--strategies", "random", "--measure", "luck")[2]


def test_a_few_differences_that_are_all_alike_tell_nothing():
    from maskviz.evidence.intervals import difference

    mean, low, high = difference([0.5, 0.6], [0.75, 0.85])
    assert mean == pytest.approx(0.25)
    assert math.isnan(low)
    assert math.isnan(high)
    assert difference([0.5, 0.6], [0.5, 0.6]) == (0, 0, 0)
    assert difference([0.5] * 5, [0.75] * 5)[1] == pytest.approx(0.25)
