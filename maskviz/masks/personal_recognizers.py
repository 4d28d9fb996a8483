"""Recognisers beside Presidio's own: by lists, by how a thing is written or said.

Ages, names, nationalities and religions go by the lists of the text's language, so that a text is
read where no pipeline of its language is, too. English names are left to the pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

from presidio_analyzer import AnalysisExplanation, LocalRecognizer, RecognizerResult

from ..text.ages import ages_behind
from .addresses import addresses_in
from .dates import dates_in
from .listed import expressions, has_list, matches
from .matching import find_all

Find = Callable[[str, Any], Iterable[tuple[int, int]]]
_CERTAIN = 0.85  # Presidio's own for what spaCy finds
_LIKELY = 0.6
_SAID = 0.7  # above what Presidio gives to a part of the number
# A number with at least four digits behind a word that says what it is.
_LICENCE = (
    r"(?i)\b(?:driv(?:er|ing)(?:[’']?s)?[ -]?(?:licen[cs]e|permit|lic\.?)|"
    r"licen[cs]e (?:number|no\.?|#)|"
    r"(?:DL|DLN|CDL)(?= ?(?:number|no\.?|#|:|is\b)))"
    r"(?: (?:number|no\.?|num|id|card))?(?:[ :#=]| is| was){0,6}"
    r"\K(?=(?:[A-Z0-9*-]*\d){4})[A-Z0-9*]{1,}(?:[- ](?=[A-Z]*\d)[A-Z0-9*]+){0,5}\b"
)
_SAYS_NUMBER = (
    r"(?:[ .-]{0,2}(?:number|nummer|numéro|número|numero|номер|no\.?|num|nr\.?))?"
    r"(?:[ .:#=\n]| is| was| lautet| ist| est| es| è| é){0,6}"
)
_DIALLED = r"\(?\+?\(?\d(?:[ ()./-]{0,2}\d){5,14}+(?: ?(?:x|ext\.?) ?\d{1,6})?(?!\d)"
_TELEPHONE = (
    r"(?:(?:tele)?phone|tel(?:efon|éfono|éphone|efone|efono|efoon)?|mob(?:ile|il(?:telefon)?)?|"
    r"handy|rufnummer|portable|móvil|celular|cellulare|telemóvel|cell|fax|whatsapp|hotline|"
    r"тел(?:ефон)?|моб(?:ильный)?|факс)"
)
_IN_EAST = (
    r"(?:电话|電話|手机|手機|座机|传真|傳真|热线|熱線|联系方式|聯絡方式|携帯|전화|휴대폰|핸드폰|팩스)"
    r"(?:号码|號碼|番号|번호|号|號)?[是为為は은는:： ]{0,4}\K(?<!\d)"
)
# The word stands before its number, or behind it, as on a card: "28-64-66-98 office".
_PHONES = (
    rf"(?i)\b{_TELEPHONE}{_SAYS_NUMBER}\K(?<!\d){_DIALLED}",
    rf"(?i)(?<![\w+]){_DIALLED}(?=[ -]?\(?(?:{_TELEPHONE}|office|desk)\b)",
    r"(?<![\w+])\+[1-9](?:[ ()./-]{0,2}\d){7,14}+(?!\d)",  # ITU-T E.164: at most 15 digits
    _IN_EAST + _DIALLED,
)
_MOBILE = r"(?<![\dA-Za-z.-])1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![\dA-Za-z])"  # of mainland China
_RESIDENT = r"(?<![\dA-Za-z])[1-9]\d{5}(?:18|19|20)\d{9}[\dXx](?![\dA-Za-z])"
_WEIGHTS = tuple(2**place % 11 for place in range(17, -1, -1))
_TELLS_NUMBER = r"(?i)\d|[零〇一二两兩三四五六七八九十百半几幾]"
_CARD = rf"(?i)\bcard{_SAYS_NUMBER}\K(?<!\d)\d(?:[ -]?\d){{11,18}}+(?!\d)"
_MASTERCARD = r"(?<!\d)2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)(?:[ -]?\d{4}){3}(?!\d)"


class Recognizer(LocalRecognizer):
    """Finds one kind of personal data by a function of the text and what Presidio knows of it."""

    def __init__(self, name: str, kind: str, score: float, why: str, find: Find) -> None:
        self.kind, self.score, self.find = kind, score, find
        self.why = AnalysisExplanation(name, score, textual_explanation=why)
        super().__init__(supported_entities=[kind], name=name)

    def load(self) -> None:
        """Load nothing: word lists are read when they are asked for."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Return what is found in a text that the pipeline has read."""
        return [
            RecognizerResult(self.kind, start, end, self.score, copy(self.why))
            for start, end in self.find(text, nlp_artifacts)
        ]


