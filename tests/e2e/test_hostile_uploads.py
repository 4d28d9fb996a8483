"""Hostile files uploaded in a real browser: contents, names, columns and labels stay text."""

import csv
import io
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.hostile import (
    HOSTILE,
    NAME,
    PICTURES,
    marked_texts,
    saved_mask,
    table,
    unharmed,
    upload,
)

FORMS = {
    "compare, a file": ("compare?view=A+file", "", "Compare all rows"),
    "compare, fairness": ("compare?view=Fairness", "", "Compare all pairs"),
    "sweeps": ("experiments", "Sweeps", "Text: text"),
    "fine-tune": ("finetune", "My own file", "Label column"),
}


def give(visit, name, content, then):
    """Upload a file into the page's one uploader and wait for what the page then says."""
    visit.page.locator("[data-testid=stMain] input[type=file]").set_input_files(
        upload(name, content)
    )
    visit.shown(then)
    unharmed(visit.settle().page)


@pytest.mark.parametrize("form", FORMS)
def test_a_hostile_table_is_read_by_every_form(visit, form):
    path, choice, then = FORMS[form]
    page = visit.open(path).page
    if choice:
        page.get_by_text(choice, exact=True).first.click()
        visit.settle()
    if form == "sweeps":
        page.get_by_text("More", exact=True).last.click()
    labels = ("negative", "positive") if form == "compare, a file" else ("<b>0</b>", NAME)
    give(visit, f"{NAME}.csv", table(24, labels), then)
    if form != "compare, a file":
        return
    page.get_by_role("button", name=then).click()
    visit.shown("Download every row")
    unharmed(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download every row").click()
    content = Path(download.value.path()).read_text("utf-8")
    for row in csv.reader(io.StringIO(content, newline="")):
        assert not any(cell.startswith(("=", "@", "\t")) for cell in row)


def test_a_hostile_mask_matrix_and_rationales(visit):
    page = visit.open("?strategy=random&ratio=0.3").page
    page.get_by_text("Save or load this mask").click()
    give(visit, f"{NAME}.json", saved_mask(), "This mask belongs to another text")
    page.get_by_role("button", name="Open the mask with its text").click()
    visit.shown("1 of")
    page.locator(".legend", has_text="‹RLO›").first.wait_for()  # a mark of direction, by its name
    unharmed(page)
    with page.expect_download() as download:
        page.locator("[data-act=svg]").first.click()
    picture = ElementTree.parse(download.value.path())
    assert {element.tag.split("}")[1] for element in picture.iter()} == {"svg", "rect", "text"}
    visit.open("guide?strategy=random")
    page.get_by_role("combobox", name="Attention matrix").click()
    page.get_by_role("option", name="custom").click()
    visit.settle()
    give(visit, f"{NAME}.csv", f"{NAME},1\n{HOSTILE}", "⚠️")
    visit.open("compare?view=Word+by+word&strategy=random")
    page.get_by_text("Hold the scores against words").click()
    give(visit, f"{NAME}.jsonl", marked_texts(), "Compare with people")
    page.get_by_role("button", name="Compare with people").click()
    visit.shown("3 texts, of whose words people mark")
    unharmed(page)


def test_a_picture_is_a_picture_or_one_sentence_says_why_not(visit):
    page = visit.open("images").page
    for name, (content, said) in PICTURES.items():
        give(visit, name, content, said)
        page.get_by_role("button", name="Remove").click()
        page.get_by_test_id("stFileChip").wait_for(state="detached")
        visit.shown("Hiding 4 of 16 patches")  # the page has gone back to its own example
        visit.settle()


def test_a_cell_of_the_translations_stays_text(visit):
    page = visit.open("tasks").page
    page.get_by_role("tab", name="Translation").click()
    visit.settle()
    grid = page.get_by_test_id("stDataFrame").locator("visible=true").first
    grid.wait_for()
    box = grid.bounding_box()
    page.mouse.click(box["x"] + 60, box["y"] + 55)
    page.keyboard.type(NAME.replace("\u202e", ""))
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    visit.settle()
    unharmed(page)
    page.get_by_text("The strategy noise hides").wait_for()


def test_a_file_over_the_limit_is_refused_in_the_browser(visit):
    visit.open("compare?view=A+file")
    give(visit, "big.csv", b"text,label\n" + b"a,b\n" * 6_600_000, "25.0MB")
