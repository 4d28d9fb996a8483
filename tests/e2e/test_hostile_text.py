"""Hostile text on every page in a real browser: nothing of it runs, no page falls over."""

from pathlib import Path
from urllib.parse import urlencode

import pytest

import maskviz
from maskviz.report import save, text_report
from tests.hostile import HOSTILE, LINE, unharmed

PAGES = ("", "attention", "compare", "finetune", "experiments", "tasks", "images", "guide")


@pytest.mark.parametrize("path", PAGES)
def test_a_hostile_text_stays_text_on_every_page(visit, path):
    query = urlencode({"text": HOSTILE, "strategy": "random", "ratio": 0.3})
    visit.open(f"{path}?{query}").settle()
    unharmed(visit.page)
    assert "window.pwned=1" in visit.page.get_by_test_id("stSidebar").inner_text()


WALK = ("Attention", "Compare", "Guide", "Fine-tune", "Experiments", "Mask")


@pytest.mark.parametrize(
    ("size", "names"),
    [
        (100_000, ("Attention", "Guide", "Mask")),  # Compare asks about 99 masks of 512 tokens
        pytest.param(len(LINE), WALK, marks=pytest.mark.slow),
    ],
    ids=("100 kB", "1 MB"),
)
def test_a_long_line_is_read_in_part_on_every_page_and_says_so(visit, size, names):
    page = visit.open("?strategy=random&ratio=0.1").page
    text = page.get_by_role("textbox", name="Text", exact=True)
    text.fill(LINE[:size])
    text.press("Control+Enter")
    visit.shown("Read here: the first")
    for name in names:
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
        visit.shown({"Fine-tune": "Does hiding it help?", "Experiments": "Runs"}.get(
            name, "Read here: the first"
        ))  # fmt: skip
        visit.settle()
        unharmed(page)
    with page.expect_download() as download:
        page.get_by_text("Save or load this mask").click()
        page.get_by_role("button", name="Save as JSON").click()
    assert len(Path(download.value.path()).read_text()) < 500_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "tab", "field"),
    [
        ("tasks", None, "Text"),
        ("tasks", "Summarisation", "Text"),
        ("tasks", "Translation", "Translation model"),
        ("images", None, "Image model"),
        ("experiments", "Sweeps", "Ratios, with commas"),
    ],
)
def test_a_hostile_entry_stays_text_in_every_other_field(visit, path, tab, field):
    page = visit.open(path).page
    if tab:
        page.get_by_role("tab", name=tab).click()
        visit.settle()
    entry = page.get_by_test_id("stMain").get_by_label(field, exact=True).first
    entry.fill(HOSTILE)
    entry.press("Control+Enter")
    entry.blur()
    page.wait_for_timeout(500)
    visit.settle()
    unharmed(page)


def test_a_report_on_hostile_text_runs_nothing(browser, tmp_path):
    mask = maskviz.mask(HOSTILE, "random", ratio=0.3, seed=1)
    path = save(text_report(mask), tmp_path / "report.html")
    page, problems = browser.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda r: r.url.startswith("http") and problems.append(r.url))
    page.goto(path.as_uri())
    page.get_by_role("button", name="Where each word looks").click()
    unharmed(page)
    assert "window.pwned=1" in page.locator("main").inner_text()
    page.close()
    assert problems == []
