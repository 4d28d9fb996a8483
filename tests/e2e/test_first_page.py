"""How the first page opens: under either of its names, in its own title and icon."""

from urllib.parse import urlencode


def test_a_link_to_mask_opens_the_page_at_once_and_keeps_its_values(visit):
    values = {"text": "Anna met Ben & Cleo.", "strategy": "random", "seed": 3}
    page = visit.page
    page.add_init_script(
        "const look = () => { window.lost ||= /page not found/i.test(document.body?.innerText) }\n"
        "new MutationObserver(look).observe(document, { childList: true, subtree: true })"
    )
    visit.open(f"mask?{urlencode(values)}", wait=".unit")
    assert page.evaluate("window.lost") is False
    assert page.locator(".unit .word").all_text_contents()[:2] == ["Anna", "met"]
    chosen = page.locator('[data-testid="stSidebarNavLink"][aria-current="page"]')
    assert chosen.all_inner_texts() == ["Mask"]
    assert page.get_by_test_id("stSidebarNavLink").get_by_text("Mask", exact=True).count() == 1


def test_title_and_icon_are_ours(visit):
    visit.open()
    assert visit.page.title() == "maskviz"
    icon = visit.page.locator("link[rel*=icon]").first.get_attribute("href")
    assert icon.startswith("data:image/svg+xml")


def test_the_text_of_the_session_stands_in_the_sidebar(visit):
    visit.open(f"?{urlencode({'text': 'One short text.', 'strategy': 'random'})}", wait=".unit")
    sidebar = visit.page.get_by_test_id("stSidebar")
    assert "One short text." in sidebar.inner_text()
    assert "Model" in sidebar.inner_text()
