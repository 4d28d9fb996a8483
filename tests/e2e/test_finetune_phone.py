"""On a phone: the run that is shown comes before the form of the next one."""

from __future__ import annotations

import time

import pytest

from maskviz import runs
from maskviz.runs.store import Store
from maskviz.training import RunSpec
from maskviz.training.folder import new_folder

SEEN = ("#run", "role=button[name='Clone with changes']", "#data", "role=button[name='Start']")


@pytest.fixture
def ended_run(app_home, monkeypatch):
    """Put a run that has ended into the dashboard's home; yield its name."""
    monkeypatch.setenv("MASKVIZ_HOME", str(app_home))
    folder = new_folder(RunSpec.build(name="told", strategy="random", max_rows=100))
    now = time.time()
    Store().add(folder, state="done", reason="Accuracy 84.1 % plain.", started=now, ended=now)
    yield folder.name
    runs.delete(folder.name)


def tops(visit):
    """Return how far down each part lies, in pixels."""
    return [visit.page.locator(part).first.bounding_box()["y"] for part in SEEN]


def test_a_run_comes_before_the_form_and_links_lead_there_and_back(visit, ended_run):
    visit.page.set_viewport_size({"width": 390, "height": 844})
    visit.open(f"finetune?run={ended_run}", wait="text=To the form of the next run")
    visit.page.locator(SEEN[-1]).wait_for()
    assert (seen := tops(visit)) == sorted(seen)
    visit.page.get_by_text("To the form of the next run").click()
    visit.page.wait_for_function("document.querySelector('#data')?.getBoundingClientRect().y < 200")
    visit.page.get_by_text("To the run", exact=True).click()
    visit.page.wait_for_function("document.querySelector('#run')?.getBoundingClientRect().y > 0")


def test_on_a_wide_screen_form_and_run_lie_side_by_side(visit, ended_run):
    visit.open(f"finetune?run={ended_run}", wait="role=button[name='Clone with changes']")
    form, run = (visit.page.locator(part).first for part in ("#data", SEEN[1]))
    assert form.bounding_box()["x"] < run.bounding_box()["x"]
    assert not visit.page.get_by_text("To the form of the next run").is_visible()
