"""The dashboard in a real browser: pages, strip, attention, links, and text that is only text."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from maskviz.inside.tape import shape_of
from maskviz.models import load_model
from tests.accessible import violations

HEADS = shape_of(load_model("mini"), "encoder")
PAGES = (
    "", "attention", "compare", "chat", "finetune", "experiments", "tasks", "images", "guide",
)  # fmt: skip
TEXT = "The acting was superb, although the ending felt a little too sweet."
NASTY = "<script>window.pwned=1</script> met <img src=x onerror=window.pwned=2> & <b>Bob</b>"


def link(path="", **values):
    given = {"text": TEXT, "strategy": "random", "ratio": 0.25, "seed": 1, "operator": "mask"}
    return f"{path}?{urlencode({**given, **values})}"


def open_strip(visit, **values):
    """Open the Mask page and wait for the strip."""
    return visit.open(link(**values), wait=".unit")


def open_attention(visit, **values):
    """Open the Attention page and wait for the mosaic of all heads."""
    painted = f"canvas[data-painted='{HEADS[0] * HEADS[1]}']"
    return visit.open(link("attention", **values), wait=painted)


def hidden(visit):
    """Return the words that the strip hides."""
    return visit.page.locator(".unit.off .word").all_text_contents()


@pytest.mark.parametrize("path", PAGES)
def test_page_opens_without_error_at_any_width(visit, path):
    visit.open(path)
    page = visit.page
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.locator("[data-testid=stAlertContentError]").count() == 0
    assert len(visit.headline) > 5
    # A fresh server's first visitor on a deep link must get the navigation of app.py as well.
    assert page.get_by_test_id("stSidebarNavLink").count() >= len(PAGES)
    assert visit.overflow <= 0
    assert violations(visit.settle().page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    assert visit.overflow <= 0


def test_a_click_hides_a_word_and_another_shows_it(visit):
    open_strip(visit)
    before = hidden(visit)
    word = visit.page.locator(".unit:not(.off)").first
    name = word.inner_text()
    word.click()
    visit.shown(f"{len(before) + 1} of 12 words are hidden")
    assert sorted(hidden(visit)) == sorted([*before, name])
    visit.page.locator(".unit.off", has_text=name).first.click()
    visit.shown(f"{len(before)} of 12 words are hidden")
    assert sorted(hidden(visit)) == sorted(before)
    expect(visit.page.get_by_label("Seed", exact=True)).to_have_value("1")


def test_a_field_runs_as_the_letters_in_it_do(visit):
    field = open_strip(visit, text="הסרט היה משעמם.").page.get_by_label("Text", exact=True)
    expect(field).to_have_css("unicode-bidi", "plaintext")
    expect(field).to_have_css("text-align", "start")


def test_the_keyboard_hides_a_range_and_takes_it_back(visit):
    open_strip(visit, strategy="manual", hidden="").page.locator(".unit").first.focus()
    press = visit.page.keyboard.press
    for key in ("ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "Enter"):
        press(key)
    visit.shown("3 of 12 words are hidden")
    assert hidden(visit) == ["acting", "was", "superb"]
    press("Control+z")
    expect(visit.page.locator(".count")).to_contain_text("0 of 12")
    press("Control+Shift+Z")
    visit.shown("3 of 12 words are hidden")
    press("Home")
    press("Space")
    visit.shown("4 of 12 words are hidden")
    focused = visit.page.locator(".unit:focus .word")
    expect(focused).to_have_text("The")


def test_shift_and_click_hide_a_range(visit):
    units = open_strip(visit, strategy="manual", hidden="").page.locator(".unit")
    units.nth(6).click()
    units.nth(8).click(modifiers=["Shift"])
    visit.shown("3 of 12 words are hidden")
    assert hidden(visit) == ["ending", "felt", "a"]


def test_another_strategy_replaces_the_users_clicks(visit):
    open_strip(visit, strategy="manual", hidden="").page.locator(".unit").nth(2).click()
    visit.shown("1 of 12 words is hidden")
    visit.page.get_by_text("sentence", exact=True).first.click()
    visit.shown("12 of 12 words are hidden")
    visit.settle()
    assert len(hidden(visit)) == 12


def test_an_example_opened_again_is_without_the_users_clicks(visit):
    visit.open(wait=".unit")
    visit.page.get_by_text("Age, gender, faith").first.click()
    visit.shown("of 24 words are hidden")
    before = hidden(visit.settle())
    visit.page.locator(".unit:not(.off)").nth(2).click()
    visit.shown(f"{len(before) + 1} of 24 words are hidden")
    visit.page.get_by_text("Age, gender, faith").first.click()
    visit.shown(f"{len(before)} of 24 words are hidden")
    assert hidden(visit.settle()) == before


def test_edits_travel_to_the_attention_page_and_back(visit):
    open_strip(visit, strategy="manual", hidden="").page.locator(".unit").nth(3).click()
    visit.shown("1 of 12 words is hidden")
    navigate = visit.page.get_by_test_id("stSidebarNavLink")
    navigate.filter(has_text="Attention").click()
    visit.shown("Hiding 1 of 12 words")
    navigate.filter(has_text="Mask").click()
    visit.page.locator(".unit.off").first.wait_for()
    assert hidden(visit.settle()) == ["superb"]


@pytest.mark.parametrize("other", ["Compare", "Attention"])
def test_the_text_of_ones_own_stands_in_its_field_again(visit, other):
    visit.open(wait=".unit")
    own, field = (
        "Ingrid wrote a slow and lovely letter.",
        visit.page.get_by_label("Text", exact=True),
    )
    field.fill(own)
    field.press("Control+Enter")
    visit.shown("of 7 words")
    for name in (other, "Mask"):
        visit.page.get_by_test_id("stSidebarNavLink").filter(has_text=name).click()
        visit.settle()
    expect(field).to_have_value(own)
    visit.page.go_back()
    visit.settle().page.go_forward()
    expect(field).to_have_value(own)


def test_a_head_of_the_mosaic_opens_large_by_click_and_by_keyboard(visit):
    page = open_attention(visit, show="plain").page
    page.get_by_role("button", name=re.compile("^Layer 3, head 2")).click()
    visit.shown("Layer 3, head 2")
    chosen = page.locator("button.head[aria-pressed=true]")
    chosen.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_text("Layer 3, head 3", exact=True).first.wait_for()
    expect(chosen).to_have_count(1)
    assert "Layer 3, head 3" in chosen.get_attribute("aria-label")


def test_the_large_head_reads_its_values_aloud(visit):
    page = open_attention(visit, show="plain", special="1", words="0").page
    matrix = page.get_by_role("application")
    matrix.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    said = matrix.locator("xpath=..").locator(".live").inner_text()
    assert re.fullmatch(r"\S+ to \S+: [\d.]+ %", said)
    box = matrix.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.7)
    tip = page.locator(".tip:popover-open")
    assert re.match(r"[\d.]+ %\s+from \S+\s+to \S+", tip.inner_text())


def test_the_canvas_follows_the_theme(visit):
    page = open_attention(visit, show="plain").page
    ramp = page.locator(".ramp").first
    least = "e => getComputedStyle(e).backgroundImage.match(/rgb\\((\\d+)/)[1] | 0"
    assert ramp.evaluate(least) > 200
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(1000)
    assert ramp.evaluate(least) < 60


def test_lines_show_one_tokens_attention_alone(visit):
    page = open_attention(visit, show="plain").page
    page.get_by_text("Lines from token to token").click()
    page.locator("svg[data-painted]").wait_for()
    token = page.locator("g.token").nth(4)
    drawn = int(page.locator("svg[data-painted]").get_attribute("data-painted"))
    token.focus()
    page.locator("g.token.lit").first.wait_for()
    alone = page.locator("line:not([style*=none])").count()
    assert 0 < alone < drawn


@pytest.mark.parametrize("path", ["", "attention", "compare"])
def test_the_users_text_stays_text(visit, path):
    page = visit.open(link(path, text=NASTY)).page
    if path == "attention":
        page.get_by_text("Lines from token to token").click()
        page.locator("svg[data-painted]").wait_for()
    else:
        visit.settle()
    assert page.evaluate("window.pwned") is None
    assert page.locator("img[src=x]").count() == 0
    assert page.locator("[data-testid=stSidebar]").get_by_text("window.pwned=1").count() == 1


def test_a_link_shows_the_same_view_to_someone_else(visit, browser):
    page = open_attention(visit, show="masked", head="2.3", hidden="1.4").page
    first = visit.headline
    page.get_by_text("Link to this view").click()
    page.get_by_text("Put my text into the link").click()
    code = page.locator("[data-testid=stSidebar] code, [data-testid=stPopoverBody] code")
    code.filter(has_text="text=").wait_for()
    address = code.first.inner_text().strip()
    other = browser.new_page()
    other.goto(address)
    other.locator("h3").first.wait_for(timeout=60_000)
    other.get_by_text("Layer 2, head 3", exact=True).first.wait_for()
    expect(other.locator("h3").first).to_contain_text("2 hidden tokens", timeout=60_000)
    assert other.locator("h3").first.inner_text().replace("\u00a0", " ") == first
    assert "2 hidden tokens" in first
    other.close()


def test_a_reload_keeps_text_and_clicks_and_another_link_opens_anew(visit):
    page = visit.open(wait=".unit").page
    page.get_by_label("Text", exact=True).fill(TEXT)
    page.keyboard.press("Control+Enter")
    page.locator(".unit", has_text="superb").wait_for(timeout=30_000)
    visit.settle()
    page.locator(".unit:not(.off)").first.click()
    visit.shown("3 of 12 words are hidden")
    before = hidden(visit.settle())  # a page hands its view to the tab at its end
    page.reload()
    page.locator(".unit", has_text="superb").wait_for(timeout=60_000)
    visit.shown("3 of 12 words are hidden")
    assert hidden(visit) == before
    assert "text=" not in page.url
    visit.open("?example=negation", wait=".unit")
    assert page.get_by_label("Text", exact=True).input_value() != TEXT


def test_what_follows_a_block_stays_on_its_line(visit):
    names = {"text": "Anna, Berta. Carla! Doris? Emma; Frieda", "ratio": 1.0}
    page = open_strip(visit, **names, strategy="random").page
    expect(page.locator(".bond.tied")).to_have_count(6)
    apart = """text => {
        const found = []
        for (let width = 150; width < 500; width++) {
            text.style.width = `${width}px`
            for (const bond of text.querySelectorAll(".bond.tied")) {
                const [word, marks] = [bond.querySelector(".word"), bond.lastElementChild]
                    .map(node => node.getBoundingClientRect())
                if (marks.height && Math.abs(word.bottom - marks.bottom) > word.height / 2)
                    found.push(width)
            }
        }
        return found
    }"""
    assert page.locator(".text").evaluate(apart) == []


def test_a_model_of_any_name_can_be_typed_and_one_that_is_not_there_is_said(visit):
    page = visit.open(wait=".unit").page
    for name, shown in (("./no such folder", "no such folder"), ("mini", "words are hidden")):
        entry = page.get_by_test_id("stSidebar").get_by_role("combobox")
        entry.click()
        entry.fill(name)
        page.keyboard.press("Enter")
        page.get_by_test_id("stMain").get_by_text(shown).first.wait_for(timeout=30_000)


def test_right_to_left_text_runs_right_to_left(visit):
    page = open_strip(visit, text="שלום עולם טוב מאוד", strategy="manual", hidden="").page
    left = [unit.bounding_box()["x"] for unit in page.locator(".unit").all()]
    assert left == sorted(left, reverse=True)
    page.locator(".unit").first.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    visit.shown("1 of 4 words is hidden")
    assert hidden(visit) == ["עולם"]


def test_the_strip_is_saved_as_a_picture_without_the_hidden_words(visit, tmp_path):
    link = {"strategy": "pattern", "parameters": '{"words": "Anna, sister"}'}
    page = open_strip(visit, text="Anna met her sister in Rome <b>.", **link).page
    for kind, begins in (("svg", b"<svg "), ("png", b"\x89PNG")):
        with page.expect_download() as download:
            page.locator(f"[data-act={kind}]").first.click()
        download.value.save_as(tmp_path / f"mask.{kind}")
        assert (tmp_path / f"mask.{kind}").read_bytes().startswith(begins)
    svg = (tmp_path / "mask.svg").read_text("utf-8")
    assert "Rome" in svg
    assert "&lt;" in svg
    assert "<b>" not in svg
    assert "Anna" not in svg
    assert "sister" not in svg
    assert "color(" not in svg
    assert svg.count("textLength=") == svg.count("<text ")  # another font keeps the words apart
