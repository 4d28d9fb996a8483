"""The attributes of people: age, gender, nationality, religion, names, pronouns.

Each category is a word list in `lexicons/`, which a user may replace by a file of the same name
in `MASKVIZ_HOME/lexicons`. Names also take the PERSON entities of the spaCy pipeline.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from ..errors import UnknownNameError
from ..text.ages import PEOPLE, ages_behind
from ..text.document import Document
from .matching import find_all
from .registry import Parameter, capped, strategy
from .spans import MaskSpan
from .wordlists import list_lines, list_path, wrong_line

_BEHIND = "tells age (behind the name of a person)"
CATEGORIES = ("age", "gender", "nationality", "religion", "names", "pronouns")


@strategy(
    "attribute",
    "exhaustive",
    "Hides what tells who a person is: age, gender, nationality, religion, names, pronouns.",
    needs=frozenset({"pipeline"}),
    parameters=(Parameter("types", "choices", (), "categories; empty: all", CATEGORIES),),
)
def attributes(
    document: Document, ratio: float | None, rng: random.Random, *, types: Iterable[str] = ()
) -> list[MaskSpan]:
    """Choose words of the given categories; each span carries its category as label."""
    wanted = [name.strip().lower() for name in types] or list(CATEGORIES)
    for name in wanted:
        if name not in CATEGORIES:
            raise UnknownNameError.of("attribute", name, CATEGORIES)
    hits = [hit for name in CATEGORIES if name in wanted for hit in _category(document, name)]
    return capped(document, _longest_first(hits), ratio, rng)


def _category(document: Document, name: str) -> list[MaskSpan]:
    reason = {"names": "a given name", "pronouns": "a gendered pronoun"}.get(name, f"tells {name}")
    text = document.spaced
    hits = [
        MaskSpan(*text.original(start, end), f"{reason} (word list)", None, name)
        for expression in expressions(name)
        for start, end in find_all(expression, text.text)
    ]
    people = [e for e in document.entities if e.label in PEOPLE] if name in ("age", "names") else ()
    if name == "names":
        hits += [MaskSpan(e.start, e.end, "name of a person (entity)", None, name) for e in people]
    if name == "age":
        ends = {e.end for e in people}
        hits += [
            MaskSpan(*text.original(age.start, age.end), _BEHIND, None, name)
            for age in ages_behind(text.lines)
            if text.original_end(age.name_end) in ends
        ]
    return hits


def _longest_first(hits: list[MaskSpan]) -> list[MaskSpan]:
    """Drop hits that overlap a longer one; the earlier category wins between equals."""
    taken: set[int] = set()
    kept = []
    for hit in sorted(hits, key=lambda h: h.start - h.end):
        if taken.isdisjoint(range(hit.start, hit.end)):
            taken.update(range(hit.start, hit.end))
            kept.append(hit)
    return sorted(kept, key=lambda h: h.start)


def expressions(name: str, words: bool = True) -> list[str]:
    """Return a category's regular expressions, from the user's word list or the bundled one.

    words: the plain words of the list, too, as the first of them.
    """
    path = list_path(f"{name}.txt")
    plain, own = _compile(path, path.stat().st_mtime_ns)
    return [*plain, *own] if words else list(own)


@lru_cache(maxsize=32)
def _compile(path: Path, _modified: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Turn a word list into expressions: one for all plain words; one for each `re:` line."""
    import regex

    lines = list_lines(path)
    case = "" if "cased:" in lines else "(?i)"
    words = {x for x in lines if not x.startswith("re:") and x != "cased:"}
    plain = (rf"{case}(?<!\w){_any_of(sorted(words, reverse=True))}(?!\w)",) if words else ()
    own = [line for line in lines if line.startswith("re:")]
    for line in own:
        try:
            regex.compile(line[3:])
        except regex.error as error:
            wanted = f"a regular expression behind 're:' ({error.msg})"  # type: ignore[attr-defined]
            raise wrong_line(path, line, wanted) from None
    return plain, tuple(f"(?i){line[3:]}" for line in own)


def _any_of(words: list[str]) -> str:
    """Return an expression for any of the words, sorted backwards, by what they begin with alike.

    Thousands of words side by side would all be tried at each letter of a text.

    >>> _any_of(["Bo", "Anna", "Ann"])
    '(?:Bo|Ann(?:a|))'
    """
    import regex

    branches = []
    for letter, group in groupby(words, key=lambda word: word[:1]):
        alike = list(group)
        shared = len(alike) > 1
        branches.append(
            regex.escape(letter) + _any_of([w[1:] for w in alike])
            if shared
            else regex.escape(alike[0])
        )
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
