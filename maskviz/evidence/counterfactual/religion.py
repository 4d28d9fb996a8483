"""The other religion: one becomes one, with its house, clergy, book and feasts.

The religion of a text becomes its partner (Christian and Muslim, the others Christian); two that a
text names change places. A text of three, or with a word that only one of them has, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ...text.ages import PEOPLE
from ...text.document import Document
from .changes import Change, NoCounterpartError, cased_like, entity_at, finder, lines

_GENERAL = {"branch": "adjective", "branches": "followers", "creed": "faith"}
_ALONE = "alone"


@dataclass(frozen=True)
class _Row:
    """A role, with the word that stands for it in each religion."""

    role: str
    words: dict[str, str]


@dataclass(frozen=True)
class _Lists:
    religions: tuple[str, ...]
    rows: tuple[_Row, ...]
    own: dict[str, tuple[str, int]]  # word → religion, row
    shared: dict[str, dict[str, int]]  # word → religion → row


@lru_cache(maxsize=1)
def _lists() -> _Lists:
    (_, *religions), *cells = lines("religion.tsv")
    rows: list[_Row] = []
    own: dict[str, tuple[str, int]] = {}
    shared: dict[str, dict[str, int]] = {}
    for number, (role, *words) in enumerate(cells):
        by_religion = {r: w.split("|") for r, w in zip(religions, words, strict=False) if w}
        rows.append(_Row(role, {r: w[0].lstrip("~=") for r, w in by_religion.items()}))
        for religion, alike in by_religion.items():
            for word in alike:
                if word.startswith("~"):
                    shared.setdefault(word[1:].casefold(), {})[religion] = number
                elif not word.startswith("="):
                    own.setdefault(word.casefold(), (religion, number))
    return _Lists(tuple(religions), tuple(rows), own, shared)


def religion_changes(document: Document) -> list[Change]:
    """Return what changes for another religion; none where the text names none."""
    lists = _lists()
    hits = [
        (match.group(), *match.span())
        for match in finder(frozenset((*lists.own, *lists.shared))).finditer(document.text)
        if not _in_a_name(document, match.start())
    ]
    named = {lists.own[w.casefold()][0] for w, *_ in hits if w.casefold() in lists.own}
    to = _partners(named)
    said = {(r, n): w for w, *_ in hits for r, n in [_row_of(w.casefold(), named)] if r}
    changes = []
    for word, start, end in hits:
        religion, row = _row_of(word.casefold(), named)
        if religion and lists.rows[row].role == _ALONE and not _only_alone(hits):
            raise NoCounterpartError("with a word that one religion has alone")
        if religion and lists.rows[row].role != _ALONE:
            new = said.get((to[religion], row)) or _counterpart(
                document, lists.rows[row], to[religion], start, end
            )
            first = lists.religions.index(religion) < lists.religions.index(to[religion])
            changes.append(Change(start, end, cased_like(word, new), first))
    _check_each_has_its_own(document.text, changes)
    return changes


def _check_each_has_its_own(text: str, changes: list[Change]) -> None:
    """Refuse two words that would become one: Christmas and Easter are not both Eid."""
    of: dict[str, str] = {}
    adjectives = {w.casefold() for w in _lists().rows[0].words.values()}
    for change in changes:
        word, new = text[change.start : change.end].casefold(), change.new.casefold()
        if of.setdefault(new, word) != word and new not in adjectives:
            raise NoCounterpartError("with two words that have one counterpart")


def _partners(named: set[str]) -> Mapping[str, str]:
    if len(named) > 2:
        raise NoCounterpartError("with words of more than two religions")
    if len(named) == 2:
        one, other = sorted(named)
        return {one: other, other: one}
    return {r: "muslim" if r == "christian" else "christian" for r in named}


def _row_of(word: str, named: set[str]) -> tuple[str, int]:
    lists = _lists()
    if word in lists.own:
        return lists.own[word]
    return next(((r, n) for r, n in lists.shared[word].items() if r in named), ("", 0))


def _only_alone(hits: list[tuple[str, int, int]]) -> bool:
    lists = _lists()
    rows = (lists.own[w.casefold()][1] for w, *_ in hits if w.casefold() in lists.own)
    return all(lists.rows[row].role == _ALONE for row in rows)


def _counterpart(document: Document, row: _Row, to: str, start: int, end: int) -> str:
    """Return the word of a role in another religion; a follower is named by another word."""
    role = row.role
    if role == "adjective" and not _leads_a_noun(document, start, end):
        role = "follower"
    by_role = {r.role: r.words for r in _lists().rows}
    words = row.words if role == row.role else by_role[role]
    new = words.get(to) or by_role[_GENERAL.get(role, role)].get(to)
    if new is None:
        raise NoCounterpartError("with a word that one religion has alone")
    return new


def _leads_a_noun(document: Document, start: int, end: int) -> bool:
    """Tell whether a word stands before a noun, or is no noun itself: a Jewish home, a Jew."""
    tokens = document.parts_of_speech
    index = next((i for i, t in enumerate(tokens) if t.start == start), None)
    if index is None:
        return True
    following = tokens[index + 1].label if index + 1 < len(tokens) else ""
    if following in ("NOUN", "ADJ", "PROPN"):
        return True
    return tokens[index].label == "ADJ" and not (index and tokens[index - 1].label == "DET")


def _in_a_name(document: Document, start: int) -> bool:
    """Tell whether a word is part of a person's name, or refuse one of an institution's."""
    entity = entity_at(document, start)
    if entity is None or not document.text[start].isupper():
        return False
    if entity.label in ("ORG", "GPE", "LOC") and " " in document.text[entity.start : entity.end]:
        raise NoCounterpartError("with the name of an institution")
    first_of_two = entity.start == start and " " in document.text[entity.start : entity.end]
    return entity.label in PEOPLE and first_of_two  # Christian Bale
