"""A recogniser of ages for Presidio, which has none of its own."""

from __future__ import annotations

from typing import Any

from presidio_analyzer import AnalysisExplanation, LocalRecognizer, RecognizerResult

from .attributes import ages_of, expressions
from .matching import find_all

_NAME = "AgeRecognizer"
_SCORE = 0.85  # Presidio's own for what spaCy finds


class AgeRecognizer(LocalRecognizer):
    """Finds ages as the strategy `attribute` does, without words such as "child"."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["AGE"], name=_NAME)

    def load(self) -> None:
        """Load nothing: the word list is read when it is asked for."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Return the ages in a text of which Presidio has found the names."""
        people = {e.end_char for e in nlp_artifacts.entities if e.label_ == "PERSON"}
        found = ages_of(text, people)
        for expression in expressions("age", words=False):
            found += find_all(expression, text)
        why = AnalysisExplanation(_NAME, _SCORE, textual_explanation="tells an age")
        return [RecognizerResult("AGE", start, end, _SCORE, why) for start, end in found]
