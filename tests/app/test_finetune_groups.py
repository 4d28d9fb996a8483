"""Groups on the Fine-tune page: chosen, cloned, and shown with their figures."""

from __future__ import annotations

import json

from maskviz import runs
from maskviz.runs.store import Store
from tests.app.test_finetune import _button, _page, _upload
from tests.app.test_finetune import no_worker as no_worker


def test_groups_are_chosen_come_back_by_clone_and_each_is_shown_with_its_figure():
    at = _upload("text,label,who\n" + "great film,good,x\ndull film,bad,y\n" * 20)
    assert "worst group" not in at.selectbox(key="ft_metric_for_best_model").options
    at.multiselect(key="ft_groups").set_value(["who"]).run()
    at.selectbox(key="ft_metric_for_best_model").set_value("worst_group_accuracy").run()
    _button(at, "Start").click().run()
    assert not at.exception
    run = runs.list_runs()[0]
    assert run.spec.data.group_columns == "who"
    assert run.spec.training.metric_for_best_model == "worst_group_accuracy"
    group = {"group_accuracy": {"x": 0.9, "*y*": 0.7}, "group_rows": {"x": 20, "*y*": 20}}
    row = {"split": "dev", "mask": "plain", "rows": 40, "accuracy": 0.8, **group}
    (run.folder / "result.json").write_text(json.dumps({"evaluations": [row], "finding": "so"}))
    Store().update(run.id, state="done", reason="so")
    at = _page(run=run.id)
    tables = [frame.value for frame in at.dataframe]
    assert not any("group_accuracy" in table for table in tables)
    (shown,) = [table for table in tables if "group" in table]
    assert list(shown["group"]) == ["*y*", "x"]
    assert list(shown["rows"]) == [20, 20]
    _button(at, "Clone with changes").click().run()
    assert at.multiselect(key="ft_groups").value == ["who"]
    at.multiselect(key="ft_groups").set_value([]).run()  # nothing is left to be the worst
    _button(at, "Start").click().run()
    assert not at.exception
    assert "group_columns" not in runs.list_runs()[0].spec.to_dict()["data"]
