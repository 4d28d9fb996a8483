"""The language of a text, and `noise` in it: other languages are no errors of English."""

from __future__ import annotations

import json

import pytest

from maskviz.errors import LanguageError
from maskviz.masks import mask
from maskviz.text.language import languages_of, letters_of
from maskviz.training.data.masking import Masker
from maskviz.training.spec.mask_spec import MaskingSpec

pytest.importorskip("spacy")

# language → a sentence, and a misspelt word of it with what was meant
TEXTS = {
    "de": ("Der Film ist leider ziemlich langweilig und {} gespielt.", "schlehct", "schlecht"),
    "fr": ("Le film est assez ennuyeux et la {} est mal jouée.", "hisotire", "histoire"),
    "es": ("La película es bastante {} y el actor principal no es bueno.", "aburirda", "aburrida"),
    "it": ("Il film è piuttosto noioso e la {} non è molto credibile.", "sotria", "storia"),
    "nl": ("De film is helaas nogal saai en het {} is niet goed.", "evrhaal", "verhaal"),
    "pl": ("Ten film jest dość nudny, a jego {} nie ma sensu.", "hisotria", "historia"),
    "sv": ("Filmen är ganska tråkig och {} är inte heller bra.", "hisotrien", "historien"),
    "ru": ("Это очень хороший фильм о любви, но {} слишком длинная.", "исотрия", "история"),
    "uk": ("Це дуже хороший фільм про кохання, але {} погана.", "ісотрія", "історія"),
    "el": ("Η ταινία είναι πολύ βαρετή και η {} δεν είναι καλή.", "ισοτρία", "ιστορία"),
    "he": ("הסרט הזה משעמם מאוד אבל {} שלו טוב", "הסיפרו", "הסיפור"),
    "hi": ("यह फिल्म बहुत अच्छी है और मुझे {} आई", "पसदं", "पसंद"),
    "bn": ("এই ছবিটা খুব ভালো লেগেছে এবং {} চমৎকার", "অভিনযয়", "অভিনয়"),
    "en": ("The film is rather dull, but the {} of it is good.", "sotry", "story"),
}
UNKNOWN = {
    "Thai": "หนังเรื่องนี้สนุกมาก แต่ยาวเกินไป",
    "Chinese": "我们喜欢电影。",
    "Korean": "이 영화는 정말 재미있다.",
    "Georgian": "ფილმი ძალიან კარგია.",
    "Swahili": "Filamu hii ni nzuri sana na waigizaji ni wazuri.",
    "Afrikaans": "Hierdie rolprent is baie vervelig en die akteurs is sleg.",
    "Estonian": "See film on väga igav ja näitlejad on halvad.",
    "Serbian": "Овај филм је веома досадан и глумци су лоши.",
    "Marathi": "हा चित्रपट खूप छान आहे आणि कलाकार चांगले आहेत",
    "Pashto": "دا فلم ډېر ښه دی او لوبغاړي ښه دي",
    "Esperanto": "La filmo estas tre teda kaj la aktorado estas malbona ankaŭ tie ĉi.",
    "Welsh": "Mae'r ffilm hon yn ddiflas iawn ac mae'r actio ynddi hefyd yn wael dros ben.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_noise_finds_the_error_of_a_language_and_no_more(language: str) -> None:
    said, wrong, right = TEXTS[language]
    assert list(languages_of(said.format(right).replace(".", "").split()).values()) == [language]
    assert mask(said.format(right), "noise", surprisal=0).spans == ()
    text = said.format(wrong)
    (span,) = mask(text, "noise", surprisal=0).spans
    assert text[span.start : span.end] == wrong
    assert f"'{right}'" in span.reason
    assert (f"({language})" in span.reason) == (language != "en")


@pytest.mark.parametrize("text", UNKNOWN.values(), ids=UNKNOWN)
def test_a_language_without_a_list_gets_a_sentence(text: str) -> None:
    with pytest.raises(LanguageError, match=r"'noise' (has no list of words|cannot tell errors)"):
        mask(text, "noise")


@pytest.mark.parametrize(
    "text", [
        "ths flm ws vry bd", "teh moive wsa grate", "Zbqrt", "I liek it", "U r gr8 lol",
        "Watched teh film yestrday wiht my freind adn it was awfull",
    ],
)  # fmt: skip
def test_english_full_of_errors_is_english(text: str) -> None:
    assert set(languages_of(text.split()).values()) == {"en"}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Das ist ein schöhner Fillm über einen alltten Mann, der seine Familje suchht"),
        ("es", "La pelicua fue muuy aburida y los atcores no saven actuar"),
        ("tr", "Bu fillm çok güzell ve oyunclar çokk iyi oynuyorr"),
    ],
)
def test_another_language_full_of_errors_is_its_own(language: str, text: str) -> None:
    assert languages_of(text.replace(",", "").split()) == {"LATIN": language}


def test_each_script_is_read_in_its_own_language() -> None:
    text = "We saw teh film «Очень хороший исотрия фильм» 我们 喜欢 电影."
    hidden = [text[s.start : s.end] for s in mask(text, "noise", surprisal=0).spans]
    assert hidden == ["teh", "исотрия"]


@pytest.mark.parametrize("text", ["👍🏽 🙂", "1999 2000", "x 3"])
def test_a_text_without_letters_to_judge_hides_nothing(text: str) -> None:
    assert mask(text, "noise").spans == ()


def test_a_file_goes_on_behind_a_line_of_another_language(run, tmp_path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("I saw teh film\n이 영화는 정말 재미있다\n\nI liek it\n", encoding="utf-8")
    given = ("-s", "noise", "--surprisal", "0", "--json")
    status, out, err = run("mask", "--file", str(path), *given)
    assert status == 0
    rows = [json.loads(line)["masked_text"] for line in out.splitlines()]
    assert rows == ["I saw [MASK] film", "이 영화는 정말 재미있다", "", "I [MASK] it"]
    assert "1 line" in err


@pytest.mark.parametrize("operator", ["mask", "delete"])
@pytest.mark.parametrize("strategy", ["noise", "noise | random:0.2"])
def test_training_leaves_such_a_row_plain(tiny, operator: str, strategy: str) -> None:
    from maskviz.models import load_model

    model = load_model(tiny("bert", "MaskedLM"))
    given = {"surprisal": 0.0} if strategy == "noise" else {}
    masking = MaskingSpec(strategy, operator, parameters=given)
    masker = Masker(model, ["I saw teh film", "이 영화는 정말 재미있다"], masking, 0, 64)
    rows = masker.rows([0, 1])
    assert rows[1].input_ids == masker.plain[1].input_ids
    assert masker.left_plain == {1}


def test_the_letters_of_a_language_come_from_its_words() -> None:
    assert letters_of("en") == "abcdefghijklmnopqrstuvwxyz"
    assert set("äöü") <= set(letters_of("de"))
    assert set("абв") <= set(letters_of("ru"))
