"""Personal data: all kinds together hide what each hides alone, and never less than Presidio."""

from __future__ import annotations

import random
from itertools import product
from typing import ClassVar

import pytest

pytest.importorskip("presidio_analyzer", reason="Presidio is an extra")

from maskviz.masks import mask, personal_engine
from maskviz.masks.addresses import addresses_in
from maskviz.text import Document, pipelines

SEPARATORS = (",", ";", ":", "|", "\t", "", " ", "/")
FIELDS = {
    "PERSON": ("Kari Nordmann", "Sarah Miller", "O'Brien", "Tel."),
    "EMAIL_ADDRESS": ("sarah@example.org", "k.n@mail.example.com"),
    "PHONE_NUMBER": ("212-555-0147", "0047-22123456", "(212) 555-0147"),
    "LOCATION": ("Oslo", "12 Maple Street, Springfield, IL 62704"),
    "CREDIT_CARD": ("4111 1111 1111 1111", "5555555555554444"),
    "AGE": ("aged 65", "81-year-old"),
    "URL": ("https://example.org/a?b=c", "www.example.com"),
}
WITHIN = ["Tel.:0047-22123456", "Contact:212-555-0147", "Fax:0044-2079460000", "Name=Ann,Age=81"]


def records(count: int) -> list[str]:
    """Return made-up records of three or four fields without a space between them, and WITHIN."""
    rng = random.Random(5)
    made = []
    for separator, _ in product(SEPARATORS, range(count)):
        kinds = rng.sample(sorted(FIELDS), 4)
        made.append(separator.join(rng.choice(FIELDS[kind]) for kind in kinds))
    return [*made, *WITHIN]


@pytest.mark.parametrize("text", records(2), ids=ascii)
def test_all_kinds_hide_what_each_hides_alone(text: str) -> None:
    together = mask(text, "pii")
    kinds = {*FIELDS, *(span.label for span in together.spans)}
    for kind in sorted(kinds):
        assert mask(text, "pii", types=kind).characters <= together.characters


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Kari Nordmann,212-555-0147,Oslo", "[PERSON][PHONE_NUMBER],Oslo"),
        ("Sarah Miller,sarah@example.org", "[PERSON][EMAIL_ADDRESS]"),
        ("Send it to 12 Maple Street, Springfield, IL 62704.", "Send it to [LOCATION]."),
    ],
)
def test_every_character_is_labelled_by_its_best_hit(text: str, shown: str) -> None:
    assert mask(text, "pii").masked_text("placeholder") == shown


class Rich:
    """A pipeline of rules that finds what the bundled one does not."""

    RULES: ClassVar = {
        "NORP": ("Norwegian", "Catholic"), "DATE": ("3 May 1979", "last Tuesday"),
        "TIME": ("noon",), "FAC": ("Tower Bridge",), "GPE": ("Oslo",), "PERSON": ("Kari Nordmann",),
        "ORG": ("Acme",), "CARDINAL": ("seven",), "WORK_OF_ART": ("Hamlet",),
    }  # fmt: skip
    ON_A_LINE = ("White", "Alma Jensen")  # found where a line break stands before it alone

    @classmethod
    def made(cls):
        """Return the pipeline."""
        import spacy

        pipeline = spacy.blank("en")
        ruler = pipeline.add_pipe("entity_ruler")
        rules = [
            {"label": label, "pattern": word}
            for label, words in cls.RULES.items()
            for word in words
        ]
        ruler.add_patterns(rules)
        lines = [
            [{"IS_SPACE": True}, *({"TEXT": part} for part in name.split())]
            for name in cls.ON_A_LINE
        ]
        ruler.add_patterns([{"label": "PERSON", "pattern": line} for line in lines])
        return pipeline


@pytest.fixture
def rich(monkeypatch: pytest.MonkeyPatch):
    """Let the pipeline `rich` be installed; give plain Presidio on it."""
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    pipeline = Rich.made()
    monkeypatch.setattr(pipelines, "_loaded", lambda name: pipeline)
    personal_engine.engine.cache_clear()
    kinds = {  # as presidio_analyzer/conf/default.yaml has them
        "PERSON": "PERSON", "NORP": "NRP", "FAC": "LOCATION", "LOC": "LOCATION", "GPE": "LOCATION",
        "ORG": "ORGANIZATION", "DATE": "DATE_TIME", "TIME": "DATE_TIME",
    }  # fmt: skip
    settings = NerModelConfiguration(
        model_to_presidio_entity_mapping=kinds, labels_to_ignore=["CARDINAL", "WORK_OF_ART"]
    )
    nlp = SpacyNlpEngine(
        models=[{"lang_code": "en", "model_name": "rich"}], ner_model_configuration=settings
    )
    nlp.nlp = {"en": pipeline}
    yield AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])
    personal_engine.engine.cache_clear()


