"""Chinese words beyond jieba's own: traditional characters, numbers beside measure words."""

from __future__ import annotations

import pytest

from maskviz.text.words import word_offsets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我去过两次臺灣", ["我", "去过", "两", "次", "臺灣"]),
        ("六十五歲的馬來西亞人", ["六十五", "歲", "的", "馬來西亞人"]),
        ("這位先生買了三張票", ["這", "位", "先生", "買", "了", "三", "張", "票"]),
        ("这个我一起看过十分好", ["这个", "我", "一起", "看过", "十分", "好"]),
        ("那天他在圖書館", ["那天", "他", "在", "圖書館"]),
    ],
)
def test_traditional_characters_and_measure_words_are_cut_as_a_dictionary_has_them(
    text: str, expected: list[str]
) -> None:
    assert [text[a:b] for a, b in word_offsets(text, "zh")] == expected
