"""Languages: which one a text is in, where its words and sentences end, what it needs installed."""

from .cutting import cut, missing
from .finding import Finding, han_language, language_of
from .known import LANGUAGES, checked_language, is_right_to_left, language_name
from .marks import sentence_offsets
from .said import said, say, saying
from .scripts import dominant_script, is_written_from_right, script_name

__all__ = [
    "LANGUAGES",
    "Finding",
    "checked_language",
    "cut",
    "dominant_script",
    "han_language",
    "is_right_to_left",
    "is_written_from_right",
    "language_name",
    "language_of",
    "missing",
    "said",
    "say",
    "saying",
    "script_name",
    "sentence_offsets",
]
