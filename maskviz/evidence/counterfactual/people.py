"""Given names in a text, what they tell of a person, and the names that others are swapped for.

`names.tsv` has the given names of the 1990 census of the United States, and behind them those that
its Social Security Administration counts, whose bearers are of one gender to 95 %, with the group
that a name tells (Tzioumis 2018), and those that either gender bears; `recipes/given_names.py` and
`more_names.py` made it. What a name tells that is not in it, such as Gulnora, is not known.
A name is swapped for one of the same gender of another group (the European ones in turn for
African, Hispanic and Asian ones, all for European ones), for one of the same group of the other
gender, or for the next of the same gender and group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import regex

from ...text.ages import PEOPLE
from ...text.document import Document
from ...text.span import Span
from .changes import Change, cased_like, entity_at, lines

FIRST, OTHERS = "European", ("African", "Hispanic", "Asian")
_EACH = 40  # names of a gender in a group that others are swapped for, and
_EACH_FIRST = 120  # of the first group
_WORD = regex.compile(r"\p{Lu}[\p{L}\p{M}]*(?:[-'’]\p{Lu}[\p{L}\p{M}]*)*")
# Behind these a single name is a surname, behind the others a given one.
_OF_SURNAMES = frozenset(
    (
        *("mr", "mrs", "ms", "miss", "dr", "prof", "professor", "president", "senator", "judge"),
        *("captain", "officer", "detective", "general", "colonel", "sergeant", "inspector"),
        *(
            "governor",
            "mayor",
            "minister",
            "justice",
            "reverend",
            "coach",
            "agent",
            "lieutenant",
            "madam",
        ),
        *(
            "congressman",
            "congresswoman",
            "commander",
            "major",
            "madame",
            "herr",
            "frau",
            "sheriff",
            "lord",
            "baron",
            "baroness",
        ),
    )
)
_OF_GIVEN_NAMES = frozenset(
    (
        *("sir", "dame", "lady", "king", "queen", "prince", "princess", "aunt", "uncle"),
        *("sister", "brother", "saint", "st", "grandma", "grandpa", "mother", "father", "duke"),
        *("duchess", "emperor", "empress", "abbot", "abbess", "granny"),
    )
)
_TITLED = regex.compile(r"([\p{L}]+)\.? $")


@dataclass(frozen=True)
class Given:
    """A given name `text[start:end]`; known: its (group, gender), None where no list has it."""

    start: int
    end: int
    name: str
    known: tuple[str, str] | None


@dataclass(frozen=True)
class _Names:
    known: dict[str, tuple[str, str]]
    pools: dict[tuple[str, str], list[str]]
    words: frozenset[str]  # that are names only where they name a person, such as Bill
    either: frozenset[str]  # of both genders, such as Alexis


@lru_cache(maxsize=1)
def _names() -> _Names:
    known: dict[str, tuple[str, str]] = {}
    pools: dict[tuple[str, str], list[str]] = {}
    words, either = set(), set()
    for group, gender, name, *word in lines("names.tsv"):
        if gender == "-":
            either.add(name)
            continue
        known[name] = (group, gender)
        if word:
            words.add(name)
        else:
            pools.setdefault((group, gender), []).append(name)
    return _Names(known, pools, frozenset(words), frozenset(either))


def given_names(document: Document) -> list[Given]:
    """Return the given names of the people in a text, in order; those of unknown ones too."""
    runs = [run for run in _runs(document) if run]
    surnames = {word.text for run in runs for word in _surname(document.text, run)}
    found = (g for run in runs for g in _given(document.text, run, surnames))
    return sorted(found, key=lambda g: g.start)


@dataclass(frozen=True)
class _Word:
    start: int
    end: int
    text: str


def _runs(document: Document) -> Iterator[list[_Word]]:
    """Yield the names of people, each as its words: the pipeline's, and those of the list."""
    text = document.text
    taken: set[int] = set()
    for entity in document.entities:
        taken.update(range(entity.start, entity.end))
        if entity.label in PEOPLE and not text[: entity.start].endswith(("@", "#")):
            yield _words(text, entity)
    proper = {s.start for s in document.parts_of_speech if s.label == "PROPN"}
    for word in _words(text, Span(0, len(text))):
        name = _as_listed(word.text)
        named = name in _names().known and name not in _names().words
        if named and word.start not in taken and word.start in proper:
            before = _TITLED.search(text, 0, word.start)
            if before is None or not before[1][:1].isupper() or _is_title(before[1]):
                yield [word]


