"""The other age: old people for young ones, and their years by number.

"Old" is swapped where a person is old: before a word for a person, or behind one. Years of 18 to 49
become 40 more, of 58 to 89 as many fewer; other ages, and those of things, stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from ...text.ages import PEOPLE, ages_behind
from ...text.document import Document
from ...text.span import Span
from .changes import Change, cased_like, entity_at, finder, table

_APART = 40  # years
_YOUNG, _OLD = range(18, 50), range(58, 90)
_TENS = {"twenty": "sixty", "thirty": "seventy", "forty": "eighty"}
_OF_TENS = {new: old for old, new in _TENS.items()}
_BEHIND = r"[\s-]?(?:years?|yrs?)[\s-]olds?|[\s-]?y/?o"
_YEARS = rf"\d\d|{'|'.join((*_TENS, *_OF_TENS))}"
_SAID = regex.compile(
    rf"(?<![\p{{L}}\p{{N}}.,$€£])({_YEARS})(?=(?:-\p{{L}}+)?(?:{_BEHIND})(?!\p{{L}}))",
    regex.IGNORECASE,
)
_TWO_DIGITS = regex.compile(r"(?<!\d)\d\d(?!\d)")
_AGED = regex.compile(
    r"(?<!\p{L})(?:aged?|age of|turned|turning)\s(\d\d)(?![\p{L}\p{N}%:-]|[.,]\d)", regex.IGNORECASE
)
_PRONOUNS = frozenset(("he", "she", "i", "you", "we", "they", "who", "him", "her", "them"))
_CHILDREN = frozenset(("boy", "boys", "girl", "girls", "child", "children", "kid", "kids"))
_PERSONS = frozenset(
    (
        *("adult", "adults", "artist", "artists", "applicant", "applicants", "author", "chef"),
        *("citizen", "citizens", "client", "clients", "clerk", "colleague", "colleagues"),
        *("couple", "couples", "customer", "customers", "doctor", "doctors", "driver", "drivers"),
        *("employee", "employees", "engineer", "engineers", "expert", "experts", "family"),
        *("farmer", "farmers", "folk", "folks", "generation", "guest", "guests", "guide"),
        *("immigrant", "immigrants", "judge", "judges", "lawyer", "lawyers", "manager"),
        *("managers", "musician", "musicians", "neighbour", "neighbours", "neighbor", "neighbors"),
        *("nurse", "nurses", "officer", "officers", "passenger", "passengers", "patient"),
        *("patients", "people", "person", "persons", "player", "players", "politician", "priest"),
        *("professor", "professors", "reader", "readers", "refugee", "resident", "residents"),
        *("scientist", "scientists", "sibling", "siblings", "singer", "singers", "soldier"),
        *("soldiers", "student", "students", "teacher", "teachers", "tourist", "tourists"),
        *("veteran", "veterans", "viewer", "viewers", "visitor", "visitors", "voter", "voters"),
        *("worker", "workers", "writer", "writers"),
    )
)
_UNITS = frozenset(
    ("year", "years", "yr", "yrs", "month", "months", "week", "weeks", "day", "days")
)
_LINKS = frozenset(("ADV", "AUX", "PART", "DET", "CCONJ", "PUNCT"))
_SEEMING = frozenset(
    ("look", "looks", "looked", "feel", "feels", "felt", "seem", "seems", "seemed")
)


def age_changes(document: Document) -> list[Change]:
    """Return what changes for another age; none where nobody's age is told."""
    found = [*_numbers(document), *_words(document)]
    return sorted({c.start: c for c in found}.values(), key=lambda c: c.start)


def _numbers(document: Document) -> Iterator[Change]:
    text = document.text
    spans = [m.span(1) for m in _SAID.finditer(text) if _of_a_person(document, m.start(), m.end())]
    spans += [m.span(1) for m in _AGED.finditer(text)]
    behind = list(ages_behind(text))
    people = {e.end for e in document.entities if e.label in PEOPLE} if behind else set()
    for age in behind:
        digits = _TWO_DIGITS.search(text, age.start, age.end) if age.name_end in people else None
        spans += [digits.span()] if digits else []
    for start, end in spans:
        new = _other_age(text[start:end])
        if new is not None:
            yield Change(start, end, *new)


