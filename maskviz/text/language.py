"""In which language a text is written, as far as lists of word frequencies go (wordfreq).

The script says it for most; between the languages of one script the one whose list knows the
words best. A text is English unless another language knows its words clearly better, since a
text full of errors is known badly by all.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from string import ascii_lowercase

from ..errors import MissingDependencyError

# script → languages that wordfreq knows without further packages; the first is the usual one
LISTED = {
    "LATIN": (
        "en", "ca", "cs", "da", "de", "es", "fi", "fil", "fr", "hu", "id", "is", "it", "lt", "lv",
        "ms", "nb", "nl", "pl", "pt", "ro", "sh", "sk", "sl", "sv", "tr", "vi",
    ),
    "CYRILLIC": ("ru", "bg", "mk", "uk"),
    "GREEK": ("el",),
    "HEBREW": ("he",),
    "ARABIC": ("ar", "fa", "ur"),
    "DEVANAGARI": ("hi",),
    "BENGALI": ("bn",),
    "TAMIL": ("ta",),
}  # fmt: skip
_SAMPLE = 200  # words that are looked up
_FREQUENT = 5000  # words of a language that show its letters
_FEWEST = 3
_ENOUGH = 4.5  # mean Zipf frequency from which no other language is asked
_TOLD_BY = 8  # words from which on it is told that no list knows them; mean Zipf frequencies:
_LEAST = 3.0  # the usual language knows the words at all, though another knows them better
_LEAST_AS_BEST = 2.0  # … where none knows them better: full of errors, but its own
_CLEARLY = 1.0  # another language knows them better than the usual by so much, and
_LEAST_OF_OTHERS = 3.8  # … knows them so well, or better than all languages by as much


@lru_cache(maxsize=4096)
def script_of(character: str) -> str:
    """Return the script of a letter as Unicode names it: LATIN, CYRILLIC, CJK, …"""
    return unicodedata.name(character, "").partition(" ")[0]


def languages_of(words: Sequence[str]) -> dict[str, str | None]:
    """Return script → language of the words in it, None where no list of wordfreq knows them.

    >>> languages_of(["der", "film", "war", "leider", "ziemlich", "langweilig"])
    {'LATIN': 'de'}
    """
    by_script: dict[str, list[str]] = {}
    for word in words:
        by_script.setdefault(script_of(word[0]), []).append(word)
    return {script: _language(script, tuple(found)) for script, found in by_script.items()}


def is_spelled(word: str) -> bool:
    """Tell whether a word is written in letters alone, with the marks that belong to them.

    >>> is_spelled("हिन्दी"), is_spelled("4th")
    (True, False)
    """
    return word[:1].isalpha() and all(map(_is_letter, word))


def _is_letter(character: str) -> bool:
    return character.isalpha() or unicodedata.category(character)[0] == "M"


def _language(script: str, words: tuple[str, ...]) -> str | None:
    languages = LISTED.get(script)
    if not languages:
        return None
    lower = [word for word in words if word[0].islower()]  # names are of no language
    sample = (lower if len(lower) >= _FEWEST else words)[:_SAMPLE]
    caseless = not any(word[0].isupper() for word in words)
    told = len(words if caseless else lower) >= _TOLD_BY
    return _best(languages, tuple(word.lower() for word in sample), told)


@lru_cache(maxsize=256)
def _best(languages: tuple[str, ...], words: tuple[str, ...], told: bool) -> str | None:
    usual = languages[0]
    if len(words) < _FEWEST or _mean(words, usual) >= _ENOUGH:
        return usual
    mean = {language: _mean(words, language) for language in languages}
    best = max(languages, key=mean.__getitem__)
    others = max((mean[language] for language in languages if language != best), default=0.0)
    beside = mean[usual] if mean[best] >= _LEAST_OF_OTHERS else others
    if best != usual and mean[best] >= beside + _CLEARLY:
        return best
    least = _LEAST_AS_BEST if best == usual and len(languages) > 1 else _LEAST
    return usual if mean[usual] >= least or not told else None


def _mean(words: tuple[str, ...], language: str) -> float:
    return sum(zipf(word, language, "small") for word in words) / len(words)


def zipf(word: str, language: str = "en", wordlist: str = "best") -> float:
    """Return the Zipf frequency of a lower-cased word in a language; 0 for an unknown one."""
    try:
        from wordfreq import zipf_frequency
    except ImportError:
        raise MissingDependencyError(
            "The frequencies of words need wordfreq: run 'pip install wordfreq'."
        ) from None
    return zipf_frequency(word, language, wordlist)


@lru_cache(maxsize=8)
def most_frequent(language: str | None, count: int = 200) -> frozenset[str]:
    """Return the most frequent words of a language; none where wordfreq has no list of it."""
    from wordfreq import available_languages, top_n_list

    if language not in available_languages("small"):
        return frozenset()
    return frozenset(top_n_list(language, count, "small"))


@lru_cache(maxsize=8)
def letters_of(language: str) -> str:
    """Return the letters that a language is written with, from its most frequent words."""
    if language == "en":
        return ascii_lowercase
    from wordfreq import top_n_list

    return "".join(sorted({c for w in top_n_list(language, _FREQUENT) for c in w if _is_letter(c)}))
