"""Personal data whole, in every language: numbers to their ends, dates in words, lists."""

from __future__ import annotations

import pytest

pytest.importorskip("presidio_analyzer", reason="Presidio is an extra")

from maskviz.masks import mask, personal_engine
from maskviz.masks.dates import dates_in
from maskviz.masks.whole_numbers import whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Driving licence: D1234-56789 issued", "D1234-56789"),
        ("His licence no. is D1234-56789-X9.", "D1234-56789-X9"),
        ("Her licence is AB-D1234567, he said.", "D1234567"),
        ("passport 123456789-77 of the US", "123456789-77"),
        ("My driver's license D1234567-8*9 is lost", "D1234567-8*9"),
    ],
)
def test_a_number_is_never_hidden_in_part(text: str, number: str) -> None:
    """By each kind alone: whichever begins it hides it to its end."""
    start = text.index(number)
    whole = {i for i in range(start, start + len(number)) if text[i].isalnum()}
    all_kinds = mask(text, "pii", threshold=0)
    assert whole <= all_kinds.characters
    for kind in {span.label for span in all_kinds.spans}:
        hidden = mask(text, "pii", types=kind, threshold=0).characters & whole
        assert hidden in (set(), whole), (kind, hidden)


@pytest.mark.parametrize(
    ("text", "hit", "whole"),
    [
        ("D1234-56789 ok", "D1234", "D1234-56789"), ("12-34-56 ok", "34", "12-34-56"),
        ("v 1.2.3. So", "1", "1.2.3"), ("81-year-old", "81", "81"), ("Ann-3", "Ann", "Ann"),
        ("今年34岁", "34", "34"), ("4111-****-1111, so", "4111", "4111-****-1111"),
    ],
)  # fmt: skip
def test_a_number_ends_where_its_parts_do(text: str, hit: str, whole: str) -> None:
    start = text.index(hit)
    found = whole_number(text, start, start + len(hit))
    assert text[slice(*found)] == whole


DATES = {
    "en": ("4 July 1962", "July 4, 1962", "4th of July 1962", "Sept. 4 1962"),
    "de": ("4. Juli 1962", "12. März 1988"), "fr": ("1er août 1971", "14 juillet 1962"),
    "es": ("4 de julio de 1962", "31 de enero del 2001"), "it": ("3 maggio 1979",),
    "ru": ("4 июля 1962",), "zh": ("1962年7月4日", "一九六二年七月四日"), "ja": ("昭和37年7月4日",),
    "ko": ("1962년 7월 4일",), "he": ("4 ביולי 1962",), "ar": ("4 يوليو 1962",),
}  # fmt: skip


@pytest.mark.parametrize("date", [date for dates in DATES.values() for date in dates])
@pytest.mark.parametrize("said", ["{}", "x: {}.", "({})"])
def test_a_full_date_in_words_is_found_in_every_language(said: str, date: str) -> None:
    text = said.format(date)
    hidden = {i for start, end in dates_in(text) for i in range(start, end)}
    start = text.index(date)
    assert {i for i in range(start, start + len(date)) if text[i].isalnum()} <= hidden


@pytest.mark.parametrize(
    "born",
    [
        "born in {}", "born in Leeds in {}", "(b. {})", "DOB {}", "Date of birth: {}",
        "geboren {}", "née en {}", "nacida en {}", "дата рождения: {}", "出生于{}年",
    ],
)  # fmt: skip
def test_a_year_is_one_of_a_birth_where_the_text_says_so(born: str) -> None:
    text = born.format("1962")
    assert [text[start:end] for start, end in dates_in(text)] == ["1962"]


@pytest.mark.parametrize(
    "text",
    [
        "May 2020 was dry.",
        "In 1962 it rained.",
        "He may 4 times",
        "March on 3 roads",
        "1962年的电影",
    ],
)
def test_other_numbers_are_no_date(text: str) -> None:
    assert dates_in(text) == []


@pytest.mark.parametrize(
    ("code", "text", "kinds"),
    [
        ("en", "Born in Leeds, she is Kurdish and Sikh.", {"Kurdish": "NRP", "Sikh": "NRP"}),
        (
            "de",
            "Anna Müller, 34 Jahre alt, ist Türkin und wohnt in der Lindenstraße 5, 10115 Berlin.",
            {
                "Anna Müller": "PERSON",
                "34 Jahre alt": "AGE",
                "Türkin": "NRP",
                "Lindenstraße 5, 10115 Berlin": "LOCATION",
            },
        ),
        (
            "zh",
            "李娜今年三十四岁，手机13812345678，身份证号11010519491231002X。",
            {
                "李娜": "PERSON",
                "三十四岁": "AGE",
                "13812345678": "PHONE_NUMBER",
                "11010519491231002X": "CN_RESIDENT_ID",
            },
        ),
        (
            "fr",
            "Marie Dupont, qui habite ici, est musulmane. Portable : 06 12 34 56 78.",
            {"Marie Dupont": "PERSON", "musulmane": "NRP", "06 12 34 56 78": "PHONE_NUMBER"},
        ),
    ],
)
def test_personal_data_is_found_without_a_pipeline_of_the_language(
    code: str, text: str, kinds: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskviz.text.pipelines.pipelines_of", lambda language: [])
    found = {text[s.start : s.end]: s.label for s in mask(text, "pii", language=code).spans}
    assert kinds.items() <= found.items()


def test_a_number_with_another_check_digit_is_no_identity_card() -> None:
    assert not mask("编号110105194912310021的产品。", "pii", types="CN_RESIDENT_ID").spans


def test_words_around_a_hit_are_those_that_presidio_looks_at() -> None:
    from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer

    text = "My card 4111 1111 1111 1111, or so: call 212-555-0147."
    tokens = personal_engine.load_pipeline().make_doc(text)
    places = [token.idx for token in tokens]
    for start in range(len(text)):
        given = ("x", start, tokens, places)
        expected = LemmaContextAwareEnhancer._find_index_of_match_token(*given)
        assert personal_engine.Enhancer._find_index_of_match_token(*given) == expected
