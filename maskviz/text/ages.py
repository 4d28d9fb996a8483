"""People told by an age behind their name: "Marit Berg (81)", "Uwe, 36, said".

An age in brackets or between commas is newspaper English, and it says two things: that the number
is an age, and that the capitalised words before it are a person, also where the recogniser of names
is at a loss. A number is no age where it stands behind a numbered thing ("Chapter (12)"), is a
score ("Messi (3)"), a year ("(1981)"), or one of several ("(12, 14)").
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

PEOPLE = ("PERSON", "PER")
_UNIT = r"years?(?:[\s-]old)?|yrs?(?:[\s-]old)?|y/?o|ans|años|anni|Jahre(?: alt)?|J\."
_AGE = rf"(?P<age>(?:aged?:?\s)?(?:[1-9]\d?|1[01]\d)(?:[\s-]?(?:{_UNIT}))?)"
_BRACKETS = re.compile(
    rf"(?<=[^\W\d]|\.)\s{{1,2}}\(\s?(?:[mfwd]\s?[,/]\s?)?{_AGE}\s?(?:\)|[,;/]\s?[^\W\d])"
)
_COMMAS = re.compile(rf"(?<=[^\W\d]|\.)\s?,\s{_AGE}(?=\s?,\s\D|\s?;|\s(?:from|who)\b)")
_AROUND = 200  # characters on either side that are looked at
_KIN = re.compile(
    r"\b(?:child|kid|son|daughter|brother|sister|sibling|twin|niece|nephew|boy|girl|toddler|"
    r"grand(?:child|son|daughter)|parent|mother|father|mum|mom|dad)(?:s|ren)?\b",
    re.IGNORECASE,
)
# fmt: off
_NUMBERED = frozenset((
    "act", "appendix", "article", "bus", "chapter", "channel", "class", "column", "division",
    "episode", "equation", "exercise", "figure", "floor", "footnote", "gate", "grade", "group",
    "highway", "hymn", "item", "league", "level", "line", "match", "note", "number", "page",
    "paragraph", "part", "phase", "platform", "psalm", "question", "room", "round", "route",
    "rule", "score", "season", "section", "session", "step", "stage", "sura", "table", "team",
    "theorem", "total", "track", "unit", "verse", "version", "volume", "week", "year", "windows",
))
_ANYBODY = frozenset((
    "boy", "child", "dad", "driver", "father", "girl", "grandma", "grandpa", "man", "mother",
    "mum", "mom", "nurse", "pensioner", "player", "president", "student", "suspect", "teacher",
    "teenager", "victim", "widow", "widower", "woman", "worker",
))
# fmt: on
_DATES = frozenset(
    name.lower()
    for names in (calendar.month_name, calendar.month_abbr, calendar.day_name, calendar.day_abbr)
    for name in names
)
_NOTHINGS = _NUMBERED | _DATES
_NOBODY = _ANYBODY | _NOTHINGS
_LEADING = frozenset(("a", "an", "and", "at", "by", "from", "in", "last", "of", "on", "see", "the"))
_RARE = 2.5  # Zipf frequency of a word of which a small pipeline cannot know what it names
_LONGEST = 3  # words of a name that nothing else tells; a run of more is a product


class AgeBehind(NamedTuple):
    """An age `text[start:end]` behind words that end at `name_end`."""

    name_end: int
    start: int
    end: int


def ages_behind(text: str) -> Iterator[AgeBehind]:
    """Yield what is an age where the words before it are a person's name.

    >>> ["Uwe (36) left."[a.start : a.end] for a in ages_behind("Uwe (36) left.")]
    ['36']
    """
    for expression in (_BRACKETS, _COMMAS):
        for match in expression.finditer(text):
            if _may_be_age(text, match):
                yield AgeBehind(match.start(), *match.span("age"))


def _may_be_age(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - _AROUND) : match.start()].split("\n")[-1]
    after = text[match.end() : match.end() + _AROUND].split("\n")[0]
    *_, previous, word = ["", "", *re.findall(r"\w+", before)]
    of_a_name = previous[:1].isupper() and previous.lower() not in _LEADING  # Theresa May, 62
    if before.endswith("et al.") or (word.lower() in _NOTHINGS and not of_a_name):
        return False
    if match.re is _BRACKETS and len(match["age"]) == 1 and not _KIN.search(before):
        return False  # a score
    words = re.findall(r"\w\w+", f"{before} {after}")
    return any(word[0].islower() for word in words)  # and no list of names and points


def with_people(doc: Any) -> Any:
    """Return a spaCy Doc in which whoever has an age behind the name is an entity PERSON.

    So is the same word elsewhere in the text.
    """
    text = doc.user_data.get("spaced")
    ages = list(ages_behind(text.lines if text else doc.text))
    if not ages:
        return doc
    ends = {token.idx + len(token): token for token in doc}
    names = [_person(doc, ends[age.name_end]) for age in ages if age.name_end in ends]
    doc.set_ents([name for name in names if name], default="unmodified")
    words = {token.text for name in names if name for token in name}
    again = [doc[t.i : t.i + 1] for t in doc if t.text in words and _is_name(t)]
    doc.set_ents([_as_person(name) for name in again], default="unmodified")
    return doc


def _as_person(name: Any) -> Any:
    from spacy.tokens import Span

    return Span(name.doc, name.start, name.end, "PERSON")


def _person(doc: Any, last: Any) -> Any:
    """Return the name that ends with a token as a span; None where it is known, or is none."""
    if last.ent_type_:
        name = next(name for name in doc.ents if name.start <= last.i < name.end)
        return _as_person(name) if _misread(name) else None
    start = last.i + 1
    while start and _is_name(doc[start - 1]):
        start -= 1
    return _as_person(doc[start : last.i + 1]) if 0 <= last.i - start < _LONGEST else None


def _is_name(token: Any) -> bool:
    named = token.pos_ == "PROPN" and token.text[0].isupper()
    return named and not token.ent_type_ and token.lower_ not in _NOBODY


def _misread(name: Any) -> bool:
    """Tell whether an age outweighs what was found: for words that are hardly ever written."""
    if name.label_ in PEOPLE or len(name) > _LONGEST:
        return False
    from wordfreq import zipf_frequency

    return all(zipf_frequency(token.text, "en") < _RARE for token in name)
