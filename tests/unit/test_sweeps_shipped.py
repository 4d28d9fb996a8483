"""The finished experiments that came with maskviz: whole, and what their own figures say."""

from __future__ import annotations

import statistics

import pytest

from maskviz.evidence.intervals import difference, mean_interval
from maskviz.runs.compare import finding
from maskviz.sweeps.shipped import folder, shipped_pretraining, shipped_runs, shipped_sweep
from maskviz.training.folder import read_json


def test_the_runs_are_two_of_one_kind_without_a_model() -> None:
    plain, hidden = shipped_runs()
    assert (plain.spec.masking.strategy, hidden.spec.masking.strategy) == ("none", "attribute")
    assert plain.spec.data == hidden.spec.data
    assert plain.spec.seed == hidden.spec.seed
    for run in (plain, hidden):
        assert run.state == "done"
        assert run.model_path is None
        last = [row for row in run.history if "plain_accuracy" in row][-1]
        assert last["plain_accuracy"] == pytest.approx(run.metrics["accuracy_plain"])
    assert finding([plain, hidden])


def test_the_sweep_says_what_its_figures_say() -> None:
    found, command = shipped_sweep()
    kept = read_json(folder() / "sweep.json")
    assert found.finding
    assert f"--seeds {found.seeds} " in command
    assert kept["state"] == "done"
    for group, said in zip(found.groups, kept["results"], strict=True):
        assert _listed(group.against_plain) == said["against_plain"]
        assert _listed(group.against_control) == said["against_control"]
        assert group.interval[0] == pytest.approx(statistics.mean(group.values.values()))
        assert len(group.values) == found.seeds
    assert {group.role for group in found.groups} == {"plain", "grid", "control"}
    assert any(group.control for group in found.grid)


def _listed(interval: tuple[float, float, float] | None) -> object:
    return None if interval is None else pytest.approx(list(interval))


def test_the_pre_training_says_what_its_figures_say() -> None:
    found, command = shipped_pretraining()
    kept = read_json(folder() / "pretraining.json")
    assert found.finding
    assert kept["difference"] == pytest.approx(list(difference(found.without, found.with_it)))
    assert kept["with"]["ci95"] == pytest.approx(list(mean_interval(found.with_it)))
    assert f"--seeds {len(found.with_it)}" in command


def test_they_hold_nothing_of_the_machine_that_made_them() -> None:
    files = [path for path in folder().rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 60_000
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert "pid" not in text
        assert "/home/" not in text
        assert "/tmp/" not in text
