"""Recognisers beside Presidio's own: ages, street addresses, and numbers said to be something."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

from presidio_analyzer import AnalysisExplanation, LocalRecognizer, RecognizerResult

from ..text.ages import ages_behind
from .addresses import addresses_in
from .listed import expressions
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
_SAYS_NUMBER = r"(?: (?:number|no\.?|num|nr\.?))?(?:[ .:#=\n]| is| was){0,6}"
_DIALLED = r"\(?\+?\(?\d(?:[ ()./-]{0,2}\d){5,14}+(?: ?(?:x|ext\.?) ?\d{1,6})?(?!\d)"
_TELEPHONE = (
    r"(?:(?:tele)?phone|tel(?:efon|éfono|éphone)?|mob(?:ile|il)?|cell|fax|whatsapp|hotline)"
)
# The word stands before its number, or behind it, as on a card: "28-64-66-98 office".
_PHONES = (
    rf"(?i)\b{_TELEPHONE}{_SAYS_NUMBER}\K(?<!\d){_DIALLED}",
    rf"(?i)(?<![\w+]){_DIALLED}(?=[ -]?\(?(?:{_TELEPHONE}|office|desk)\b)",
    r"(?<![\w+])\+[1-9](?:[ ()./-]{0,2}\d){7,14}+(?!\d)",  # ITU-T E.164: at most 15 digits
)
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
        Recognizer("AddressRecognizer", "LOCATION", _LIKELY, "a street address", _addresses),
        Recognizer("LicenceRecognizer", "DRIVER_LICENSE", _SAID, "said to be one", _licences),
        Recognizer("SaidPhoneRecognizer", "PHONE_NUMBER", _SAID, "said to be one", _phones),
        Recognizer("SaidCardRecognizer", "CREDIT_CARD", _SAID, "said to be one", _cards),
    ]


def _ages(text: str, artifacts: Any) -> Iterable[tuple[int, int]]:
    """Find ages as the strategy `attribute` does, without words such as "child"."""
    people = {e.end_char for e in artifacts.entities if e.label_ == "PERSON"}
    found = [(a.start, a.end) for a in ages_behind(text) if a.name_end in people]
    for expression in expressions("age", words=False):
        found += find_all(expression, text)
    return found


def _addresses(text: str, artifacts: Any) -> Iterable[tuple[int, int]]:
    return addresses_in(text)


def _licences(text: str, artifacts: Any) -> Iterable[tuple[int, int]]:
    return find_all(_LICENCE, text)


def _phones(text: str, artifacts: Any) -> Iterable[tuple[int, int]]:
    """Find what is said to be a telephone number, and what has a country's code."""
    return [span for expression in _PHONES for span in find_all(expression, text)]


def _cards(text: str, artifacts: Any) -> Iterable[tuple[int, int]]:
    """Find what is said to be a card's number, and Mastercard's second range by its check digit."""
    second = (span for span in find_all(_MASTERCARD, text) if _checks(text[slice(*span)]))
    return [*find_all(_CARD, text), *second]


def _checks(number: str) -> bool:
    """Tell whether the last digit is the check digit of the others (ISO/IEC 7812, Luhn).

    >>> _checks("4111 1111 1111 1111")
    True
    """
    digits = [int(mark) for mark in reversed(number) if mark.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
