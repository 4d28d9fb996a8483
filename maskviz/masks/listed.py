"""Word lists of attributes as regular expressions.

A line is a word, or behind `re:` an expression of the `regex` package, in which `{name}` stands for
any word of the list `name.txt` beside it. `cased:` alone on a line says that case matters. Words of
scripts without spaces are found wherever they stand, all others whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby
from pathlib import Path

from ..text.languages import script_name
from .matching import find_all
from .wordlists import list_lines, list_path, wrong_line

_UNSPACED = frozenset(("zh", "ja", "th", "lo", "km", "my"))
_NAMED = r"(?<!\\[pP])\{([a-z]{3,})\}"
_SURNAMES = r"(?:[ ·-]\p{Lu}[\p{L}\p{M}'’-]*){1,3}"


def has_list(name: str, language: str) -> bool:
    """Tell whether there is a list of a category in a language, the user's or a bundled one."""
    return bool(language) and list_path(f"{name}.txt", language).is_file()


def expressions(name: str, words: bool = True, language: str = "en") -> list[str]:
    """Return a category's regular expressions, from the user's word list or the bundled one.

    words: the plain words of the list, too, as the first of them.
    """
    read = _read(name, language)
    return [*read.plain, *read.own] if words else list(read.own)


def matches(text: str, name: str, language: str) -> Iterator[tuple[int, int]]:
    """Yield the places of a category: by the lists of the language, Latin words by English ones.

    A given name among other letters has the capitalised words behind it: 和Tom Hanks在.

    >>> list(matches("我和Tom Hanks去", "names", "zh"))
    [(2, 11)]
    """
    path = list_path(f"{name}.txt", language)
    if language and path.is_file():
        yield from _found(text, _at(path, language))
    if language != "en" and (latin := _latin(text)):
        for start, end in _found(latin, _read(name, "en")):
            yield start, _with_surname(latin, end) if name == "names" else end


@dataclass(frozen=True)
class _List:
    """A word list as it is looked up: the expressions of its words, and those of `re:` lines.

    whole: the words themselves where each is one run of letters and case matters. Thousands are
    looked up at once so; an expression of them would take a second to compile.
    """

    words: tuple[str, ...]
    form: str  # of the expression of the words, with {} for them
    own: tuple[str, ...]
    whole: frozenset[str] = frozenset()

    @cached_property
    def plain(self) -> tuple[str, ...]:
        return (self.form.format(_any_of(list(self.words))),) if self.words else ()


def _found(text: str, given: _List) -> Iterator[tuple[int, int]]:
    if given.whole:
        import regex

        for word in regex.finditer(r"\w+", text):
            if word.group() in given.whole:
                yield word.span()
    for expression in given.own if given.whole else (*given.plain, *given.own):
        yield from find_all(expression, text)


def _read(name: str, language: str) -> _List:
    return _at(list_path(f"{name}.txt", language), language)


def _at(path: Path, language: str) -> _List:
    return _compile(path, path.stat().st_mtime_ns, language, _beside(path, language))


def _latin(text: str) -> str:
    """Return a text of another script with its Latin words alone, in their places; else "".

    >>> _latin("我是Anna")
    '\\n\\nAnna'
    """
    scripts = {name for name in map(script_name, text) if name}
    if "Latin" not in scripts or len(scripts) == 1:
        return ""
    return "".join(c if script_name(c) in ("", "Latin") else "\n" for c in text)


def _with_surname(text: str, end: int) -> int:
    import regex

    behind = regex.compile(_SURNAMES).match(text, end)
    return int(behind.end()) if behind else end


def _beside(path: Path, language: str) -> tuple[tuple[str, Path, int], ...]:
    """Return name, file and time of change of the lists that the expressions of a list name."""
    import regex

    if language == "en":
        return ()
    expressions = (line for line in list_lines(path) if line.startswith("re:"))
    names = {name for line in expressions for name in regex.findall(_NAMED, line)}
    found = {name: list_path(f"{name}.txt", language) for name in sorted(names)}
    return tuple((n, p, p.stat().st_mtime_ns) for n, p in found.items() if p.is_file())


@lru_cache(maxsize=64)
def _compile(
    path: Path, _modified: int, language: str, beside: tuple[tuple[str, Path, int], ...]
) -> _List:
    """Turn a word list into expressions: one for all plain words; one for each `re:` line."""
    import regex

    lines = list_lines(path)
    cased = "cased:" in lines
    words = _words(path)
    edges = ("", "") if language in _UNSPACED else (r"(?<!\w)", r"(?!\w)")
    looked_up = cased and all(edges) and all(regex.fullmatch(r"\w+", word) for word in words)
    named = {name: _any_of(_words(file)) for name, file, _ in beside}
    own = []
    for line in (line for line in lines if line.startswith("re:")):
        try:
            whole = regex.sub(_NAMED, lambda match: named.get(match[1], match[0]), line[3:])
            regex.compile(whole if len(whole) == len(line) - 3 else "")
        except regex.error as error:
            wanted = f"a regular expression behind 're:' ({error.msg})"  # type: ignore[attr-defined]
            raise wrong_line(path, line, wanted) from None
        own.append(f"(?i){whole}")
    form = f"{'' if cased else '(?i)'}{edges[0]}{{}}{edges[1]}"
    return _List(tuple(words), form, tuple(own), frozenset(words if looked_up else ()))


def _words(path: Path) -> list[str]:
    words = {x for x in list_lines(path) if not x.startswith("re:") and x != "cased:"}
    return sorted(words, reverse=True)


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
