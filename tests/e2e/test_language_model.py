"""What a language model is asked, in a real browser: tokens of an answer, and the strip."""

import json
import re
from urllib.parse import urlencode

import pytest

from maskviz.evidence.words.answer import answer_matrix
from tests.tiny_models import build

TEXT = "She loved every minute of this great, funny and warm picture."
ASKED = {"name": "answer", "answer": "warm film"}


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    """Return the folder of a tiny decoder whose answers rest on single words."""
    folder = tmp_path_factory.mktemp("decoder")
    return str(build("llama", folder, "CausalLM", initializer_range=0.5))


def open_compare(visit, decoder, wait, **values):
    given = {"text": TEXT, "strategy": "random", "ratio": 0.3, "seed": 1, "model": decoder,
             "question": json.dumps(ASKED), **values}  # fmt: skip
    return visit.open(f"compare?{urlencode(given)}", wait=wait)


def lit(page):
    """Return the words of the text that are lit, with how much."""
    return page.locator(".text:not(.answer) .piece").evaluate_all(
        "all => all.map(p => p.classList.contains('lit')"
        " ? Number(p.style.getPropertyValue('--much')) : 0)"
    )


def test_a_click_on_a_token_of_the_answer_lights_the_words_it_rests_on(visit, decoder):
    open_compare(visit, decoder, ".text.answer .piece", view="Word by word")
    page, found = visit.page, answer_matrix(TEXT, decoder, question=ASKED)
    tokens = page.locator(".text.answer .piece")
    assert tokens.count() == len(found.tokens)
    whole = lit(page)
    most = max(abs(value) for row in found.scores for value in row)
    for i in (0, len(found.tokens) - 1):
        tokens.nth(i).click()
        assert tokens.nth(i).get_attribute("aria-pressed") == "true"
        own = [abs(row[i]) / most for row in found.scores]
        shown = [much if much >= 0.04 else 0 for much in own]
        assert lit(page) == pytest.approx(shown, abs=0.002)
        assert lit(page) != whole
        best = max(range(len(own)), key=own.__getitem__)
        word = TEXT[slice(*found.words[best])]
        assert re.search(rf"rests on “{word}” [+−]", page.locator(".said").first.inner_text())
    tokens.nth(len(found.tokens) - 1).click()  # again: the whole answer
    assert lit(page) == whole
    tokens.first.focus()
    page.keyboard.press("Enter")
    assert tokens.first.get_attribute("aria-pressed") == "true"
    page.keyboard.press("Escape")
    assert lit(page) == whole


def test_a_click_on_a_word_lights_the_tokens_that_it_carries(visit, decoder):
    open_compare(visit, decoder, ".text.answer .piece", view="Word by word")
    page, found = visit.page, answer_matrix(TEXT, decoder, question=ASKED)
    most = max(range(len(found.words)), key=lambda i: max(map(abs, found.scores[i])))
    page.locator(".text:not(.answer) .piece").nth(most).click()
    assert page.locator(".text.answer .piece.lit").count() > 0
    assert "carries" in page.locator(".said").first.inner_text()


def test_the_strip_says_how_far_the_next_token_moves_behind_each(visit, decoder):
    open_compare(visit, decoder, ".piece.off")
    page = visit.page
    strip = page.locator(".text", has=page.locator(".piece.off"))
    words = strip.locator(".piece.lit")
    assert words.count() > 0
    words.last.hover()
    tip = page.locator(".tip:popover-open")
    tip.wait_for()
    assert re.search(r"\d\.\d+ nats", tip.inner_text())
    strip.locator(".piece.off").first.hover()
    page.locator(".tip:popover-open", has_text="is hidden").wait_for()