def _other_age(written: str) -> tuple[str, bool] | None:
    """Return the other age and whether the first is young; None where it has none.

    >>> _other_age("30"), _other_age("7")
    (('70', True), None)
    """
    word = written.casefold()
    if word in _TENS:
        return cased_like(written, _TENS[word]), True
    if word in _OF_TENS:
        return cased_like(written, _OF_TENS[word]), False
    years = int(written)
    if years in _YOUNG:
        return str(years + _APART), True
    return (str(years - _APART), False) if years in _OLD else None


def _words(document: Document) -> Iterator[Change]:
    words = table("age")
    for match in finder(frozenset((*words.forth, *words.back))).finditer(document.text):
        word, (start, end) = match.group(), match.span()
        key = word.casefold()
        if key in ("teenager", "teenagers", "pensioner", "pensioners") or _of_somebody(
            document, start, end
        ):
            new = words.forth.get(key) or words.back[key]
            yield Change(start, end, cased_like(word, new), key in words.forth)


def _of_somebody(document: Document, start: int, end: int) -> bool:
    """Tell whether an adjective of age is said of a person."""
    tokens = document.parts_of_speech
    index = next((i for i, t in enumerate(tokens) if t.start == start and t.end == end), None)
    if index is None or _hyphened(document.text, start, end):
        return False
    before = [_lower(document, t) for t in tokens[max(0, index - 2) : index]]
    if before and before[-1] in _UNITS:  # a 45 year old brother: his age is in the number
        return False
    noun = _noun_behind(document, tokens, index)
    if noun:
        return _is_person(noun)
    if any(word in _UNITS for word in before):
        return False
    return _said_of(document, tokens[:index])


def _hyphened(text: str, start: int, end: int) -> bool:
    return text[end : end + 1] == "-" or text[max(0, start - 1) : start] == "-"


def _noun_behind(document: Document, tokens: Sequence[Span], index: int) -> str:
    """Return the noun that an adjective belongs to in lower case, "" where none follows."""
    for token in tokens[index + 1 : index + 4]:
        word = _lower(document, token)
        if token.label in ("NOUN", "PROPN") and not _is_person_noun_ahead(document, tokens, token):
            return word
        if token.label not in ("ADJ", "CCONJ", "NOUN", "PROPN") and word != ",":
            return ""
    return ""


def _is_person_noun_ahead(document: Document, tokens: Sequence[Span], token: Span) -> bool:
    """Tell whether a noun only leads to the next: an old school teacher."""
    index = tokens.index(token)
    following = tokens[index + 1 : index + 2]
    return (
        bool(following)
        and following[0].label == "NOUN"
        and _is_person(_lower(document, following[0]))
    )


def _lower(document: Document, token: Span) -> str:
    return document.text[token.start : token.end].casefold()


def _is_person(word: str) -> bool:
    if word in _CHILDREN:
        return False
    gender = table("gender")
    return word in _PERSONS or word in gender.forth or word in gender.back


def _said_of(document: Document, before: Sequence[Span]) -> bool:
    """Tell whether the subject of what follows `before` is a person: she is very old."""
    linked = False
    for token in reversed(before[-7:]):
        word = _lower(document, token)
        if token.label == "AUX" or word in _SEEMING:
            linked = True
        elif token.label in ("PRON", "NOUN", "PROPN"):
            entity = entity_at(document, token.start)
            person = word in _PRONOUNS or _is_person(word)
            return linked and (person or (entity is not None and entity.label in PEOPLE))
        elif token.label not in _LINKS:
            return False
    return False


def _of_a_person(document: Document, start: int, end: int) -> bool:
    """Tell whether a number of years old is a person's: before a noun, or behind a person."""
    text, tokens = document.text, document.parts_of_speech
    said = regex.match(rf"(?:-\p{{L}}+)?(?:{_BEHIND})", text[end:], regex.IGNORECASE)
    until = end + (said.end() if said else 0)
    following = [t for t in tokens if t.start >= until][:3]
    if following and following[0].label in ("NOUN", "PROPN", "ADJ"):
        nouns = [_lower(document, t) for t in following if t.label in ("NOUN", "PROPN")]
        return any(_is_person(n) or n in _CHILDREN for n in nouns[:2])
    before = [t for t in tokens if t.end <= start]
    if "-" in text[end:until] and before and before[-1].label in ("DET", "PRON"):
        return True  # the 30-year-old left
    return _said_of(document, before)
