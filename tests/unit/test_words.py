from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from maskviz.errors import TextError
from maskviz.masks import Mask, MaskSpan, mask
from maskviz.text import Document
from maskviz.text.words import _by_character, word_offsets


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Bob met Ann.", ["Bob", "met", "Ann"]),
        ("didn't, well-known", ["didn", "t", "well", "known"]),
        ("我喜欢 film", ["我", "喜欢", "film"]),
        ("สวัสดี", ["สวัสดี"]),
        ("ສະບາຍດີ", ["ສ", "ະ", "ບ", "າ", "ຍ", "ດີ"]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("🙂 👩‍👩‍👧 ok", ["🙂", "👩‍👩‍👧", "ok"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("<script>x</script>", ["script", "x", "script"]),
        ("$5 + 3\u00a0%", ["5", "3"]),
        ("\u0301", []),
        ("…!?", []),
        ("", []),
    ],
)
def test_words_are_runs_that_are_not_space_or_punctuation(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in word_offsets(text)] == words


def test_half_a_surrogate_pair_is_refused_with_its_place() -> None:
    with pytest.raises(TextError, match="Character 2"):
        Document("ab\ud83d")


def test_ten_thousand_words_are_found_in_order() -> None:
    offsets = word_offsets("word, " * 10_000)
    assert len(offsets) == 10_000
    assert offsets == sorted(offsets)


def test_ascii_words_are_the_same_by_expression_and_by_character() -> None:
    every = "".join(map(chr, range(128)))
    for text in (every, every[::-1], *(f"a{c}b {c}1{c}" for c in every)):
        assert word_offsets(text) == _by_character(text)


SEEN_AS_ONE = {
    "a skin tone": "👍🏽",
    "a family": "👩\u200d👩\u200d👧\u200d👦",
    "a skin tone in a pair": "👩🏽\u200d🤝\u200d👨🏿",
    "a flag": "🇫🇷",
    "a flag by tags": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "a keycap": "#️⃣",
    "a sign as a picture": "‼️",
    "an arrow as a picture": "↔️",
    "a heart": "❤️",
    "a lone tone": "🏽",
    "two marks": "e\u0301\u0323",
    "Thai sara am": "ทำ",
    "Devanagari": "क्षि",
    "Hangul by letters": "\u1112\u1161\u11ab",
    "half-width kana": "\uff76\uff9e",
}


@pytest.mark.parametrize("seen", SEEN_AS_ONE.values(), ids=SEEN_AS_ONE)
def test_what_a_person_sees_as_one_is_hidden_whole(seen: str) -> None:
    text = f"I saw {seen} and ({seen})" if seen not in "🏽" else f"I saw {seen} and {seen} ok"
    words = [text[start:end] for start, end in word_offsets(text)]
    assert words.count(seen) == 2
    assert not set(mask(text, "random", ratio=1).masked_text("delete")) & set(seen)
    for place in range(text.index(seen), text.index(seen) + len(seen)):  # a part names the whole
        part = Mask(text, (MaskSpan(place, place + 1),))
        assert [text[s.start : s.end] for s in part.spans] == [seen]


@given(st.text(alphabet="a 1#é\u0301👍🏽🇫🇷👩\u200d\ufe0f\u20e3กำक्ष我\uff76\uff9e", max_size=30))
def test_no_word_and_no_mask_cuts_a_character(text: str) -> None:
    inside, end = set(), 0
    for cluster in regex.findall(r"\X", text):
        inside |= set(range(end + 1, end + len(cluster)))
        end += len(cluster)
    edges = {edge for word in word_offsets(text) for edge in word}
    assert all(text[edge - 1].isspace() for edge in inside & edges)
    for place in range(len(text)):
        for span in Mask(text, (MaskSpan(place, place + 1),)).spans:
            white = text[max(0, span.start - 1)].isspace()  # what stands on a space is its own
            assert span.start not in inside or white
            assert span.end not in inside
