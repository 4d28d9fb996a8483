"""The exported HTML file in a real browser: it draws, it answers, and text in it is only text."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from maskviz.attention.view import View
from maskviz.figures.attention import render
from tests.accessible import violations

TOKENS = ("[CLS]", "</script><script>window.pwned=1</script>", "<img src=x onerror=alert(1)>", "a")


@pytest.fixture
def exported(browser, tmp_path):
    """Yield a tab with a file of 2 × 3 heads open, and what went wrong in it."""
    weights = np.random.default_rng(0).dirichlet(np.ones(4), size=(2, 3, 4)).astype(np.float16)
    marks = (True, False, False, False)
    shown = View(weights, TOKENS, (False,) * 4, marks, (0, 1, 2, 3), (False,) * 4)
    path = tmp_path / "attention.html"
    path.write_bytes(render(shown, ".html", title="<b>Title</b><script>window.pwned=2</script>"))
    page, problems = browser.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.on("request", lambda r: problems.append(r.url) if r.url.startswith("http") else None)
    page.goto(path.as_uri())
    page.locator("#mosaic canvas[data-painted='6']").wait_for()
    yield page
    page.close()
    assert problems == []


def test_the_file_draws_all_heads_and_opens_the_one_clicked(exported):
    exported.get_by_role("button", name=re.compile("^Layer 2, head 3")).click()
    assert exported.locator("#name").inner_text().startswith("Layer 2, head 3")
    assert exported.locator("#head canvas").get_attribute("data-painted") == "16"


def test_the_large_head_answers_the_keyboard_with_the_tokens_as_text(exported):
    exported.get_by_role("application").focus()
    exported.keyboard.press("ArrowRight")
    exported.keyboard.press("ArrowDown")
    assert TOKENS[1] in exported.locator("#head .live").inner_text()


def test_nothing_of_the_users_runs(exported):
    assert exported.evaluate("window.pwned") is None
    assert exported.locator("img, main b, main script").count() == 0
    assert exported.title() == "<b>Title</b><script>window.pwned=2</script>"


def test_plain_masked_and_difference_are_switched_and_the_head_stays(browser, tmp_path):
    draw = np.random.default_rng(1)
    marks = (True, False, False, False)
    weights = draw.dirichlet(np.ones(4), size=(2, 3, 4)).astype(np.float16)
    views = {
        name: View(
            weights - np.float16(0.25 * signed),
            TOKENS, (False,) * 4, marks, (0, 1, 2, 3), (False,) * 4, signed,
        )
        for name, signed in (("plain", False), ("<i>masked</i>", False), ("difference", True))
    }  # fmt: skip
    path = tmp_path / "attention.html"
    path.write_bytes(render(views["difference"], ".html", title="t", beside=views))
    tab, problems = browser.new_page(), []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on("request", lambda r: problems.append(r.url) if r.url.startswith("http") else None)
    tab.goto(path.as_uri())
    arms = tab.get_by_role("group", name="Shown")
    expect(arms.get_by_role("button", name="difference")).to_have_attribute("aria-pressed", "true")
    expect(tab.locator("h1")).to_contain_text("Masking moves")
    tab.get_by_role("button", name=re.compile("^Layer 2, head 3")).click()
    arms.get_by_role("button", name="<i>masked</i>").click()
    expect(tab.locator("h1")).not_to_contain_text("Masking moves")
    expect(tab.locator("#name")).to_contain_text("Layer 2, head 3")
    expect(arms.locator("i")).to_have_count(0)
    expect(tab.locator("#mosaic canvas")).to_have_attribute("data-painted", "6")
    assert violations(tab) == []
    tab.close()
    assert problems == []