SAID = (
    "{} met us.", "We saw {} and left.", "It was {}, or so they say: {}.", "Call {} at {}; pay {}.",
    "My SSN is 078-05-1120, my card {}, and I flew in on {}.", "{} ({}) wrote to {} from {}.",
)  # fmt: skip


def test_no_kind_hides_less_than_plain_presidio_on_the_same_pipeline(rich) -> None:
    rng = random.Random(2)
    words = [w for kind in (*Rich.RULES.values(), *FIELDS.values()) for w in kind]
    for said in SAID * 5:
        text = said.format(*(rng.choice(words) for _ in range(4)))
        ours = mask(Document(text, "rich"), "pii")
        for hit in rich.analyze(text, "en", score_threshold=0.4):
            found = {i for i in range(hit.start, hit.end) if not text[i].isspace()}
            assert found <= ours.characters, (text, hit)
            alone = mask(Document(text, "rich"), "pii", types=hit.entity_type)
            assert found <= alone.characters, (text, hit)


@pytest.mark.parametrize(
    "text",
    [
        "The founders\n\nWhite\nand so", "From:\t White\r\nTo: Acme", ">\n>Alma\u00a0Jensen\n>x",
        "Kari  Nordmann\n \nAlma Jensen\n\nOslo", "last\u00adTuesday\n\nAlma Jensen",
    ],
)  # fmt: skip
def test_white_space_hides_nothing_that_plain_presidio_finds(rich, text: str) -> None:
    ours = mask(Document(text, "rich"), "pii").characters
    hits = rich.analyze(text, "en", score_threshold=0.4)
    for hit in hits:
        assert {i for i in range(hit.start, hit.end) if not text[i].isspace()} <= ours, (text, hit)


@pytest.mark.parametrize("label", ["NORP", "DATE", "TIME", "FAC", "GPE", "PERSON", "ORG"])
def test_what_a_pipeline_finds_of_a_person_is_hidden(rich, label: str) -> None:
    for word in Rich.RULES[label]:
        text = f"They say {word} it is."
        assert [text[s.start : s.end] for s in mask(Document(text, "rich"), "pii").spans] == [word]


@pytest.mark.parametrize("label", ["CARDINAL", "WORK_OF_ART"])
def test_what_is_no_personal_data_is_not(rich, label: str) -> None:
    assert not mask(Document(f"They say {Rich.RULES[label][0]} it is.", "rich"), "pii").spans


