"""The strategy `noise`: hides misspelt and garbled words.

A word is suspect where it is in no frequency list, or where a word one edit away (Damerau 1964)
is far more frequent. A suspect word is hidden where the model, too, is surprised by it.
Frequencies are Zipf values, log10 of occurrences per 10⁹ words (van Heuven et al. 2014), from
wordfreq (https://github.com/rspeer/wordfreq), in the language of the text where it has a list.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from string import ascii_lowercase

from ..errors import LanguageError
from ..masks.mask import Mask
from ..masks.registry import Parameter, capped, strategy
from ..masks.spans import MaskSpan
from ..models.model import Model
from ..text.document import Document
from ..text.language import LISTED, is_spelled, languages_of, letters_of, script_of, zipf
from ..text.languages import language_name
from ..text.spacing import seen

_LISTS = {"sr": "sh", "hr": "sh", "bs": "sh", "tl": "fil"}  # as wordfreq calls them
_GUESSED = ("zh", "ja", "ko")
_EXTRA = "pip install 'wordfreq[cjk]'"
_LONGEST = 40  # letters: of a longer one the words one edit away would fill the memory


@strategy(
    "noise",
    "exhaustive",
    "Hides misspelt and garbled words.",
    needs=frozenset({"pipeline"}),
    asks=lambda given: given.get("surprisal", 6.0) > 0,
    parameters=(
        Parameter(
            "threshold",
            "number",
            2.0,
            "log10 of how much more frequent the correct word must be",
            label="Threshold: frequency, powers of 10",
            step=0.5,
        ),
        Parameter(
            "surprisal",
            "number",
            6.0,
            "bits of surprise the model must show; 0: do not ask it",
            label="Threshold: surprise, bits",
            step=1.0,
        ),
        Parameter("model", "text", "mini", "the model that is asked", loaded=True),
    ),
)
def noise(
    document: Document,
    ratio: float | None,
    rng: random.Random,
    *,
    threshold: float = 2.0,
    surprisal: float = 6.0,
    model: Model | None = None,
) -> list[MaskSpan]:
    """Choose suspect words; the score is the surprisal in bits, or the gain in Zipf frequency.

    The model is there wherever `surprisal` is more than 0. Words with a digit, inside a named
    entity, of one letter or of more than 40 are passed over, and words of a script for which
    wordfreq has no list. Raises LanguageError where no list knows the text's words.
    """
    suspects = list(_suspects(document, threshold))
    if surprisal > 0 and model is not None:
        suspects = _surprising(document, suspects, surprisal, model)
    return capped(document, suspects, ratio, rng)


def _suspects(document: Document, threshold: float) -> Iterator[MaskSpan]:
    text = document.text
    spelled = [(w, seen(text[w.start : w.end])) for w in document.words]
    spelled = [(w, written) for w, written in spelled if is_spelled(written)]
    languages = _languages([written for _, written in spelled], document.language)
    words = [(w, written.lower()) for w, written in spelled if 2 <= w.end - w.start <= _LONGEST]
    names = document.entities if words else ()  # a text of emoji alone needs no pipeline
    ends = [name.end for name in names]
    for word, written in words:
        after = bisect_right(ends, word.start)  # the first name that does not end before the word
        if after < len(names) and names[after].start < word.end:
            continue
        language = languages[script_of(written[0])]
        if language is not None and (found := _why(written, language, threshold)):
            yield MaskSpan(word.start, word.end, *found)


def _languages(words: list[str], known: str | None = None) -> dict[str, str | None]:
    """Return script → language. Raises LanguageError where none of the words can be judged.

    known: the text's language, which takes the place of what the words tell of its script.
    """
    found = languages_of(words)
    code = _LISTS.get(known or "", known)
    if code is not None and code != "en":
        found |= {script: code for script in found if code in LISTED.get(script, ())}
    if found and not any(found.values()):
        if code in _GUESSED:
            raise LanguageError(
                f"The strategy 'noise' cannot tell errors from words in {language_name(code)}: "
                f"wordfreq reads it with its extra alone ({_EXTRA}), and then guesses how frequent "
                "a word is that it does not know: choose another strategy, such as pattern."
            )
        raise LanguageError(
            f"The strategy 'noise' has no list of words that knows this text ({words[0][:20]!r}, "
            f"script {next(iter(found)).title()}), so it cannot tell errors from words: choose "
            "another strategy, such as pattern."
        )
    return found


def _why(written: str, language: str, threshold: float) -> tuple[str, float | None] | None:
    """Return why a lower-cased word is suspect and its gain in Zipf frequency; None if it is not.

    A language other than English is named.
    """
    best, gain = _correction(written, language)
    named = "" if language == "en" else f" ({language})"
    if gain >= threshold:
        return f"misspelt: {best!r} is 10^{gain:.1f} times as frequent{named}", gain
    return None if zipf(written, language) else (f"in no list of words{named}", None)


@lru_cache(maxsize=1 << 14)
def _correction(word: str, language: str) -> tuple[str, float]:
    """Return the most frequent word one edit away and its gain in Zipf frequency."""
    own = zipf(word, language)
    edits = _edits(word, letters_of(language))
    value, best = max((zipf(edit, language), edit) for edit in edits)
    return best, value - own


def _edits(word: str, letters: str = ascii_lowercase) -> set[str]:
    """Return the words one deletion, transposition, replacement or insertion away."""
    splits = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    deleted = {a + b[1:] for a, b in splits if b and len(word) > 2}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in splits if len(b) > 1}
    replaced = {a + c + b[1:] for a, b in splits if b for c in letters}
    inserted = {a + c + b for a, b in splits for c in letters}
    return (deleted | swapped | replaced | inserted) - {word}


def _surprising(
    document: Document, suspects: list[MaskSpan], least: float, model: Model
) -> list[MaskSpan]:
    """Keep the suspects that the model gives a surprisal of at least `least` bits."""
    from dataclasses import replace

    from .fills import log_probabilities

    if "fill" not in model.capabilities:
        return suspects
    end = model.tokenise(document.text).truncated_at
    text = document.text[:end]  # beyond it the model reads nothing, and nothing surprises it
    suspects = [s for s in suspects if s.end <= len(text)]
    masks = [Mask(text, (MaskSpan(s.start, s.end),)) for s in suspects]
    kept = []
    for span, chance in zip(suspects, log_probabilities(masks, model), strict=True):
        bits = -chance / math.log(2)
        if bits >= least:
            reason = f"{span.reason}; {bits:.0f} bits of surprise"
            kept.append(replace(span, reason=reason, score=bits))
    return kept
