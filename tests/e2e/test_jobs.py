"""Six jobs that people come with, walked through to their end without a dead end.

Each is walked once in one window; the others, a phone's and the dark ones among them, are slow.
"""

from __future__ import annotations

import csv
import io
import random
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from maskviz import runs
from tests.accessible import violations
from tests.hostile import upload
from tests.tiny_models import build
from tests.tiny_runs import tiny_spec

WIDE, PHONE = (1400, 900), (390, 844)
WINDOWS = {
    "wide, light": (WIDE, "light"),
    "wide, dark": (WIDE, "dark"),
    "phone, light": (PHONE, "light"),
    "phone, dark": (PHONE, "dark"),
}
PATIENCE = 90_000  # milliseconds
IN_SIGHT = """() => document.querySelector("textarea[aria-label=Text]")
    ?.getBoundingClientRect().y < innerHeight"""
TEXT = "Anna from Leeds says the staff were kind, but the delivery was late and the box was broken."


def windows(first: str = "wide, light"):
    """Walk in one window, and when there is time in the others."""
    slow = (pytest.param(name, marks=pytest.mark.slow) for name in WINDOWS if name != first)
    return pytest.mark.parametrize("window", [first, *slow])


@pytest.fixture
def seat(visit, window):
    """A tab in a window of this size and theme."""
    (width, height), scheme = WINDOWS[window]
    visit.page.set_viewport_size({"width": width, "height": height})
    visit.page.emulate_media(color_scheme=scheme)
    return visit


def sound(visit):
    """Hold a page at rest to what each is held to: no error, no overflow, none shut out."""
    visit.settle()
    expect(visit.page.get_by_test_id("stException")).to_have_count(0)
    expect(visit.page.get_by_test_id("stAlertContentError")).to_have_count(0)
    assert visit.overflow <= 0
    assert violations(visit.page) == []


def complaints(rows: int, labels: tuple[str, ...], named: str = "outcome") -> str:
    """Return a table of complaints with region and gender, its labels in the file's own words."""
    rng, out = random.Random(7), io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["complaint", named, "region", "gender"])
    good = ("was quick and kind", "was great", "was lovely and helpful")
    bad = ("was late and rude", "was dull and a complete waste", "never came and was awful")
    for i in range(rows):
        name, gender = rng.choice((("Anna", "woman"), ("David", "man")))
        region = rng.choice(("north", "south"))
        said = rng.choice(good if i % 2 else bad)
        writer.writerow(
            [f"{name} in the {region} says the service {said}.", labels[i % len(labels)], region,
             gender]
        )  # fmt: skip
    return out.getvalue()


def give(visit, name: str, content: str) -> None:
    """Upload a table into the page's one uploader."""
    visit.page.get_by_test_id("stMain").locator("input[type=file]").set_input_files(
        upload(name, content)
    )


def choose(visit, label: str, *values: str) -> None:
    """Choose values in a field of the page by keyboard: a list closes where the page scrolls.

    By their places, not their roles: an open list hides the roles of all else.
    """
    field = visit.page.get_by_test_id("stMultiSelect").filter(has_text=label).locator("input").last
    field.scroll_into_view_if_needed()
    for value in values:
        field.fill(value)
        one = re.compile(rf"^{re.escape(value)}$")
        expect(visit.page.locator("[role=option]").filter(has_text=one)).to_be_visible()
        field.press("ArrowDown")
        field.press("Enter")
        visit.settle()
    field.press("Tab")  # closes a list that stays open


def downloaded(visit, name: str | re.Pattern[str]) -> str:
    """Press a button that gives a file; return what it holds."""
    with visit.page.expect_download(timeout=PATIENCE) as download:
        visit.page.get_by_role("button", name=name).first.click()
    return Path(download.value.path()).read_text("utf-8")


@windows()
def test_complaints_of_ones_own_are_compared_by_region_and_gender(seat, browser):
    page = seat.open("compare?view=A+file").page
    give(seat, "complaints.csv", complaints(24, ("unsatisfied", "satisfied")))
    seat.shown("Which label of mini does each value stand for?")
    seat.shown("24 rows can be compared")
    page.get_by_text("More", exact=True).first.click()
    choose(seat, "Columns with groups", "region", "gender")
    page.get_by_role("button", name="Compare all rows").click()
    seat.shown("Download every row")
    seat.shown("Whom does it fail?")
    sound(seat)
    rows = list(csv.DictReader(io.StringIO(downloaded(seat, "Download every row"))))
    assert len({row["row"] for row in rows}) == 24
    assert {"unsatisfied", "satisfied"} >= {row.get("outcome", "satisfied") for row in rows}
    other, found = browser.new_page(), seat.headline
    other.goto(page.url)  # the address alone opens it for somebody else
    expect(other.locator("h3").first).to_have_text(
        re.compile(re.escape(found[:40])), timeout=PATIENCE
    )
    other.close()


