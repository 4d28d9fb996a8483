"""The Experiments page: every run in one table, chosen ones side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from maskviz import runs
from maskviz.masks import Choice
from maskviz.runs.compare import differing_settings, finding, summary_row
from maskviz.runs.store import Store
from maskviz.training import RunSpec
from maskviz.training.folder import new_folder

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    """Leave runs in the queue: that they train is tested with the worker."""
    monkeypatch.setattr("maskviz.runs.engines.ensure_worker", lambda: None)
    monkeypatch.setattr("maskviz.runs.ensure_worker", lambda: None)


def _page(selected: tuple[int, ...] = ()) -> AppTest:
    at = AppTest.from_file(APP, default_timeout=120)
    at.switch_page("pages/experiments.py").run()
    if selected:
        at.session_state["runs_table"] = {"selection": {"rows": list(selected), "columns": []}}
        at.run()
    return at


def _a_run(name: str, state: str = "done", turned: float | None = None, **values) -> str:
    folder = new_folder(RunSpec.build(name=name, **values))
    metrics = {"accuracy_plain": 0.8}
    if turned is not None:
        metrics["accuracy_reversed_plain"] = turned
    (folder / "status.json").write_text(json.dumps({"step": 4, "steps": 8, "metrics": metrics}))
    (folder / "metrics.jsonl").write_text('{"step": 4, "loss": 0.5, "plain_accuracy": 0.8}\n')
    Store().add(folder, state=state)
    return folder.name


def _words(at: AppTest) -> str:
    return " ".join(m.value for m in [*at.markdown, *at.caption]).replace("\\", "")


def _button(at: AppTest, label: str):
    return next(b for b in at.button if b.label == label)


def test_with_no_runs_it_says_how_the_first_one_comes():
    at = _page()
    assert not at.exception
    assert "No runs yet" in _words(at)
    assert "An example that came with maskviz" in _words(at)
    assert list(at.dataframe[-1].value["Strategy"]) == ["none", "attribute"]
    assert len(at.get("plotly_chart")) == 2


def test_it_opens_with_a_finding_the_table_and_the_newest_curves():
    _a_run("plain", turned=0.1, strategy="none")
    _a_run("names", turned=0.7, strategy="attribute")
    at = _page()
    assert not at.exception
    assert "With the distractor reversed, names (attribute, mask) is right" in _words(at)
    assert list(at.dataframe[0].value["Strategy"]) == ["attribute", "none"]
    assert len(at.get("plotly_chart")) == 2


def test_several_chosen_runs_show_the_settings_that_differ():
    _a_run("one", seed=1)
    _a_run("two", seed=2)
    at = _page((0, 1))
    assert not at.exception
    assert "They differ in 1 setting" in _words(at)
    assert list(at.dataframe[1].value.index) == ["seed"]


def test_one_chosen_run_can_be_resumed():
    run_id = _a_run("one", "failed")
    at = _page((0,))
    assert not at.exception
    _button(at, "Resume").click().run()
    assert runs.load_run(run_id).state == "queued"


def test_one_chosen_run_can_be_deleted():
    _a_run("one")
    at = _page((0,))
    _button(at, "Delete it").click().run()
    assert not at.exception
    assert runs.list_runs() == []


def test_an_active_run_can_be_cancelled():
    run_id = _a_run("one", "queued")
    at = _page((0,))
    _button(at, "Cancel").click().run()
    assert runs.load_run(run_id).state == "cancelled"


def test_clone_opens_the_form_with_its_settings():
    _a_run("one", learning_rate=2e-5, strategy="span", ratio=0.4, max_rows=700, seed=9)
    at = _page((0,))
    _button(at, "Clone").click().run()
    at.switch_page("pages/finetune.py").run()  # the test runner does not follow the page's switch
    assert not at.exception
    assert at.number_input(key="ft_learning_rate").value == 2e-5
    assert at.number_input(key="ft_rows").value == 700
    assert at.number_input(key="view_seed").value == 9


def test_the_finding_names_best_and_worst_where_the_distractor_is_reversed():
    _a_run("good", turned=0.7)
    _a_run("bad", turned=0.1)
    said = finding(runs.list_runs())
    assert "good (random, mask) is right in 70\u00a0% of the rows" in said
    assert said.endswith("cannot be told apart in accuracy.")


def test_a_row_and_a_difference():
    run_id = _a_run("one", max_rows=100)
    row = summary_row(runs.load_run(run_id))
    assert (row["Run"], row["Accuracy plain"], row["Progress"]) == (run_id, 0.8, 1.0)
    specs = {"a": RunSpec.build(strategy="none"), "b": RunSpec.build(ratio=0.3)}
    assert differing_settings(specs) == {
        "masking.strategy": ["none", "random"],
        "masking.ratio": [None, 0.3],
    }
    joined = RunSpec.build(strategy="none", second=Choice("entity"))
    assert differing_settings({"a": specs["a"], "b": joined}) == {
        "masking.join": [None, "or"],
        "masking.second.strategy": [None, "entity"],
        "masking.second.seed": [None, 0],
    }