def _words(text: str, span: Span) -> list[_Word]:
    return [
        _Word(m.start(), m.end(), m.group()) for m in _WORD.finditer(text, span.start, span.end)
    ]


def _is_title(word: str) -> bool:
    return word.casefold() in _OF_SURNAMES | _OF_GIVEN_NAMES


def _untitled(text: str, run: Sequence[_Word]) -> tuple[str, list[_Word]]:
    """Return the last title of a name in lower case, "" without any, and its other words."""
    before = _TITLED.search(text, 0, run[0].start)
    title = before[1].casefold() if before and _is_title(before[1]) else ""
    words = list(run)
    while words and _is_title(words[0].text):
        title = words.pop(0).text.casefold()
    return title, words


def _surname(text: str, run: Sequence[_Word]) -> list[_Word]:
    title, words = _untitled(text, run)
    alone = len(words) == 1 and title in _OF_SURNAMES
    return words[-1:] if alone or len(words) > 1 else []


def _given(text: str, run: Sequence[_Word], surnames: set[str]) -> Iterator[Given]:
    """Yield the given names among the words of one name."""
    title, words = _untitled(text, run)
    if not words or (len(words) == 1 and (title in _OF_SURNAMES or words[0].text in surnames)):
        return
    first, *rest = words
    known = _looked_up(first.text)
    if known is not None or not _neutral(first.text, title):
        yield Given(first.start, first.end, first.text, known)
    middle = rest[:-1] or (rest if known and known[1] == "f" else [])  # Mary Ann, but: Elton John
    for word in middle:
        if known and (of := _looked_up(word.text)) and of[1] == known[1]:
            yield Given(word.start, word.end, word.text, of)


def _neutral(name: str, title: str) -> bool:
    """Tell whether an unknown name says nothing that a swap would have to know."""
    return len(name) == 1 or title in _OF_GIVEN_NAMES or _as_listed(name) in _names().either


def _as_listed(name: str) -> str:
    return name.capitalize() if name.isupper() else name


def _looked_up(name: str) -> tuple[str, str] | None:
    return _names().known.get(_as_listed(name))


def other_gender(document: Document, names: Sequence[Given]) -> list[Change]:
    """Return the changes of known names into ones of the other gender and the same group."""
    of = {"f": "m", "m": "f"}
    changes = []
    for given, (group, gender) in _known(names):
        pool = _names().pools[group, of[gender]]
        own = _names().pools[group, gender]
        name = _as_listed(given.name)
        index = own.index(name) if name in own else len(name)  # a word that is a name, too
        changes.append((given, pool, index, gender == "m"))
    return _partners(changes)


def other_group(names: Sequence[Given]) -> list[Change]:
    """Return the changes of names that tell a group into ones of another and the same gender."""
    changes = []
    for given, (group, gender) in _known(names):
        if group == "-":
            continue
        index = _names().pools[group, gender].index(_as_listed(given.name))
        if group == FIRST:
            index, to = divmod(index, len(OTHERS))
            pool = _names().pools[OTHERS[to], gender][:_EACH]
        else:
            index = index % _EACH * len(OTHERS) + OTHERS.index(group)
            pool = _names().pools[FIRST, gender][:_EACH_FIRST]
        changes.append((given, pool, index, group == FIRST))
    return _partners(changes)


def same_group(names: Sequence[Given]) -> list[Change]:
    """Return the changes of known names into ones of the same gender and the same group."""
    changes = []
    for given, key in _known(names):
        pool, name = _names().pools[key], _as_listed(given.name)
        index = pool.index(name) if name in pool else len(name)
        changes.append((given, pool, index ^ 1, True))  # the next: about as frequent
    return _partners(changes)


def _known(names: Sequence[Given]) -> Iterator[tuple[Given, tuple[str, str]]]:
    return ((given, given.known) for given in names if given.known is not None)


def _partners(asked: Sequence[tuple[Given, list[str], int, bool]]) -> list[Change]:
    """Return the changes; two names of a text never become one."""
    partner: dict[str, str] = {}
    for given, pool, index, _ in asked:
        if given.name not in partner:
            free = (pool[(index + i) % len(pool)] for i in range(len(pool)))
            partner[given.name] = next(n for n in free if n not in partner.values())
    return [
        Change(given.start, given.end, cased_like(given.name, partner[given.name]), first)
        for given, _, _, first in asked
    ]


def inside_a_name(document: Document, start: int) -> bool:
    """Tell whether a word is part of a person's name, and not its beginning."""
    entity = entity_at(document, start)
    return entity is not None and entity.label in PEOPLE and entity.start < start
