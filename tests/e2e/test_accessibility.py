"""Every page and every tab, wide and on a phone, light and dark: axe-core finds nothing grave.

The quick tests look at each page once (`test_dashboard.py`) and at what a job leads to.
"""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.accessible import AXE, violations

COMPARE = ("This text", "Word by word", "A file", "What it leans on", "Fairness")
PAGES = (
    "", "attention", *(f"compare?{urlencode({'view': tab})}" for tab in COMPARE), "chat",
    "finetune", "experiments", "tasks", "images", "guide",
)  # fmt: skip


def unfold(visit) -> None:
    """Open what is folded away, from top to bottom."""
    folded = visit.page.locator("details:not([open]) > summary").locator("visible=true")
    for _ in range(folded.count()):
        folded.first.click()
        visit.settle()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_shuts_anybody_out(visit, path, width, scheme):
    page = visit.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    visit.open(path)
    names = page.get_by_role("tab").all_inner_texts() or [""]
    for name in names:
        if name:
            page.get_by_role("tab", name=name, exact=True).click()
            visit.settle()
        unfold(visit)
        assert violations(page) == [], name


def test_axe_finds_what_is_wrong(browser):
    page = browser.new_page()
    page.set_content("<html lang=en><title>A</title><main><h1>A</h1><img src=x></main></html>")
    assert [found.partition(":")[0] for found in violations(page)] == ["image-alt"]
    page.close()


def test_axe_is_one_file_with_its_licence():
    assert AXE.stat().st_size < 1_000_000
    assert "Mozilla Public License" in (AXE.parent / "LICENSE").read_text("utf-8")
