"""Counterfactual texts: the same text with he for she, one name for another, and so on.

`names` takes a name of the same gender of another group, `names-alike` one of the same gender and
the same group: what any other name does, beside which the first is to be read.

A text is swapped as a whole or not at all: what belongs to a gender (pronouns by their case, words,
titles, given names), to a religion or to an age goes with it, and the article agrees. Where that
cannot be told, or a word has no counterpart, the text is left out and the reason said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...errors import UnknownNameError
from ...masks.spans import MaskSpan
from ...text.ages import PEOPLE
from ...text.document import Document
from .age import age_changes
from .changes import Change, NoCounterpartError, changed, entity_at, finder, table
from .gender import gender_changes
from .people import given_names, other_group, same_group
from .religion import religion_changes


@dataclass(frozen=True)
class Pair:
    """Two texts that should be answered alike; `category` says in what they differ.

    cluster: what the pair shares with others, such as the template it was made from; pairs without
    one share their row.
    """

    row: int
    first: str
    second: str
    category: str = ""
    cluster: str = ""


@dataclass(frozen=True)
class Swapped:
    """A text and its counterfactual; without one, why a row with it is left out.

    first: whether the given text is the one of the category's first group.
    """

    text: str | None
    first: bool = True
    why: str = ""


def categories() -> tuple[str, ...]:
    """Return the categories of words that can be swapped."""
    return tuple(_CHANGES)


def swap(text: str, category: str) -> str | None:
    """Return the text with each word of the category swapped, None where it has no counterpart.

    >>> swap("He told his wife.", "gender")
    'She told her husband.'
    """
    return swapped(text, category).text


def swapped_pair(row: int, text: str, category: str, cluster: str = "") -> Pair | None:
    """Return the text and its counterfactual, None where nothing can be swapped.

    The first text is the one whose first swapped word is of the first group of the list.
    """
    return pair_of(row, text, swapped(text, category), category, cluster)


def pair_of(row: int, text: str, found: Swapped, category: str, cluster: str = "") -> Pair | None:
    """Return the pair of a text and what it was swapped for, None where that is nothing."""
    if found.text is None:
        return None
    texts = (text, found.text) if found.first else (found.text, text)
    return Pair(row, *texts, category, cluster)


def swapped(text: str, category: str) -> Swapped:
    """Return the counterfactual of a text, or why there is none."""
    if category not in _CHANGES:
        raise UnknownNameError.of("category to swap", category, _CHANGES)
    nothing = Swapped(None, why=f"without {_NAMED[category]} to swap")
    if not text.strip():
        return nothing
    try:
        changes = sorted(_CHANGES[category](Document(text)), key=lambda c: c.start)
    except NoCounterpartError as error:
        return Swapped(None, why=f"{error} ({category})")
    other = changed(text, changes)
    return Swapped(other, changes[0].first) if changes and other != text else nothing


def _name_changes(document: Document) -> list[Change]:
    names = given_names(document)
    changes = other_group(names)
    if changes and any(name.known is None for name in names):
        raise NoCounterpartError("with another name whose group the lists do not tell")
    return changes


def _nationality_changes(document: Document) -> list[Change]:
    words = table("nationality")
    every = frozenset((*words.forth, *words.back, *words.alone))
    changes = []
    for match in finder(every, cased=True).finditer(document.text):
        word, (start, end) = match.group(), match.span()
        if _is_person(document, start):
            continue
        if word in words.alone:
            raise NoCounterpartError("with a word of a nationality that has no counterpart")
        new = words.forth.get(word) or words.back[word]
        if word.startswith("the ") and new in _DEMONYMS and _before_noun(document, end):
            new = f"the {_DEMONYMS[new]}"  # the US government
        changes.append(Change(start, end, new, word in words.forth))
    return changes


_DEMONYMS = {"Iran": "Iranian", "Pakistan": "Pakistani", "Morocco": "Moroccan"}


def _before_noun(document: Document, end: int) -> bool:
    following = next((t for t in document.parts_of_speech if t.start >= end), None)
    return following is not None and following.label in ("NOUN", "ADJ")


def _other_names_alike(document: Document) -> list[Change]:
    return same_group(given_names(document))


def _place_changes(document: Document) -> list[Change]:
    """Return the changes of cities and countries into their counterparts, all or none."""
    words = table("places")
    every = frozenset((*words.forth, *words.back, *words.alone))
    found = [
        m
        for m in finder(every, cased=True).finditer(document.text)
        if not _is_person(document, m.start())
    ]
    covered = {c for m in found for c in range(*m.span())}
    unknown = [e for e in document.entities if e.label == "GPE" and e.start not in covered]
    if found and (unknown or any(m.group() in words.alone for m in found)):
        raise NoCounterpartError("with a place that has no counterpart")
    if found and _nationalities(document.text) - covered:
        raise NoCounterpartError("with a nationality beside a place")
    return [
        Change(*m.span(), words.forth.get(m.group()) or words.back[m.group()], m[0] in words.forth)
        for m in found
    ]


def _nationalities(text: str) -> set[int]:
    """Return where the words of nationalities begin."""
    words = table("nationality")
    every = frozenset((*words.forth, *words.back, *words.alone))
    return {m.start() for m in finder(every, cased=True).finditer(text)}


def _is_person(document: Document, start: int) -> bool:
    entity = entity_at(document, start)
    return entity is not None and entity.label in PEOPLE


_CHANGES: dict[str, Callable[[Document], list[Change]]] = {
    "gender": gender_changes,
    "names": _name_changes,
    "names-alike": _other_names_alike,
    "places": _place_changes,
    "nationality": _nationality_changes,
    "religion": religion_changes,
    "age": age_changes,
}
_NAMED = {
    "gender": "a word of gender",
    "names": "a given name that tells a group",
    "names-alike": "a given name",
    "places": "a place",
    "nationality": "a nationality",
    "religion": "a religion",
    "age": "an age",
}


# What the first and the second texts of a kind have; of the unordered neither is any more first.
SIDES = {
    "gender": ("male words and names", "female words and names"),
    "names": ("European names", "African, Hispanic or Asian names"),
    "places": ("Western places", "other places"),
}
UNORDERED = frozenset({"names-alike"})


def differences(first: str, second: str) -> tuple[tuple[MaskSpan, ...], tuple[MaskSpan, ...]]:
    """Return the spans of each text that the other does not have, word by word."""
    from difflib import SequenceMatcher

    one, other = _units(first), _units(second)
    matcher = SequenceMatcher(None, [u[2] for u in one], [u[2] for u in other], autojunk=False)
    spans: tuple[list[MaskSpan], list[MaskSpan]] = ([], [])
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            for side, units in ((0, one[a:b]), (1, other[c:d])):
                spans[side].extend(_spans(units))
    return tuple(spans[0]), tuple(spans[1])


def _units(text: str) -> list[tuple[int, int, str]]:
    import regex

    return [(m.start(), m.end(), m.group()) for m in regex.finditer(r"\w+|[^\w\s]", text)]


def _spans(units: Iterable[tuple[int, int, str]]) -> list[MaskSpan]:
    return [MaskSpan(start, end, "differs from the other text") for start, end, _ in units]
