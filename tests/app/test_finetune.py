"""The Fine-tune page: the form makes a run, and the run is found again by whoever looks."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from maskviz import runs
from maskviz.masks import Choice
from maskviz.runs.store import Store
from maskviz.training import RunSpec
from maskviz.training.folder import new_folder
from tests.tiny_chat import chat_model

ROOT = Path(__file__).parents[2]
TIMEOUT = 120


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    """Leave runs in the queue: that they train is tested with the worker."""
    monkeypatch.setattr("maskviz.runs.engines.ensure_worker", lambda: None)
    monkeypatch.setattr("maskviz.runs.ensure_worker", lambda: None)


def _page(**query: str) -> AppTest:
    at = AppTest.from_file(ROOT / "pages" / "finetune.py", default_timeout=TIMEOUT)
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def _a_run(state: str = "done", **status) -> str:
    """Write a run as a worker leaves it."""
    folder = new_folder(RunSpec.build(name="told", strategy="random", max_rows=100))
    metrics = {"accuracy_plain": 0.841, "ci95_plain": 0.012, "accuracy_masked": 0.829}
    status = {"step": 20, "steps": 40, "seconds": 30.0, "metrics": metrics, **status}
    (folder / "status.json").write_text(json.dumps(status))
    lines = [
        {"step": 10, "loss": 0.7, "grad_norm": 1.5, "learning_rate": 1e-4, "seconds": 1},
        {"step": 10, "plain_accuracy": 0.8, "plain_ci95": 0.01},
    ]
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (folder / "log.txt").write_text("12:00:00 <b>training</b>\n")
    reason = "Accuracy 84.1 % ± 1.2 plain, 82.9 % masked." if state == "done" else ""
    Store().add(folder, state=state, reason=reason, started=time.time())
    return folder.name


def _button(at: AppTest, label: str):
    return next(b for b in at.button if b.label == label)


def _words(at: AppTest) -> str:
    said = " ".join(m.value for m in [*at.subheader, *at.markdown, *at.caption])
    return said.replace("\u00a0", " ")


def test_it_opens_with_what_it_is_for_and_an_estimate():
    at = _page()
    assert not at.exception
    assert "Does hiding it help" in _words(at)
    assert "steps over 2,000 rows" in _words(at)
    assert not _button(at, "Start").disabled


def test_start_queues_the_run_the_form_describes():
    at = _page()
    at.number_input(key="ft_num_train_epochs").set_value(2.0).run()
    at.number_input(key="ft_rows").set_value(300).run()
    _button(at, "Start").click().run()
    assert not at.exception
    (run,) = runs.list_runs()
    assert run.state == "queued"
    assert run.spec.training.num_train_epochs == 2.0
    assert run.spec.data.max_rows == 300
    assert at.query_params["run"] == run.id
    assert "Waiting for its turn" in _words(at)


@pytest.mark.parametrize(
    ("kind", "strategy"), [("place", "entity"), ("age", "attribute"), ("gender", "attribute")]
)
def test_one_click_hides_what_is_planted_in_the_example_set(kind, strategy):
    at = _page()
    assert "asks the model about each word" in _words(at)  # the first example's own strategy
    at.toggle(key="ft_hide").set_value(False).run()
    at.selectbox(key="ft_kind").set_value(kind).run()
    _button(at, f"Hide the {kind}s in training").click().run()
    assert not at.exception
    assert at.toggle(key="ft_hide").value
    assert at.session_state["maskviz_view"].strategy == strategy
    assert not [b for b in at.button if b.label.startswith("Hide the")]
    assert "manual" not in at.button_group(key="view_strategy").options


def test_without_an_address_a_run_in_training_comes_before_one_that_waits():
    going = _a_run("running")
    waiting = _a_run("queued")
    said = _words(_page()).replace("\\", "")
    assert going in said
    assert waiting not in said


def test_without_hiding_the_run_has_no_mask():
    at = _page()
    at.toggle(key="ft_hide").set_value(False).run()
    _button(at, "Start").click().run()
    assert not runs.list_runs()[0].spec.masking.active


def test_a_second_strategy_and_the_complement_are_part_of_the_run_and_come_back_by_clone():
    at = _page(strategy="random", ratio="0.3", seed="1")
    at.selectbox(key="view_2_strategy").set_value("entity").run()
    assert not at.session_state["maskviz_view"].combined  # nothing says yet how it joins
    at.segmented_control(key="view_2_join").set_value("minus").run()
    at.number_input(key="view_2_seed").set_value(4).run()
    at.checkbox(key="view_complement").check().run()
    assert not at.exception
    _button(at, "Start").click().run()
    (run,) = runs.list_runs()
    masking = run.spec.masking
    assert (masking.second, masking.join) == (Choice("entity", seed=4), "minus")
    assert masking.complement
    assert "all but random 30 % minus entity" in _words(at).replace("\\", "")
    Store().update(run.id, state="cancelled")
    other = _page(run=run.id)
    _button(other, "Clone with changes").click().run()
    view = other.session_state["maskviz_view"]
    assert (view.second, view.sign, view.complement) == (masking.second, "minus", True)


def test_the_form_keeps_its_values_across_pages():
    at = AppTest.from_file(ROOT / "app.py", default_timeout=TIMEOUT)
    at.switch_page("pages/finetune.py").run()
    at.number_input(key="ft_per_device_train_batch_size").set_value(8).run()
    at.switch_page("pages/experiments.py").run()
    at.switch_page("pages/finetune.py").run()
    assert at.number_input(key="ft_per_device_train_batch_size").value == 8


def test_a_running_run_is_found_by_a_new_session_and_can_be_cancelled():
    run_id = _a_run(
        "running",
        phase="training",
        seconds_left=120.0,
        tokens_per_second=900.0,
        device="cpu, 2 threads",
        device_use=0.85,
    )
    at = _page()
    assert not at.exception
    assert "Accuracy 84.1 % plain, 82.9 % masked so far, 2 min left" in _words(at)
    assert "900 tokens/s" in _words(at)
    assert "cpu, 2 threads (85 % busy)" in _words(at)
    assert len(at.get("plotly_chart")) == 5  # loss, accuracy; gradient, rate and speed folded away
    _button(at, "Cancel").click().run()
    assert Store().row(run_id)["cancel_requested"]
    assert _button(at, "Cancel").disabled
    assert "it stops at its next step" in str(at.get("progress")[0].proto)


def test_a_done_run_says_its_finding_and_leads_to_compare():
    run_id = _a_run()
    at = _page(run=run_id)
    assert "Accuracy 84.1 % ± 1.2 plain, 82.9 % masked." in _words(at).replace("\\", "")
    assert _button(at, "Compare with mini")


def test_what_the_form_has_no_field_for_comes_along_with_a_clone_until_it_is_dropped():
    spec = RunSpec.build(
        name="told", strategy="random", max_rows=100, max_grad_norm=0.5, eval_fraction=0.3,
        lora_r=4, lora_alpha=64, evaluation={"strategy": "attribute"},
    )  # fmt: skip
    folder = new_folder(spec)
    (folder / "status.json").write_text("{}")
    Store().add(folder, state="cancelled", reason="Cancelled.", started=time.time())
    at = _page(run=folder.name)
    _button(at, "Clone with changes").click().run()
    said = "As in the cloned run: max_grad_norm 0.5, lora_alpha 64, eval_fraction 0.3, evaluation"
    assert said in _words(at).replace("\\", "")
    _button(at, "Start").click().run()
    started = Store().runs()[0].spec
    assert (started.training.max_grad_norm, started.training.lora_alpha) == (0.5, 64)
    assert started.evaluation.strategy == "attribute"
    _button(at, "Drop these").click().run()
    assert "As in the cloned run" not in _words(at)


def test_clone_fills_the_form_with_the_settings_of_the_run():
    spec = RunSpec.build(
        name="told",
        strategy="random",
        max_rows=300,
        lora_r=4,
        matrix="window",
        num_train_epochs=7.0,
    )
    folder = new_folder(spec)
    Store().add(folder, state="done", reason="Accuracy 84.1 % plain.")
    at = _page(run=folder.name)
    _button(at, "Clone with changes").click().run()
    assert not at.exception
    assert at.number_input(key="ft_num_train_epochs").value == 7.0
    assert at.number_input(key="ft_rows").value == 300
    assert at.number_input(key="ft_lora_r").value == 4
    assert at.selectbox(key="ft_matrix").value == "window"


def test_the_address_chooses_the_run_and_an_old_address_is_no_error():
    first = _a_run()
    _a_run("failed")
    assert first in _words(_page(run=first)).replace("\\", "")
    at = _page(run="gone-for-good")
    assert not at.exception


def test_a_failed_run_says_why_and_offers_to_resume():
    run_id = _a_run("failed")
    Store().update(run_id, reason="The disk is full (3 MB free): make room, then resume.")
    at = _page()
    assert "disk is full" in _words(at)
    _button(at, "Resume").click().run()
    assert runs.load_run(run_id).state == "queued"


def test_log_lines_are_shown_as_they_are_never_as_markup():
    _a_run("failed")
    at = _page()
    assert any("<b>training</b>" in block.value for block in at.code)
    assert not any("<b>" in m.value for m in at.markdown)


def test_an_upload_is_previewed_its_columns_guessed_and_its_run_submitted():
    at = _upload("review;mood\n" + "great film;good\ndull film;bad\n" * 20)
    assert not at.exception
    assert (at.selectbox(key="ft_text").value, at.selectbox(key="ft_label").value) == (
        "review", "mood",
    )  # fmt: skip
    _button(at, "Start").click().run()
    spec = runs.list_runs()[0].spec
    assert (spec.data.text_column, spec.data.label_column) == ("review", "mood")
    assert Path(spec.data.path).read_text().startswith("review;mood")


@pytest.mark.parametrize(
    ("learns", "column", "kind"),
    [
        ("several", "label", "multi_label_classification"),
        ("number", "label", "regression"),
        ("hidden", None, "mlm"),
    ],
)
def test_what_an_upload_teaches_is_the_users_choice(learns, column, kind):
    at = _upload("text,label\n" + "great film,1.5\ndull film,2.5\n" * 20)
    at.segmented_control(key="ft_learns").set_value(learns).run()
    assert not at.exception
    assert not at.error or learns == "several"
    _button(at, "Start").click().run()
    spec = runs.list_runs()[0].spec
    assert spec.kind == kind
    assert spec.data.label_column == (column or "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02" * 50, "is binary"),
        (b"PK\x03\x04...xl/workbook.xml", "is an Excel workbook, not a table"),
        (b"text,label\n", "no rows"),
        (b"text label\n" + b"fine a\ndull b\n" * 9, "tabs or bars separate several"),
        (b"text,label\n" + b"fine,a\n" * 9 + b"alone,b\n", "occurs once"),
        (b"text,label\n" + b"fine,a\n" * 9, "only label"),
    ],
)
def test_a_bad_upload_gets_one_sentence_and_no_start(content, words):
    at = _upload(content)
    assert not at.exception
    assert any(words in error.value for error in at.error)
    assert not [b for b in at.button if b.label == "Start"]


def test_conversations_show_what_is_learned_and_train_a_decoder(tmp_path):
    at = _page(model=chat_model(tmp_path / "chat"))
    at.segmented_control(key="ft_source").set_value("Conversations").run()
    for strategy, hides in (("random:0.9", True), ("random:0.9 - role:assistant", False)):
        at.text_input(key="view_combined").set_value(strategy).run()
        assert ("that would be learned" in _words(at)) == hides
    at.toggle(key="ft_hide").set_value(False).run()
    assert not at.exception
    assert not at.error
    assert "Underlined is what is learned" in _words(at)
    assert "the ends of 48 of 48 turns" in _words(at)
    at.number_input(key="ft_prompt_weight").set_value(0.25).run()
    _button(at, "Start").click().run()
    assert not at.exception
    spec = runs.list_runs()[0].spec
    assert (spec.task, spec.loss.prompt_weight, spec.masking.active) == ("causal", 0.25, False)


def _upload(content: bytes | str) -> AppTest:
    at = _page()
    at.segmented_control(key="ft_source").set_value("My own file").run()
    data = content.encode() if isinstance(content, str) else content
    at.file_uploader(key="ft_file").upload("rows.csv", data, "text/csv").run()
    return at


@pytest.mark.parametrize(
    ("measure", "words"),
    [("micro_f1", "Micro-F1 0.812 plain so far"), ("mae", "Mean absolute error 0.812 plain")],
)
def test_a_live_run_leads_with_the_figure_of_its_task(measure, words):
    from maskviz.figures.runs import accuracy_figure, measured
    from maskviz.ui.runs.panel import _so_far

    run = runs.load_run(_a_run("running", metrics={f"{measure}_plain": 0.812}))
    assert _so_far(run).startswith(words)
    history = [{"step": 5, f"plain_{measure}": 0.8}, {"step": 10, f"plain_{measure}": 0.9}]
    assert measured(history) == measure
    assert list(accuracy_figure(history).data[0].y) == [0.8, 0.9]
    assert measured([{"step": 5, "loss": 1.0}]) is None


def test_it_says_in_plain_words_what_hides_how_much_and_waits_for_a_file():
    at = _page()
    assert "hides 15 % of the words" in _words(at)
    at.segmented_control(key="ft_source").set_value("My own file").run()
    assert "Choose a file" in at.info[0].value
    assert "Press **Start**" not in _words(at)


def test_a_queued_run_says_what_trains_now_and_how_many_wait_before_it():
    first = _a_run("running", phase="training", seconds_left=120.0)
    _a_run("queued", steps=0, step=0)
    last = _a_run("queued", steps=0, step=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("maskviz.runs.worker_alive", lambda: True)
        at = _page(run=last)
    said = _words(at).replace("\\", "")
    assert f"{first} (step 20 of 40, 2 min left); then 1 more before this one" in said
    assert "mini  ·  example  ·  random, mask  ·  seed 0" in said


def test_what_does_not_fit_the_memory_has_no_start_and_both_figures(monkeypatch):
    from maskviz.training.machine.machine import Machine

    st.cache_data.clear()
    monkeypatch.setattr(Machine, "of", lambda *_: Machine(False, 0.01))
    at = _page()
    assert _button(at, "Start").disabled
    assert "GB are needed and 0.0 GB are free: lower batch_size or max_length" in at.error[0].value
    st.cache_data.clear()


def test_columns_of_0_and_1_are_chosen_together_and_the_preview_says_how_they_are_read():
    at = _upload("text,joy,anger\n" + "great film,1,0\ndull film,0,1\nso so,0,0\n" * 10)
    at.segmented_control(key="ft_learns").set_value("several").run()
    at.multiselect(key="ft_labels").set_value(["joy", "anger"]).run()
    assert not at.exception
    assert not at.error
    said = [c.value for c in at.caption if "2 columns of 0 and 1" in c.value]
    assert said
    assert "joy 10, anger 10" in said[0]
    _button(at, "Start").click().run()
    assert runs.list_runs()[0].spec.data.label_column == "joy, anger"


@pytest.mark.parametrize("state", ["running", "queued"])
def test_a_run_that_is_cancelled_stays_in_sight_where_another_waits(state):
    shown, other = _a_run(state), _a_run("queued")
    at = _page()
    first = at.query_params["run"]
    assert first in (shown, other)
    Store().update(first, state="cancelled", reason="Cancelled by the user.")
    at.run()
    assert at.query_params["run"] == first
    assert "Cancelled by the user" in _words(at)