@pytest.mark.slow  # that such labels are asked for is held by tests/app/test_compare.py
@windows()
def test_a_model_of_ones_own_with_numbered_labels_needs_no_other_names(seat, tmp_path):
    model = build("bert", tmp_path / "mine", num_labels=3)  # they are LABEL_0 to LABEL_2
    seat.open(f"compare?{urlencode({'view': 'A file', 'model': str(model)})}")
    give(seat, "mine.csv", complaints(24, ("negative", "neutral", "positive"), "label"))
    seat.shown("does each value stand for?")
    seat.shown("24 rows can be compared")
    page = seat.page
    page.get_by_role("button", name="Compare all rows").click()
    seat.shown("Download every row")
    sound(seat)


@pytest.fixture(scope="module")
def two_runs(app_home, tmp_path_factory):
    """Tune one tiny model twice in the dashboard's home, once with names and gender hidden."""
    folder = tmp_path_factory.mktemp("tuned")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKVIZ_HOME", str(app_home))
        made = [
            runs.train(tiny_spec(folder, name=name, strategy=strategy, max_steps=4, ratio=None))
            for name, strategy in (("plain arm", "none"), ("names hidden", "attribute"))
        ]
        assert [run.state for run in made] == ["done", "done"]
        yield made
        for run in made:
            runs.delete(run.id)


@windows()
def test_two_runs_on_the_same_rows_are_compared_by_a_test(seat, two_runs):
    page = seat.open("experiments", wait="[data-testid=stDataFrame]").page
    seat.shown("On the same 24 held-out rows")
    assert re.search(r"McNemar p [=<] [\d.]+|cannot be told apart", seat.headline)
    for name in ("plain arm", "names hidden"):
        assert name in seat.headline
    grid = page.get_by_test_id("stDataFrame").first
    box = grid.bounding_box()
    for row in range(2):  # the boxes at the left of the first two rows
        page.mouse.click(box["x"] + 18, box["y"] + 35 * (row + 1) + 18)
        seat.settle()
    # Once above the table, once for the two that are chosen.
    expect(page.get_by_text("On the same 24 held-out rows")).to_have_count(2, timeout=PATIENCE)
    sound(seat)


@windows()
def test_what_was_found_is_shared_by_a_link(seat, browser):
    page = seat.open(f"?{urlencode({'text': TEXT, 'strategy': 'entity'})}", wait=".unit").page
    page.locator(".unit:not(.off)", has_text="kind").click()
    seat.settle()
    found = seat.headline
    if WINDOWS["phone, light"][0] == tuple(page.viewport_size.values()):
        page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_text("Link to this view").click()
    page.get_by_text("Put my text into the link").click()
    address = page.get_by_test_id("stPopoverBody").locator("code", has_text="text=")
    address.wait_for(timeout=PATIENCE)
    other = browser.new_page(viewport={"width": 390, "height": 844})
    other.goto(address.inner_text().strip())
    expect(other.locator("h3").first).to_have_text(found, timeout=PATIENCE)
    expect(other.locator(".unit.off .word").last).to_have_text("kind", timeout=PATIENCE)
    other.close()


PLAIN_WORDS = ("{'", "dev,", "None", "nan", "KL", "logit")  # not in what a manager reads first


@windows()
def test_a_report_is_read_by_somebody_who_knows_no_statistics(seat, browser, tmp_path):
    values = {"view": "This text", "text": TEXT, "strategy": "attribute"}
    seat.open(f"compare?{urlencode(values)}")
    found = seat.headline
    (tmp_path / "report.html").write_text(downloaded(seat, "Report"), "utf-8")
    other = browser.new_page()
    asked: list[str] = []
    other.on("request", lambda request: asked.append(request.url))
    other.goto((tmp_path / "report.html").as_uri())
    said = other.locator("h1, h2, p").all_inner_texts()
    assert any(found.split(";")[0][:30] in " ".join(line.split()) for line in said)
    assert [word for word in PLAIN_WORDS if word in " ".join(said[:3])] == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert violations(other) == []
    other.close()


@windows("phone, light")
def test_by_thumb_and_by_keyboard_alone(seat):
    page = seat.open(f"?{urlencode({'text': TEXT, 'strategy': 'entity'})}", wait=".unit").page
    sidebar = page.get_by_test_id("stSidebar")
    if page.viewport_size["width"] == PHONE[0]:
        page.wait_for_function(IN_SIGHT, timeout=PATIENCE)
        page.get_by_test_id("stExpandSidebarButton").click()
        page.get_by_test_id("stSidebarNavLink").filter(has_text="Compare").click()
        expect(sidebar).to_have_attribute("data-collapsed", "true")
        seat.settle()
        page.get_by_test_id("stExpandSidebarButton").click()
        page.reload()
        expect(sidebar).to_have_attribute("data-collapsed", "true", timeout=PATIENCE)
        seat.open(f"?{urlencode({'text': TEXT, 'strategy': 'entity'})}", wait=".unit")
    page.get_by_label("Text", exact=True).focus()
    for key in ("Tab", "Tab"):  # the language beside the text, then the strategies
        page.keyboard.press(key)
    expect(page.locator(":focus")).to_have_text("entity")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(":focus")).to_have_text("sentence")
    page.keyboard.press("Space")
    seat.shown("18 of 18 words are hidden")
    page.locator(".unit").first.focus()
    page.keyboard.press("Space")
    seat.shown("17 of 18 words are hidden")
    sound(seat)
