"""Words that take the place of others: lists, changes to a text, and articles that agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import regex

from ...text.document import Document
from ...text.span import Span

_ARTICLE = regex.compile(r"(?<![\p{L}\p{M}\p{N}])(an?)(\s+)$", regex.IGNORECASE)
_VOWEL = regex.compile(
    r"hour|honest|hono|heir|[8]|1[18](?!\d)|"
    r"(?!eu|ew|one\b|once|uk|us[aeu]|uni(?![mn])|uga|uru|utah)[aeiouàâäåæéèêëíîïóôöøúûü]",
    regex.IGNORECASE,
)


@dataclass(frozen=True)
class Change:
    """Characters `text[start:end]` that become `new`; first: they are of the first group."""

    start: int
    end: int
    new: str
    first: bool


class NoCounterpartError(Exception):
    """The text has no counterpart; what it says is how a row is counted that is left out."""


@dataclass(frozen=True)
class Table:
    """The words of a category: first → second, second → first, and those without a counterpart."""

    forth: dict[str, str]
    back: dict[str, str]
    alone: frozenset[str]


@lru_cache(maxsize=8)
def table(category: str) -> Table:
    """Return the words of a category of `swaps.tsv`; the first line of a word counts."""
    forth: dict[str, str] = {}
    back: dict[str, str] = {}
    alone = set()
    for kind, first, second, *only in lines("swaps.tsv"):
        if kind != category:
            continue
        if "-" in (first, second):
            alone.add(second if first == "-" else first)
            continue
        if only != ["<"]:
            forth.setdefault(first, second)
        if only != [">"]:
            back.setdefault(second, first)
    return Table(forth, back, frozenset(alone))


def lines(name: str) -> list[list[str]]:
    """Return the cells of the lines of a list beside this file, without comments."""
    written = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in written if line and not line.startswith("#")]


@lru_cache(maxsize=8)
def finder(words: frozenset[str], cased: bool = False) -> regex.Pattern[str]:
    """Return the expression that finds any of the words, the longest that fits."""
    flags = regex.V0 if cased else regex.IGNORECASE
    edge = r"[\p{L}\p{M}\p{N}]"
    return regex.compile(rf"(?<!{edge})\L<words>(?!{edge})", flags, words=words)


def changed(text: str, changes: Iterable[Change]) -> str:
    """Return the text with its changes, and with the articles before them that agree.

    >>> changed("A young doctor", [Change(2, 7, "old", True)])
    'An old doctor'
    """
    pieces, end = [], 0
    for change in sorted(changes, key=lambda c: c.start):
        pieces += [_agreeing(text[end : change.start], change.new), change.new]
        end = change.end
    return "".join([*pieces, text[end:]])


def _agreeing(before: str, word: str) -> str:
    """Return what stands before a word, its article as the word's first sound asks for."""
    found = _ARTICLE.search(before)
    if found is None:
        return before
    written = found[1]
    article = "an" if _VOWEL.match(word) else "a"
    if written.casefold() == article:
        return before
    if written.isupper() and (len(written) > 1 or word.isupper()):
        article = article.upper()
    return before[: found.start()] + cased_like(written, article) + found[2]


def cased_like(word: str, new: str) -> str:
    """Return the new word with the capitals of the one it replaces.

    >>> cased_like("SHE", "he"), cased_like("She", "he")
    ('HE', 'He')
    """
    if word.isupper() and len(word) > 1:
        return new.upper()
    return new[:1].upper() + new[1:] if word[:1].isupper() else new


def entity_at(document: Document, start: int) -> Span | None:
    """Return the entity that holds a character, None where there is none."""
    return next((e for e in document.entities if e.start <= start < e.end), None)
