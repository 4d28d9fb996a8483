"""The other gender: pronouns by their case, words, titles and given names, all or nothing."""

from __future__ import annotations

import regex

from ...text.document import Document
from .cases import ALONE, OBJECT, POSSESSIVE, case_of
from .changes import Change, NoCounterpartError, cased_like, entity_at, finder, table
from .people import given_names, inside_a_name, other_gender

_HIS, _HERS = r"(?:he|him|his|himself)", r"(?:she|hers?|herself)"
_BOTH = regex.compile(  # says both genders, so that neither is swapped
    rf"(?<!\p{{L}})(?:s/he|\(s\)he|{_HIS} ?/ ?{_HERS}|{_HERS} ?/ ?{_HIS})(?!\p{{L}})",
    regex.IGNORECASE,
)
_NAME_BEHIND = regex.compile(r"\.?\s+(?:\p{Lu}\.\s+)?\p{Lu}")
_PRONOUNS = {
    ("her", OBJECT): "him",
    ("her", POSSESSIVE): "his",
    ("his", POSSESSIVE): "her",
    ("his", ALONE): "hers",
}
_NAMED = ("ORG", "MISC", "GPE", "LOC")  # Queen, the Beach Boys


def gender_changes(document: Document) -> list[Change]:
    """Return what changes for the other gender; none where the text has no word of gender."""
    changes = _words(document)
    if not changes:
        return []
    names = given_names(document)
    if any(name.known is None for name in names):
        raise NoCounterpartError("with a name whose gender the lists do not tell")
    taken = [(change.start, change.end) for change in changes]
    swapped = other_gender(document, names)
    return changes + [c for c in swapped if all(c.start >= e or c.end <= s for s, e in taken)]


def _words(document: Document) -> list[Change]:
    words, titles = table("gender"), table("title")
    text = document.text
    both = [match.span() for match in _BOTH.finditer(text)]
    found = []
    beside = _beside_women(text)
    every = frozenset(
        (*words.forth, *words.back, "hers", *words.alone, *titles.forth, *titles.back, *beside)
    )
    for match in finder(every).finditer(text):
        if any(start <= match.start() < end for start, end in both):
            continue
        change = _change(document, match.group(), *match.span(), beside)
        if change is not None:
            found.append(change)
    return found


def _beside_women(text: str) -> dict[str, str]:
    """Return hero → heroine where the text names both: a hero alone may be a woman."""
    words = table("gender")
    women = {w: man for w, man in words.back.items() if man not in words.forth}
    named = {match.group().casefold() for match in finder(frozenset(women)).finditer(text)}
    alike = {women[woman].removesuffix("s").removesuffix("e") for woman in named}  # gods, god
    return {
        man: woman
        for woman, man in reversed(women.items())
        if man.removesuffix("s").removesuffix("e") in alike
    }


def _change(
    document: Document, word: str, start: int, end: int, beside: dict[str, str]
) -> Change | None:
    key = word.casefold()
    words, titles = table("gender"), table("title")
    titled = titles.forth.get(key) or titles.back.get(key)
    behind = _NAME_BEHIND.match(document.text, end) or key in ("mr", "mrs", "ms")
    ends = len(key) > 2 and key != "mrs" and document.text[end : end + 1] == "."  # Yes, Madam.
    if titled and behind and word[0].isupper() and not ends:
        return Change(start, end, cased_like(word, titled), key in titles.forth)
    if key in ("her", "his"):
        return _pronoun(document, word, start, end)
    if _is_name(document, word, start):
        return None
    if key in words.alone:
        raise NoCounterpartError("with a word of gender that has no counterpart")
    forth = words.forth.get(key) or beside.get(key)
    new = "his" if key == "hers" else forth or words.back.get(key)
    if new is None:
        return None
    return Change(start, end, cased_like(word, new), forth is not None)


def _pronoun(document: Document, word: str, start: int, end: int) -> Change:
    """Return "her" as him or his, "his" as her or hers, by the parts of speech around it."""
    tokens = document.parts_of_speech
    index = next((i for i, token in enumerate(tokens) if token.end >= end), None)
    if index is None or tokens[index].start > start:
        raise NoCounterpartError(_UNSURE)
    first = max(0, index - _AROUND)
    around = tokens[first : index + _AROUND]
    case = case_of(
        [(document.text[t.start : t.end].casefold(), t.label) for t in around], index - first
    )
    new = _PRONOUNS.get((word.casefold(), case or ""))
    if new is None:
        raise NoCounterpartError(_UNSURE)
    return Change(start, end, cased_like(word, new), word.casefold() == "his")


_AROUND = 20  # tokens on either side, in which a sentence has its verb
_UNSURE = "in which her or his can be read in two ways"


def _is_name(document: Document, word: str, start: int) -> bool:
    """Tell whether a word is a name or part of one: Stephen King, Guy Ritchie, Queen."""
    if not word[0].isupper():
        return False
    guy = word == "Guy" and _NAME_BEHIND.match(document.text, start + len(word))
    if guy or inside_a_name(document, start):
        return True
    entity = entity_at(document, start)
    if entity is None or entity.start == start == 0:
        return False
    return entity.label in _NAMED
