from __future__ import annotations

import pytest

from maskviz.errors import TextError
from maskviz.text import Document
from maskviz.text.words import _by_character, word_offsets


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Bob met Ann.", ["Bob", "met", "Ann"]),
        ("didn't, well-known", ["didn", "t", "well", "known"]),
        ("我喜欢 film", ["我", "喜", "欢", "film"]),
        ("สวัสดี", ["ส", "วั", "ส", "ดี"]),
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