ADDRESSES = [
    "12 Maple Street", "126 W. 5th Avenue Apt. 024", "1481 Maud Zagorec Divide Suite 030",
    "89 Chemin des Bateliers", "12 rue des Coudriers", "C/ Pablo Iglesias 93", "Via Roma, 12",
    "Prenzlauer Allee 20", "Hauptstraße 5a", "Kerkstraat 12", "Storgatan 49", "Rautatienkatu 33",
    "Mellemvej 88", "ul. Reja Mikołaja 44", "Síp utca 36.", "126 Gosposka ulica 61", "P.O. Box 255",
    "514 Hvanneyrarbraut 94 Suite 863", "USS Andersen\nFPO AA 30677", "Rua Augusta 1500",
    "5900 E. Ben White Blvd.\nAustin, TX 78741", "PSC 473, Box 12\nAPO AP 96349", "ул. Ленина 5",
]  # fmt: skip
NO_ADDRESSES = [
    "He was born on 3 May 1979.", "We saw 12 Angry Men.", "The Boeing 747 landed in Spring 12.",
    "Watergate 5 was a play of World War 2.", "Chapter 3 and Psalm 23.", "In 2020 Windows 11 came.",
    "Call 212-555-0147.", "The street was long and the avenue wide.", "They won 3 Oscars in May.",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("said", ["{} is where it was.", "Nobody knows {}, she said."])
def test_a_street_address_is_found_whole(said: str, address: str) -> None:
    text = said.format(address)
    hidden = {i for start, end in addresses_in(text) for i in range(start, end)}
    start = text.index(address)
    whole = {i for i in range(start, start + len(address)) if text[i].isalnum()}
    assert whole <= hidden


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_other_numbers_are_no_address(text: str) -> None:
    assert addresses_in(text) == []


def test_capitalised_words_beside_a_number_are_an_address_where_the_text_says_so() -> None:
    text = "Karlsborg 49 is fine. My address is Karlsborg 49."
    assert [text[s:e] for s, e in addresses_in(text)] == ["Karlsborg 49."]


@pytest.mark.parametrize(
    "text",
    [
        "It was written when he was 65.", "I'll turn 65 on Monday.",
        "My mother retired when she turned 65.", "I'm 65, from Leeds.",
        "He wrote until he was 65 and then slept.",
    ],
)  # fmt: skip
@pytest.mark.parametrize("strategy", ["pii", "attribute"])
def test_an_age_that_is_said_of_somebody_is_hidden(strategy: str, text: str) -> None:
    kinds = {"pii": "AGE", "attribute": ["age"]}[strategy]
    hidden = [text[s.start : s.end] for s in mask(text, strategy, types=kinds).spans]
    assert "65" in [word for words in hidden for word in words.split()]


@pytest.mark.parametrize(
    "text",
    ["When it was 65 they left.", "He ran when he was 65 miles away.", "I turned 90 degrees left."],
)
def test_another_number_is_no_age(text: str) -> None:
    assert not [s for s in mask(text, "pii", types="AGE").spans if text[s.start].isdigit()]


@pytest.mark.parametrize("number", ["S530-460-99-424-0", "6940579", "J1003878", "M943688896309"])
@pytest.mark.parametrize(
    "said", ["My driver's license is {}.", "Driving licence no. {}", "license number: {}"]
)
def test_the_number_of_a_licence_is_hidden_whole(said: str, number: str) -> None:
    text = said.format(number)
    start = text.index(number)
    assert set(range(start, start + len(number))) <= mask(text, "pii").characters


PHONES = (
    "60-56-85-91", "+447700 921 916", "99 577450", "358 0594", "(0)434 14 557", "21 284 698 2548",
    "+1-903-140-4508x769", "9469 9966", "0490.39.07.81",
)  # fmt: skip


@pytest.mark.parametrize("number", PHONES)
@pytest.mark.parametrize(
    "said",
    [
        "Phone: {}",
        "phone\n{} or not",
        "My mobile number is {}.",
        "Tel. {}, Oslo",
        "{} fax",
        "{}-Fax;",
    ],
)
def test_a_number_that_is_said_to_be_a_telephones_is_hidden_whole(said: str, number: str) -> None:
    text = said.format(number)
    start = text.index(number)
    digits = {i for i in range(start, start + len(number)) if text[i].isdigit()}
    assert digits <= mask(text, "pii", types="PHONE_NUMBER").characters


@pytest.mark.parametrize(
    "text",
    [
        "He phoned 12 people in 2019.", "The iPhone 15 costs 1299.", "A cell 4 mm wide, 30 deep.",
        "Card 7 of 52.", "In the mobile era, 2007 to 2020, it grew +12 % a year.", "-1 + 2 + 3 = 4",
        "2245678901234567 is the order.", "Fax machines: 1,200,000 sold",
    ],
)  # fmt: skip
def test_other_numbers_are_neither_telephones_nor_cards(text: str) -> None:
    assert not mask(text, "pii", types="PHONE_NUMBER,CREDIT_CARD").spans


@pytest.mark.parametrize(
    "number", ["2623322164608847", "213161594239298", "587428561654", "2223 0000 4841 0010"]
)
@pytest.mark.parametrize("said", ["my card {}", "credit card number: {}.", "Card no {} is lost"])
def test_a_number_that_is_said_to_be_a_cards_is_hidden_whole(said: str, number: str) -> None:
    text = said.format(number)
    start = text.index(number)
    digits = {i for i in range(start, start + len(number)) if text[i].isdigit()}
    assert digits <= mask(text, "pii", types="CREDIT_CARD").characters


@pytest.mark.parametrize("number", ["2223000048410010", "2720 9925 9400 0005", "5555555555554444"])
def test_a_card_is_told_by_its_check_digit_alone(number: str) -> None:
    text = f"It was {number} that they took."
    assert [text[s.start : s.end] for s in mask(text, "pii").spans] == [number]


def test_presidio_reads_the_words_around_a_number() -> None:
    """Its context words raise a score, also where the pipeline gives no lemmas."""
    spans = mask("My passport is 123456789, a US one", "pii", types="US_PASSPORT").spans
    assert [span.score >= 0.4 for span in spans] == [True]


@pytest.mark.parametrize("strategy", ["pii", "entity", "attribute"])
@pytest.mark.parametrize(
    "text", ["@", "see @ the shop @ noon", "@ @ @", "Meet me @ work", "- @ -", "&"]
)
def test_a_lone_sign_is_no_name(strategy: str, text: str) -> None:
    given = {"types": ["names"]} if strategy == "attribute" else {}
    assert not mask(f"ok {text}", strategy, **given).spans
