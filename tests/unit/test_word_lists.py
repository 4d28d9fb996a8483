"""A user's own word lists take the place of the bundled ones; a broken one is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskviz.errors import DataError
from maskviz.masks import mask
from maskviz.masks.listed import expressions, matches
from maskviz.masks.matching import find_all
from maskviz.masks.wordlists import own_lists

TEXT = "The pilot thanked a flight attendant, a woman from New York."


@pytest.fixture
def lists(maskviz_home: Path) -> Path:
    folder = maskviz_home / "lexicons"
    folder.mkdir(parents=True)
    return folder


def hidden(strategy: str = "pattern", **given: object) -> list[str]:
    chosen = mask(TEXT, strategy, **given)
    return [chosen.text[s.start : s.end] for s in chosen.spans]


def test_words_and_expressions_take_the_place_of_the_bundled_list(lists: Path) -> None:
    pytest.importorskip("spacy")
    assert hidden("attribute", types=["gender"]) == ["woman"]
    before = own_lists()
    own = lists / "gender.txt"
    own.write_text("# mine\nPilot\nre:\\bflight attendants?\\b\n", encoding="utf-8-sig")
    assert hidden("attribute", types=["gender"]) == ["pilot", "flight attendant"]
    assert own_lists() != before
    own.write_text("cased:\nPilot\n", encoding="utf-8")
    assert hidden("attribute", types=["gender"]) == []
    own.unlink()
    assert hidden("attribute", types=["gender"]) == ["woman"]


@pytest.mark.parametrize("more", ["", "Anna-Lena\n", "New York\n"])
def test_words_are_found_alike_looked_up_and_by_their_expression(lists: Path, more: str) -> None:
    words = ["Anna", "Ann", "O", "Zoë", "Élie", "नमस्ते", "Gülşen", "x_1"]
    (lists / "names.txt").write_text("cased:\n" + "\n".join(words) + f"\n{more}", "utf-8")
    text = f"Ann, Anna's ANNA Annabel O'Hara Zoë Élie-Ann नमस्ते {more} x_1 x_12 #Gülşen Anna"
    (expression,) = expressions("names")
    found = list(matches(text, "names", "en"))
    assert found == list(find_all(expression, text))
    assert len(found) >= 10


def test_own_collocations_are_hidden_as_units(lists: Path) -> None:
    (lists / "collocations.tsv").write_text("flight attendant\t3.5\n", encoding="utf-8")
    chosen = mask(TEXT, "collocation", ratio=0.9)
    assert any(s.reason == "collocation, PMI 3.5" for s in chosen.spans)


@pytest.mark.parametrize(
    ("name", "content", "strategy", "says"),
    [
        ("gender.txt", b"re:(oops\n", "attribute", "regular expression"),
        ("gender.txt", b"pil\xffot\n", "attribute", "UTF-8"),
        ("sentiment.txt", b"re:[\n", "key:lexicon", "regular expression"),
        ("collocations.tsv", b"new york 3\n", "collocation", "a tab and a number"),
    ],
)
def test_a_broken_list_names_its_file_and_the_next_step(
    lists: Path, name: str, content: bytes, strategy: str, says: str
) -> None:
    pytest.importorskip("spacy")
    (lists / name).write_bytes(content)
    with pytest.raises(DataError, match=says) as error:
        mask(TEXT, strategy)
    assert name in str(error.value)


# By hand, none taken from a list; which of them ours has.
REGIONS = {
    "Pakistan": "Zubair Farzana Bushra Waqar Shumaila Junaid Rukhsana Khurram Naveed Iftikhar",
    "Uzbekistan": "Dilnoza Gulnora Bekzod Shavkat Otabek Nilufar Zulfiya Jasur Sardor Sherzod",
    "Kazakhstan": "Aigerim Yerlan Nurlan Gulnara Serik Aruzhan Bolat Dinara Yerbol Askar",
    "Kyrgyzstan": "Aibek Azamat Nurbek Cholpon Bakyt Jyldyz Nazgul Mirlan Adilet Zamira",
    "Tajikistan": "Firdavs Parvina Emomali Jamshed Nigora Manizha Dilshod Faridun Sitora Umed",
    "Turkmenistan": "Gurbanguly Serdar Ogulnabat Maral Jennet Merdan Oraz Guncha Selbi Gozel",
    "Algeria": "Abdelkader Yacine Sofiane Djamila Lakhdar Hichem Meriem Boualem Houria Fodil",
    "Morocco": "Driss Hicham Soufiane Khadija Abdellatif Lahcen Zineb Othmane Younes Ghita",
    "Tunisia": "Moncef Ridha Hédi Olfa Mongi Wassim Faouzi Lotfi Imen Chokri",
    "Egypt": "Mostafa Hossam Amr Sherif Nagwa Magdy Heba Shaimaa Wael Basma",
    "Iran": "Alireza Fatemeh Mehrdad Shahram Elaheh Behzad Parisa Masoud Niloufar Farhad",
    "Hungary": "Zoltán Zoltan György Gyorgy László Ágnes Balázs Katalin István Réka",
}


@pytest.mark.parametrize("region", REGIONS)
def test_attribute_knows_given_names_of_many_regions(region) -> None:
    names = REGIONS[region].split()
    found = {
        text[slice(*place)] for text in [", ".join(names)] for place in matches(text, "names", "en")
    }
    assert len(found) >= 9, set(names) - found
