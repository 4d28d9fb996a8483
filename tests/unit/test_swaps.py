"""Counterfactual texts: swapped as a whole, in good English, or left out with the reason."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from maskviz.errors import UnknownNameError
from maskviz.evidence.counterfactual.changes import Change, changed, lines, table
from maskviz.evidence.counterfactual.people import OTHERS, _names
from maskviz.evidence.counterfactual.religion import _lists
from maskviz.evidence.counterfactual.swaps import categories, swap, swapped, swapped_pair
from maskviz.masks import mask

SENTENCES = [
    line.split("\t")
    for line in (Path(__file__).parent / "pronouns.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
# The given names of the Equity Evaluation Corpus (Kiritchenko and Mohammad 2018), which no list of
# ours was made of.
AFRICAN = (
    "Ebony Jasmine Lakisha Latisha Latoya Nichelle Shaniqua Shereen Tanisha Tia "
    "Alonzo Alphonse Darnell Jamel Jerome Lamar Leroy Malik Terrence Torrance"
)
EUROPEAN = (
    "Amanda Betsy Courtney Ellen Heather Katie Kristin Melanie Nancy Stephanie "
    "Adam Alan Andrew Frank Harry Jack Josh Justin Roger Ryan"
)


def first_pronoun(text: str, other: str | None) -> str:
    """Return what the first her or his of a text became, "-" where it was left out."""
    if other is None:
        return "-"
    words = [word.lower() for word in re.findall(r"\w+", text)]
    at = next(i for i, word in enumerate(words) if word in ("her", "his"))
    return re.findall(r"\w+", other)[at].lower()


def test_her_and_his_are_told_by_part_of_speech() -> None:
    """Of 121 sentences by hand: one is wrong, and it is a free-standing his before a verb."""
    found = Counter()
    for text, gold in SENTENCES:
        case = first_pronoun(text, swap(text, "gender"))
        found[gold, case if case == "-" else case == gold] += 1
    assert len(SENTENCES) > 100
    assert found["him", False] == found["his", False] == found["her", False] == 0
    assert found["hers", False] <= 1
    assert sum(n for (gold, case), n in found.items() if case == "-" and gold != "-") == 0
    assert found["-", "-"] >= 7  # told her stories: a row less, no guess


@pytest.mark.parametrize(
    "sentence",
    [
        "A colleague of {} left.", "A rival of {} quit early.", "A friend of {} set up a shop.",
        "A student of {} rose quickly.", "A companion of {} slept.", "Friends of {} work there.",
        "A friend of {} also left.", "Two pupils of {} won.", "That dog of {} bit me.",
        "A friend of {} rings every day.",
    ],
)  # fmt: skip
def test_what_a_friend_of_his_does_is_no_thing_of_his(sentence: str) -> None:
    """A tagger takes the verb for a noun; but a sentence has one."""
    assert swap(sentence.format("his"), "gender") == sentence.format("hers")


@pytest.mark.parametrize(
    "sentence",
    [
        "The pain of {} left hand grew.", "The end of {} set was loud.", "One of {} friends left.",
        "The price of {} rose garden rose.", "The size of {} cut was large.",
    ],
)  # fmt: skip
def test_a_thing_of_his_stays_his_beside_a_verb(sentence: str) -> None:
    assert swap(sentence.format("his"), "gender") == sentence.format("her")


@pytest.mark.parametrize("gendered", ["man", "woman"])
@pytest.mark.parametrize(
    ("sentence", "case"),
    [
        ("The news upset {}.", "object"), ("We drove home without {}.", "object"),
        ("They thanked {} for the soup.", "object"), ("I will meet {} tomorrow.", "object"),
        ("We lost {} keys.", "possessive"), ("{} old car broke down.", "possessive"),
        ("Critics loved {} very first play.", "possessive"), ("It was {} own fault.", "possessive"),
        ("The red bicycle is {}.", "alone"), ("A cousin of {} called.", "alone"),
        ("Our garden is larger than {}.", "alone"),
    ],
)  # fmt: skip
def test_every_case_goes_both_ways(gendered, sentence, case) -> None:
    forms = {"object": ("him", "her"), "possessive": ("his", "her"), "alone": ("his", "hers")}
    own, other = forms[case] if gendered == "man" else forms[case][::-1]
    texts = [sentence.format(w.capitalize() if sentence[0] == "{" else w) for w in (own, other)]
    assert swap(texts[0], "gender") == texts[1]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("He told his wife.", "She told her husband."),
        ("I saw her and her dog.", "I saw him and his dog."),
        ("SHE knows herself.", "HE knows himself."),
        ("My mom loves her job.", "My dad loves his job."),
        ("Mrs. Berg and her husband", "Mr. Berg and his wife"),
        ("Miss Berg is an actress and a heroine.", "Mr Berg is an actor and a hero."),
        ("The policewoman paid the waitress.", "The policeman paid the waiter."),
        ("Her daughter-in-law is a duchess.", "His son-in-law is a duke."),
        ("Sir Paul met Lady Macbeth.", "Dame Carol met Lord Macbeth."),
        ("Lord Byron wrote it.", "Lady Byron wrote it."),
        ("Lord Nelson saw Baron Cohen's wife.", "Lady Nelson saw Baroness Cohen's husband."),
        ("He/she told his wife.", "He/she told her husband."),
        ("Ladies and gentlemen!", "Gentlemen and ladies!"),
        ("I miss her.", "I miss him."),
        ("Yes, ma'am.", "Yes, sir."),
        ("<b>his</b>", "<b>hers</b>"),
        ("The heroine dies, the hero lives.", "The hero dies, the heroine lives."),
        ("Gods and goddesses; a god.", "Goddesses and gods; a goddess."),
        ("An actress met an actor.", "An actor met an actress."),
    ],
)
def test_a_whole_text_changes_gender(text, other) -> None:
    assert swap(text, "gender") == other


@pytest.mark.parametrize(
    "name",
    ["Stephen King met", "Billie Jean King met", "Guy Ritchie met", "Lord of the Rings: we met"],
)
def test_words_of_gender_in_names_are_names(name) -> None:
    other = swap(f"{name} her.", "gender")
    assert other is None or not re.search("Queen|Gal|Lady", other)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("There is nobody.", "without a word of gender"),
        ("s/he", "without a word of gender"),
        ("her/his ticket", "without a word of gender"),
        ("He/she may bring him / her or his/hers.", "without a word of gender"),
        ("", "without a word of gender"),
        ("I gave her money.", "in two ways"),
        ("She is pregnant.", "no counterpart"),
        ("Zyxwa Petrovna lost her keys.", "a name whose gender"),
    ],
)
def test_half_a_text_is_never_swapped(text, why) -> None:
    found = swapped(text, "gender")
    assert found.text is None
    assert why in found.why


def test_given_names_go_with_the_gender() -> None:
    other = swap("Anna Berg and her brother David left; Berg smiled.", "gender")
    changed_to = re.fullmatch(r"(\w+) Berg and his sister (\w+) left; Berg smiled.", other)
    assert changed_to
    assert [_names().known[name][1] for name in changed_to.groups()] == ["m", "f"]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("She is 30 years old.", "She is 70 years old."),
        ("My 45 year old brother left.", "My 85 year old brother left."),
        ("Two 70 yr old nurses", "Two 30 yr old nurses"),
        ("The 30-year old teacher", "The 70-year old teacher"),
        ("My 9 year old sister", None),
        ("We met an 18-year-old woman.", "We met a 58-year-old woman."),
        ("An 82-year-old driver", "A 42-year-old driver"),
        ("Uwe (36) left.", "Uwe (76) left."),
        ("A young doctor came.", "An old doctor came."),
        ("An old doctor came.", "A young doctor came."),
        ("She is thirty-five years old.", "She is seventy-five years old."),
        ("He is very young.", "He is very old."),
        ("The film is 30 years old.", None),
        ("an old house and an old friend", None),
        ("Paulina is old-fashioned.", None),
        ("a 5-year-old boy", None),
        ("He waited 30 minutes.", None),
    ],
)
def test_ages_change_by_number_or_not_at_all(text, other) -> None:
    assert swap(text, "age") == other


@pytest.mark.parametrize(
    ("text", "other"),
    [
        (
            "The Catholic priest in the church read the Bible.",
            "The Sunni imam in the mosque read the Quran.",
        ),
        ("Muslims pray in a mosque.", "Christians pray in a church."),
        ("a Jewish home, a rabbi, a Jew", "a Christian home, a priest, a Christian"),
        ("Christians and Muslims", "Muslims and Christians"),
        ("An imam spoke.", "A priest spoke."),
        ("Christian Bale acts.", None),
        ("Christians, Muslims and Jews", None),
        ("The nun went to church.", None),
        ("an old temple", None),
        ("They keep Hanukkah, not Christmas.", "They keep Christmas, not Hanukkah."),
        ("Christmas and Easter", None),
        ("A priest and a pastor", None),
        ("A Muslim knows Islamic law.", "A Christian knows Christian law."),
        ("a Jew and a Christian", "a Christian and a Jew"),
        ("The imam met a vicar.", "The vicar met an imam."),
    ],
)
def test_one_religion_becomes_one_religion(text, other) -> None:
    assert swap(text, "religion") == other


@pytest.mark.parametrize("religion", ["christian", "muslim", "jewish", "buddhist", "hindu"])
def test_no_text_has_words_of_two_religions_behind_a_swap(religion) -> None:
    lists = _lists()
    roles = {word: lists.rows[row].role for word, (of, row) in lists.own.items() if of == religion}
    for word, role in roles.items():
        other = swap(f"It is about {word} today.", "religion")
        if role == "alone":
            assert other is None
        else:
            found = [w for w in re.findall(r"[\w']+", other.casefold()) if w in lists.own]
            named = {lists.own[w][0] for w in found} | ({"any"} if role == "god" else set())
            assert len(named | {religion}) == 2, (word, other)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("John met an American.", "John met an Iranian."),
        ("Americans of the United States", "Iranians of Iran"),
        ("The US government fell.", None),
        ("the US government", "the Iranian government"),
        ("A Dutch film from the Netherlands", "A Moroccan film from Morocco"),
        ("The Frenchman left.", None),
    ],
)
def test_a_nationality_takes_its_country_along(text, other) -> None:
    assert swap(text, "nationality") == other


def test_names_are_swapped_within_a_gender_and_across_groups() -> None:
    names = _names()
    to = Counter()
    for name in names.pools["European", "f"][:60]:
        other = swap(f"{name} met an American.", "names")
        group, gender = names.known[other.split()[0]]
        to[group] += 1
        assert gender == "f"
    assert set(to) == set(OTHERS)
    assert max(to.values()) - min(to.values()) <= 2
    assert swap("Latoya left.", "names").split()[0] in names.pools["European", "f"]
    assert swap("Elton John sang.", "names").endswith(" John sang.")  # a surname here


def test_two_names_of_a_text_never_become_one() -> None:
    known = _names().pools["African", "m"][:45]
    text = ", ".join(known) + " were there."
    other = re.findall(r"\w+", swap(text, "names"))[: len(known)]
    assert len(set(other)) == len(known)


def test_the_lists_of_names_are_as_long_for_each_group_and_gender() -> None:
    pools = _names().pools
    assert min(len(pools[group, gender]) for group in OTHERS for gender in "fm") >= 40
    assert min(len(pools["European", gender]) for gender in "fm") >= 120


def test_the_lists_know_names_they_were_not_made_of() -> None:
    """Before, `names.txt` had 5 of 20 and 10 of 20, the swaps 0 and 3."""
    listed = set(
        Path(mask.__code__.co_filename).parent.joinpath("lexicons/names.txt").read_text().split()
    )
    known = {name for name, (group, _) in _names().known.items() if group != "-"}
    counts = [
        [sum(n in has for n in of.split()) for of in (AFRICAN, EUROPEAN)] for has in (listed, known)
    ]
    assert counts == [[20, 20], [11, 18]]


@pytest.mark.parametrize("name", f"{AFRICAN} {EUROPEAN}".split())
def test_attribute_finds_given_names_of_both_groups(name) -> None:
    found = mask(f"The conversation with {name} was irritating.", "attribute", types=["names"])
    assert [s for s in found.spans if found.text[s.start : s.end] == name]


@pytest.mark.parametrize("name", ["Gulnora", "Agus", "Abdelkader", "Zoltán", "Chukwuemeka"])
def test_a_name_whose_gender_no_list_tells_is_left_out(name) -> None:
    assert "gender" in swapped(f"{name} and her husband left.", "gender").why
    assert swap("Alexis and her husband left.", "gender") == "Alexis and his wife left."


@pytest.mark.parametrize(
    ("text", "swaps"),
    [
        ("Heather left.", True),
        ("Heather met Mr. Smith.", True),
        ("Heather and Oluwaseun left.", False),
        ("Lakisha saw Chukwuemeka Berg.", False),
    ],
)
def test_all_names_that_tell_a_group_are_swapped_or_none(text, swaps) -> None:
    assert (swap(text, "names") is not None) == swaps


def test_pairs_are_oriented_by_their_first_swapped_word() -> None:
    assert swapped_pair(1, "She left.", "gender").first == "He left."
    assert swapped_pair(1, "He left.", "gender").first == "He left."


@pytest.mark.parametrize(
    ("text", "word", "new", "other"),
    [
        ("a king", "king", "emperor", "an emperor"), ("AN ACTOR", "ACTOR", "HERO", "A HERO"),
        ("An uncle", "uncle", "European", "A European"), ("a 30", "30", "80", "an 80"),
        ("data king", "king", "emperor", "data emperor"), ("a boy", "boy", "heir", "an heir"),
    ],
)  # fmt: skip
def test_articles_agree(text, word, new, other) -> None:
    start = text.index(word)
    assert changed(text, [Change(start, start + len(word), new, True)]) == other


def test_no_word_stands_in_two_lines_that_disagree() -> None:
    for category in ("gender", "title", "nationality", "age"):
        seen = Counter(tuple(line) for line in lines("swaps.tsv") if line[0] == category)
        assert set(seen.values()) == {1}, category
        words = table(category)
        assert not words.alone & (words.forth.keys() | words.back.keys()), category


def test_an_unknown_category_is_named() -> None:
    with pytest.raises(UnknownNameError, match="category to swap"):
        swap("He left.", "shoes")
    assert sorted(categories()) == [
        "age", "gender", "names", "names-alike", "nationality", "places", "religion",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The hotel in Paris was dirty.", "The hotel in Lagos was dirty."),
        ("She moved from Lagos to Mombasa.", "She moved from Paris to Galway."),
        ("The Netherlands, then Rome and France.", "Iran, then Mexico City and Nigeria."),
        ("I sent it to the US.", "I sent it to Pakistan."),
    ],
)
def test_places_go_with_their_countries(text: str, wanted: str) -> None:
    assert swapped(text, "places").text == wanted


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("The shop is in London, Britain.", "with a place that has no counterpart"),
        ("A French bakery in Paris.", "with a nationality beside a place"),
        ("Nothing of the kind.", "without a place to swap"),
    ],
)
def test_what_place_stays_is_said(text: str, why: str) -> None:
    found = swapped(text, "places")
    assert found.text is None
    assert why in found.why


def test_places_are_swapped_back() -> None:
    for first in table("places").forth:
        other = table("places").forth[first]
        if other in table("places").back:
            assert table("places").forth[table("places").back[other]] == other


def test_names_alike_keep_gender_and_group() -> None:
    from maskviz.evidence.counterfactual.people import given_names
    from maskviz.text import Document

    text = "Emily wrote to John about Lakisha."
    other = swapped(text, "names-alike").text
    before, after = (given_names(Document(t)) for t in (text, other))
    assert [g.known for g in before] == [g.known for g in after]
    assert not {g.name for g in before} & {g.name for g in after}


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Madam President and her husband spoke.", "Mr President and his wife spoke."),
        ("Madam Chair, she left.", "Mr Chair, he left."),
        ("Yes, Madam. He left.", "Yes, Sir. She left."),
        ("No, madam, he left.", "No, sir, she left."),
        ("Mrs. Berg saw him.", "Mr. Berg saw her."),
    ],
)
def test_madam_is_a_title_before_an_office_alone(text: str, other: str) -> None:
    assert swap(text, "gender") == other
