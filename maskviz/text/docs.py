"""What a spaCy pipeline makes of a text that has one space between its words."""

from __future__ import annotations

from typing import Any

from .ages import ages_behind
from .spacing import Spaced

PEOPLE_BY_AGE = "people_by_age"  # the bundled pipeline's last pipe: `ages.with_people`
_GRAMMAR = {
    "doc.tensor", "doc.sents", "token.pos", "token.tag", "token.morph", "token.dep", "token.head",
    "token.is_sent_start",
}  # fmt: skip
_EVERYDAY = 3.5  # Zipf frequency


def read(pipeline: Any, text: Spaced) -> Any:
    """Return the spaCy Doc of a text; what it says stands at places of `text.text`."""
    return named_by_words(pipeline(made(pipeline, text)))


def read_names(pipeline: Any, text: Spaced) -> Any:
    """Return a spaCy Doc with the names and lemmas of a text, those that `read` gives.

    What stands behind them in a pipeline, and would only tell parts of speech and sentences, is
    not run: a third of the time of the bundled one.
    """
    return named_by_words(pipeline(made(pipeline, text), disable=_behind_names(pipeline, text)))


def _behind_names(pipeline: Any, text: Spaced) -> list[str]:
    """Return the last pipes of a pipeline, as far as no name and no lemma is of them."""
    found = []
    for name in reversed(pipeline.pipe_names):
        if name == PEOPLE_BY_AGE:
            told = any(True for _ in ages_behind(text.lines))
        else:
            assigned = set(pipeline.get_pipe_meta(name).assigns)
            told = not assigned or bool(assigned - _GRAMMAR)
        if told:
            break
        found.append(name)
    return found


def made(pipeline: Any, text: Spaced) -> Any:
    """Return the tokens of a text; a paragraph that begins is known as a sentence's begin."""
    doc = pipeline.make_doc(text.text)
    doc.user_data["spaced"] = text
    for i in borders(doc):
        doc[i].is_sent_start = True
    return doc


def borders(doc: Any) -> list[int]:
    """Return the indices of the tokens with which a paragraph begins, the first one left out."""
    text = doc.user_data.get("spaced")
    if text is None or not text.borders:
        return []
    places = set(text.borders)
    return [token.i for token in doc if token.i and token.idx in places]


def named_by_words(doc: Any) -> Any:
    """Return a spaCy Doc without names that are none: marks alone, or what is said "@ noon"."""
    names = [name for name in doc.ents if any(map(str.isalnum, name.text)) and not _at(doc, name)]
    if len(names) < len(doc.ents):
        doc.ents = names
    return doc


def _at(doc: Any, name: Any) -> bool:
    """Tell whether a name is an everyday word behind an "@" that stands for "at"."""
    sign = doc[name.start - 1] if name.start else None
    if sign is None or sign.text != "@" or not sign.whitespace_ or not name.text.islower():
        return False
    from wordfreq import zipf_frequency

    return all(zipf_frequency(token.text, "en") >= _EVERYDAY for token in name)