def recognizers() -> list[Recognizer]:
    """Return one of each."""
    return [
        Recognizer("AgeRecognizer", "AGE", _CERTAIN, "tells an age", _ages),
        Recognizer("NameListRecognizer", "PERSON", _LIKELY, "a word list", _names),
        Recognizer("PeopleListRecognizer", "NRP", _LIKELY, "a word list", _peoples),
        Recognizer("WrittenDateRecognizer", "DATE_TIME", _LIKELY, "a date in words", _dates),
        Recognizer("AddressRecognizer", "LOCATION", _LIKELY, "a street address", _addresses),
        Recognizer("LicenceRecognizer", "DRIVER_LICENSE", _SAID, "said to be one", _licences),
        Recognizer("SaidPhoneRecognizer", "PHONE_NUMBER", _SAID, "said to be one", _phones),
        Recognizer("ResidentRecognizer", "CN_RESIDENT_ID", _CERTAIN, "its check digit", _residents),
        Recognizer("SaidCardRecognizer", "CREDIT_CARD", _SAID, "said to be one", _cards),
    ]


def _ages(text: str, artifacts: Any) -> Iterable[tuple[int, int]]:
    """Find ages as the strategy `attribute` does, without words such as "child"."""
    people = {e.end_char for e in artifacts.entities if e.label_ == "PERSON"}
    found = [(a.start, a.end) for a in ages_behind(text) if a.name_end in people]
    for expression in expressions("age", words=False):
        found += find_all(expression, text)
    language = artifacts.language
    return [*found, *_other_ages(text, language)] if language != "en" else found


def _other_ages(text: str, language: str) -> Iterable[tuple[int, int]]:
    """Yield the ages of another language's list that have a number, in figures or in words."""
    import regex

    if not has_list("age", language):
        return
    numbers = _TELLS_NUMBER
    if has_list("numbers", language):
        numbers += "".join(f"|{word}" for word in expressions("numbers", language=language)[:1])
    for expression in expressions("age", words=False, language=language):
        for start, end in find_all(expression, text):
            if regex.search(numbers, text[start:end]):
                yield start, end


def _names(text: str, artifacts: Any) -> Iterable[tuple[int, int]]:
    return () if artifacts.language == "en" else matches(text, "names", artifacts.language)


def _peoples(text: str, artifacts: Any) -> Iterable[tuple[int, int]]:
    """Find nationalities and religions as the strategy `attribute` does."""
    for name in ("nationality", "religion"):
        yield from matches(text, name, artifacts.language)


def _dates(text: str, artifacts: Any) -> Iterable[tuple[int, int]]:
    return dates_in(text)


def _addresses(text: str, artifacts: Any) -> Iterable[tuple[int, int]]:
    return addresses_in(text)


def _licences(text: str, artifacts: Any) -> Iterable[tuple[int, int]]:
    return find_all(_LICENCE, text)


def _phones(text: str, artifacts: Any) -> Iterable[tuple[int, int]]:
    """Find what is said to be a telephone number, and what has a country's code."""
    chinese = (_MOBILE,) if artifacts.language == "zh" else ()
    return [span for expression in (*_PHONES, *chinese) for span in find_all(expression, text)]


def _cards(text: str, artifacts: Any) -> Iterable[tuple[int, int]]:
    """Find what is said to be a card's number, and Mastercard's second range by its check digit."""
    second = (span for span in find_all(_MASTERCARD, text) if _checks(text[slice(*span)]))
    return [*find_all(_CARD, text), *second]


def _residents(text: str, artifacts: Any) -> Iterable[tuple[int, int]]:
    """Find the numbers of Chinese identity cards by their check digit (GB 11643-1999).

    >>> list(_residents("11010519491231002X", None))
    [(0, 18)]
    """
    for start, end in find_all(_RESIDENT, text):
        values = [10 if mark in "Xx" else int(mark) for mark in text[start:end]]
        if sum(w * v for w, v in zip(_WEIGHTS, values, strict=True)) % 11 == 1:
            yield start, end


def _checks(number: str) -> bool:
    """Tell whether the last digit is the check digit of the others (ISO/IEC 7812, Luhn).

    >>> _checks("4111 1111 1111 1111")
    True
    """
    digits = [int(mark) for mark in reversed(number) if mark.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
