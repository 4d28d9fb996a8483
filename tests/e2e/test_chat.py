"""The Chat page in a real browser: clicks, writing, two answers, a stop, a reload."""

import json
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from maskviz.text.conversation import Turn
from maskviz.ui.shared.talk import Talk, to_value
from tests.hostile import PARTS, unharmed
from tests.tiny_chat import chat_model

TURNS = (Turn("system", "Ann lives in Rome. Bob lives in Milan."), Turn("user", "Where is Bob?"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return chat_model(tmp_path_factory.mktemp("chat"))


def open_talk(visit, model, talk):
    query = urlencode({"model": model, "chat": json.dumps(to_value(talk))})
    return visit.open(f"chat?{query}", wait="article.card").settle().page


def test_words_are_clicked_turns_written_and_a_reload_keeps_both(visit, model):
    page = open_talk(visit, model, Talk(TURNS, longest=4))
    page.get_by_role("button", name="Milan", exact=True).click()
    visit.settle().shown("1 of 11 words is hidden")
    page.get_by_role("button", name="Edit turn 2, user").click()
    field = page.get_by_role("textbox", name="What is said")
    field.fill("Where is Ann? r")  # a key that Streamlit itself listens for
    page.keyboard.type("c")
    page.get_by_role("button", name="Done").click()
    visit.settle()
    page.get_by_role("button", name="+ Turn").click()
    page.get_by_role("textbox", name="What is said").fill("In")
    page.keyboard.press("Control+Enter")
    visit.settle().shown("1 of 13 words is hidden")
    cards = page.locator("article.card")
    expect(cards).to_have_count(3)
    page.reload()
    visit.shown("1 of 13 words is hidden")
    expect(cards.nth(1)).to_contain_text("Where is Ann? rc")
    expect(page.locator(".unit[aria-pressed=true]")).to_have_text(["Milan"])
    page.get_by_role("button", name="Edit turn 3, assistant").press("Enter")
    page.get_by_role("button", name="Delete").click()
    visit.settle().shown("Bring back turn 3")
    expect(cards).to_have_count(2)


def test_the_keyboard_goes_from_turn_to_turn(visit, model):
    page = open_talk(visit, model, Talk(TURNS))
    page.locator(".unit").first.focus()
    for key in ("End", "Shift+ArrowLeft", "Enter"):
        page.keyboard.press(key)
    visit.settle().shown("2 of 11 words are hidden")
    page.keyboard.press("Control+z")
    visit.settle().shown("Nothing is hidden")


def test_two_answers_come_side_by_side_and_stop_keeps_what_is_there(visit, model):
    page = open_talk(visit, model, Talk(TURNS, longest=256, hidden=((0, 3), ())))
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("button", name="Stop", exact=True).click(timeout=60_000)
    visit.settle().shown("Stopped after")
    said = page.get_by_text("Stopped after").inner_text().split()
    assert int(said[2]) > 0
    assert int(said[2]) < 256
    page.get_by_role("button", name="More").or_(page.get_by_text("More", exact=True)).first.click()
    page.get_by_label("Tokens of an answer, at most").fill("4")
    page.keyboard.press("Enter")
    visit.settle().shown("Asked before the last change")
    page.get_by_role("button", name="Ask", exact=True).click()
    visit.settle().shown("Where does it matter?")
    assert visit.headline.startswith("Without 2 words of the system prompt the answer")


def test_a_hostile_conversation_stays_text(visit, model):
    page = open_talk(visit, model, Talk((Turn("user", " ".join(PARTS[:3])),), longest=2))
    page.get_by_role("button", name="Ask", exact=True).click()
    visit.settle()
    page.get_by_text("What the model reads").click()
    visit.settle()
    unharmed(page)


@pytest.mark.parametrize("width", [390, 1400])
def test_sixty_turns_fit_any_width(visit, model, width):
    visit.page.set_viewport_size({"width": width, "height": 900})
    roles = ("user", "assistant")
    turns = tuple(Turn(roles[i % 2], f"Turn {i} says a few words.") for i in range(60))
    page = open_talk(visit, model, Talk(turns))
    expect(page.locator("article.card")).to_have_count(60)
    assert visit.overflow <= 0
