"""White space and what is not seen hide nothing: names, numbers and sentences are found all the
same, at their own characters; a paragraph's end is a sentence's end.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskviz.masks import mask
from maskviz.text import Document
from maskviz.text.spacing import seen, spaced

pytest.importorskip("spacy")

GAPS = ("  ", "\t", "\u00a0", "\u2009", " \u3000 ", "\n", " \r\n ", "\u200b ", "\u202f", "\x0b")
TEXT = (
    "Tom Hanks flew from Oslo to San Francisco on Monday. Marit Berg (81) of the United Kingdom "
    "liked teh film as much as she liked the other film. As much as she liked the other film, "
    "call 212-555-0147 or write to ann@example.org."
)
WAYS = [
    ("entity", {}),
    ("attribute", {}),
    ("pii", {}),
    ("pos", {"tags": ["PROPN", "ADJ", "NUM"]}),
    ("sentence", {"indices": [2]}),
    ("redundant", {"threshold": 0.4}),
    ("noise", {"surprisal": 0.0}),
    ("collocation", {"ratio": 0.5}),
    ("pattern", {"words": "San Francisco,United Kingdom"}),
]
# Three ways to end a paragraph, and to begin an item of a list.
BORDERS = ["\n\n", "\r\n\r\n", "\r\r", "\n \t\n", "\n\n\n\n", "\u2029", "\f", "\u2028\u2028"]
ITEMS = ["- ", "* ", "• ", "1. ", "12) ", "(3) ", "a) ", "(iv) ", "## ", "– "]


@pytest.mark.parametrize("gap", GAPS, ids=ascii)
@pytest.mark.parametrize(("strategy", "given"), WAYS, ids=[name for name, _ in WAYS])
def test_white_space_hides_no_word_from_a_strategy(strategy, given, gap) -> None:
    if strategy == "pii":
        pytest.importorskip("presidio_analyzer", reason="Presidio is an extra")
    plain = mask(TEXT, strategy, seed=3, **given)
    assert plain.spans
    other = mask(TEXT.replace(" ", gap), strategy, seed=3, **given)
    if strategy == "pii":  # reads the text as it stands as well, so that it may find more
        assert set(plain.hidden_words) <= set(other.hidden_words)
        return
    assert [seen(other.text[s.start : s.end]).split() for s in other.spans] == [
        plain.text[s.start : s.end].split() for s in plain.spans
    ]
    assert other.hidden_words == plain.hidden_words


@pytest.mark.parametrize("unseen", ["\u00ad", "\u200b", "\u2060", "\ufeff", "\u200e"], ids=ascii)
def test_what_is_not_seen_inside_a_name_does_not_hide_it(unseen) -> None:
    text = f"They moved from Os{unseen}lo to Mad{unseen}rid{unseen}."
    hidden = [text[s.start : s.end] for s in mask(text, "entity").spans]
    assert hidden == [f"Os{unseen}lo", f"Mad{unseen}rid{unseen}"]


@given(st.text(alphabet="ab.- \t\n\r\u00a0\u200b\u00ad\u2029é\U0001f600", max_size=60))
def test_every_place_leads_back_to_its_own_character(source) -> None:
    text = spaced(source)
    assert text.text == " ".join(text.text.split())
    assert text.lines.replace("\n", " ") == text.text
    assert "".join(text.text.split()) == "".join(
        c for c in source if not c.isspace() and c not in "\u200b\u00ad"
    )
    edges = [text.original(i, i + 1) for i, c in enumerate(text.text) if c != " "]
    assert all(end <= start for (_, end), (start, _) in pairwise(edges))
    assert [source[start] for start, _ in edges] == list(text.text.replace(" ", ""))
    assert all(text.lines[border - 1] == "\n" for border in text.borders)


def sentences(text: str) -> list[str]:
    """Return the sentences as they stand in the text."""
    return [text[s.start : s.end] for s in Document(text).sentences]


@pytest.mark.parametrize("border", BORDERS, ids=ascii)
def test_a_paragraph_ends_a_sentence(border) -> None:
    parts = ["Review of the day", "The film is dull. The acting is not", "by Tom Hanks"]
    first, *middle, last = sentences(border.join(parts))
    assert (first, " ".join(middle), last) == tuple(parts)


@pytest.mark.parametrize("item", ITEMS)
def test_an_item_of_a_list_is_a_sentence(item) -> None:
    lines = ["To buy today:", f"{item}fresh milk", f"{item}brown bread"]
    assert sentences("\n".join(lines)) == lines


@pytest.mark.parametrize(
    "text", ["a\nwrapped line", "by\nA. Smith", "in\n1990. The", "and\n5 more", "Berg\n(81) left"]
)
def test_a_wrapped_line_ends_none(text) -> None:
    assert spaced(text).borders == ()


def test_a_name_does_not_run_over_the_end_of_a_paragraph() -> None:
    text = "We thank Tom Hanks\n\nParis Hilton left for Rome."
    border = text.index("\n")
    assert not any(e.start < border < e.end for e in Document(text).entities)


def test_paragraphs_that_repeat_are_redundant() -> None:
    text = "The film is a dull story\n\nThe actors are very good\n\nThe film is a dull story"
    (span,) = mask(text, "redundant").spans
    assert text[span.start : span.end] == "The film is a dull story"
    assert span.start > 50


QUOTED = {
    'He said: "Stop. Go home." We did.': ['He said: "Stop.', 'Go home."', "We did."],
    '"Stop." "Why?" "Because I say so." They left.': [
        '"Stop."', '"Why?"', '"Because I say so."', "They left.",
    ],
    "(He left. She stayed.) We slept.": ["(He left.", "She stayed.)", "We slept."],
    "Er sagte: „Halt. Geh heim.“ Wir gingen.": ["Er sagte: „Halt.", "Geh heim.“", "Wir gingen."],
    'He asked, "Is it 5 p.m.?" I said no.': ['He asked, "Is it 5 p.m.?"', "I said no."],
    'He said : " Stop . Go home . " We did .': ['He said : " Stop .', 'Go home . "', "We did ."],
    "It's the dogs' bowl. The cats' too. He left.": [
        "It's the dogs' bowl.", "The cats' too.", "He left.",
    ],
    "'It is dull.' Anna left.": ["'It is dull.'", "Anna left."],
    '"It is dull." Anna left.': ['"It is dull."', "Anna left."],
    "He said 'It is dull.' 'Anna left.' She slept.": [
        "He said 'It is dull.'", "'Anna left.'", "She slept.",
    ],
    'The "U.S." Army won.': ['The "U.S." Army won.'],
    '"It is dull," Anna said.': ['"It is dull," Anna said.'],
    "\"Really?\" he asked. \"Yes!\" she said. 'No.'": [
        '"Really?" he asked.', '"Yes!" she said.', "'No.'",
    ],
    "“Really?” he asked. “Yes!” she said.": ["“Really?” he asked.", "“Yes!” she said."],
    "We went. 'Go!' he said.": ["We went.", "'Go!' he said."],
    'The film? "Dull." The book? "Fine."': ["The film?", '"Dull."', "The book?", '"Fine."'],
    'He likes e.g. "Apple" a lot. It is.': ['He likes e.g. "Apple" a lot.', "It is."],
    "She left. “Why?” Nobody knew.": ["She left.", "“Why?”", "Nobody knew."],
}  # fmt: skip


@pytest.mark.parametrize("text", QUOTED)
def test_a_closing_mark_stays_with_its_sentence(text) -> None:
    assert sentences(text) == QUOTED[text]


@pytest.mark.parametrize("mark", ["'", '"', "“", "...", "—"])
def test_no_sentence_is_made_of_marks_alone(mark) -> None:
    text = f"{mark}It is dull.{mark} Anna left. {mark} Bob stayed."
    assert all(any(map(str.isalnum, sentence)) for sentence in sentences(text))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("1. Wash it\n2. Dry it", ["1. Wash it", "2. Dry it"]),
        ("a) One is here\nb) Two", ["a) One is here", "b) Two"]),
        ("Hello there.\n\n12. That is all.", ["Hello there.", "12. That is all."]),
        ("5.", ["5."]),
        (
            "1. Waschen Sie es bitte gut.\n2. Trocknen Sie es danach.",
            ["1. Waschen Sie es bitte gut.", "2. Trocknen Sie es danach."],
        ),
    ],
)
def test_the_number_of_an_item_is_no_sentence(text: str, sentences: list[str]) -> None:
    assert [text[s.start : s.end] for s in Document(text).sentences] == sentences
