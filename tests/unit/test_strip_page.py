"""The masked text as a page: it reads, says why, and does not hold what is hidden."""

from __future__ import annotations

from html.parser import HTMLParser

from maskviz.figures.strip import strip_page
from maskviz.masks import Mask, MaskSpan
from maskviz.masks.edit import hidden_units, with_units


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text, self.tags, self.attributes = "", [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


def test_hidden_words_are_blocks_and_not_in_the_file() -> None:
    chosen = Mask(
        "Anna Lee left Rome.",
        (MaskSpan(0, 8, "name of a person", label="PERSON"), MaskSpan(14, 18, "a place")),
    )
    page = strip_page(chosen, "Two names")
    assert "Anna" not in page
    assert "Rome" not in page
    found = read(page)
    assert " left " in found.text
    assert "name of a person" in found.text
    labels = [value for name, value in found.attributes if name == "aria-label"]
    assert labels == ["hidden: name of a person"] * 2 + ["hidden: a place"]
    assert not {"script", "link", "img"} & set(found.tags)


def test_text_title_and_reasons_stay_text() -> None:
    hostile = '<script>alert(1)</script> & "quoted" film'
    chosen = Mask(hostile, (MaskSpan(len(hostile) - 4, len(hostile), '"><b onclick=x>'),))
    found = read(strip_page(chosen, "</title><script>alert(2)</script>"))
    assert "<script>alert(1)</script>" in found.text
    assert "script" not in found.tags
    assert "b" not in found.tags


def test_any_units_are_edited() -> None:
    chosen = Mask("playing ball", (MaskSpan(0, 7, "drawn"),))
    tokens = [(0, 4), (4, 7), (8, 12)]
    assert hidden_units(chosen, tokens) == (0, 1)
    edited = with_units(chosen, tokens, [1, 2, 99])
    assert [(s.start, s.end, s.reason) for s in edited.spans] == [
        (4, 7, "drawn"),
        (8, 12, "chosen by hand"),
    ]
