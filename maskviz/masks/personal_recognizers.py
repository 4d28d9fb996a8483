"""Recognisers that Presidio has none of its own for: ages, street addresses, driving licences."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

from presidio_analyzer import AnalysisExplanation, LocalRecognizer, RecognizerResult

from ..text.ages import ages_behind
from .addresses import addresses_in
from .attributes import expressions
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
