"""Words without a model: maximal runs of characters that are not space or punctuation.

Signs such as $, < and + count as punctuation; emoji are words, and special tokens such as [MASK]
none. A character is what a person sees as one, a grapheme cluster (Unicode Standard Annex 29): an
emoji with its skin tone, a letter with its marks. In scripts written without spaces (Han, kana,
Thai, Lao, Khmer, Burmese) a run is cut by the segmenter of the language where one is installed
(`maskviz.text.languages.cutting`), else each is a word; a mark of length or repetition (ー, 々)
goes with the one before it. Between Hebrew letters geresh and gershayim are letters, as are the
straight quotes that stand for them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from ..errors import TextError
from .languages import cut, han_language, said, script_name
from .specials import special_spans

NO_WORDS = "The text has no words to hide: enter at least one word."
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # ideographic iteration mark, closing mark and zero
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x4DBF),  # Han, extension A
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),  # Han, compatibility
    (0xFF66, 0xFF9F),  # kana, half as wide
    (0x20000, 0x3FFFF),  # Han, supplementary planes
)
_ASCII_WORDS = re.compile(r"[A-Za-z0-9]+").finditer  # what _role says of ASCII, ten times as fast
_JOINS = r"[\p{M}\p{Cf}\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=V}\p{GCB=T}\p{GCB=Prepend}]"
_CLUSTERS = r"[A-Za-z0-9]+(?=[\x00-\x7f]|$)|\X"  # letters of which none has a mark go together
_OUT, _IN, _ALONE, _EXTEND, _AFTER = range(5)
_REPEATS = frozenset("ーｰ々ゝゞヽヾ〻ๆໆ")  # of length or repetition: no word by themselves
_UNSEEN_SPACE = "\u200b"  # between two letters it ends a word
_IN_HEBREW = frozenset("\u05f3\u05f4\"'’")
_LONG = 64  # characters of a cluster that are looked at; one may have a million marks
_MARKS = ("Mn", "Mc", "Me", "Cf")
_TONE = re.compile("[\U0001f3fb-\U0001f3ff]")  # of skin, and a picture where it stands alone
_AS_PICTURE = ("\ufe0f", "\u20e3")  # what makes an emoji of a sign: ‼️, #️⃣


@lru_cache(maxsize=4096)
def _role(cluster: str) -> int:
    character = cluster[0]
    category = unicodedata.category(character)
    if category in _MARKS:
        return _EXTEND
    if _TONE.search(cluster) or any(sign in cluster for sign in _AS_PICTURE):
        return _IN
    if character.isspace() or category[0] in "PZ" or category in ("Cc", "Sc", "Sk", "Sm"):
        return _OUT
    if category == "Nd" or not is_unspaced(character):
        return _IN
    return _AFTER if character in _REPEATS else _ALONE


def is_unspaced(character: str) -> bool:
    """Tell whether a character belongs to a script that is written without spaces.

    >>> is_unspaced("影"), is_unspaced("б")
    (True, False)
    """
    code = ord(character)
    return any(low <= code <= high for low, high in _UNSPACED)


def check_unicode(text: str) -> None:
    """Raise TextError where a text holds half of a surrogate pair, as badly decoded bytes do."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise TextError(
            f"Character {error.start} of the text is half of a surrogate pair: "
            "save the text as UTF-8 and try again."
        ) from None


def mended(value: Any) -> Any:
    """Return a JSON value in whose texts each half of a surrogate pair has become U+FFFD.

    >>> mended({"text": ["a\\ud800b", 1]})
    {'text': ['a�b', 1]}
    """
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [mended(item) for item in value]
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in value.items()}
    return value


def word_offsets(text: str, language: str = "") -> list[tuple[int, int]]:
    """Return the (start, end) of each word, in order.

    language: where it is given, here or by `saying`, Han is cut as Chinese or as Japanese by it.

    >>> word_offsets("Well, 我们 go")
    [(0, 4), (6, 8), (9, 11)]
    """
    words = (
        [match.span() for match in _ASCII_WORDS(text)]
        if text.isascii()
        else _by_character(text, language)
    )
    specials = special_spans(text)
    if not specials:
        return words
    starts = [start for start, _ in specials]
    inside = (bisect_right(starts, start) - 1 for start, _ in words)
    return [w for w, i in zip(words, inside, strict=True) if i < 0 or specials[i][1] <= w[0]]


def character_offsets(text: str) -> list[tuple[int, int]]:
    """Return the words, in scripts without spaces each character that a person sees.

    The same whatever is installed: for figures that others have to meet, and labels by character.

    >>> character_offsets("我们 go")
    [(0, 1), (1, 2), (3, 5)]
    """
    return _clusters(text)[0]


def _by_character(text: str, language: str = "") -> list[tuple[int, int]]:
    words, alone = _clusters(text)
    return list(_cut(text, words, alone, language)) if alone else words


def _clusters(text: str) -> tuple[list[tuple[int, int]], set[int]]:
    """Return the words, and the numbers of those that are one character of an unspaced script."""
    import regex

    words: list[list[int]] = []
    alone: set[int] = set()
    previous, end = _OUT, 0
    clusters = regex.findall(_CLUSTERS, text) if regex.search(_JOINS, text) else text
    for cluster in clusters:
        start, end = end, end + len(cluster)
        role = _role(cluster if len(cluster) < _LONG else cluster[:_LONG])
        if cluster == _UNSEEN_SPACE and text[end : end + 1].isalnum():
            role = _OUT
        elif role == _OUT and cluster in _IN_HEBREW and _between_hebrew(text, start, end):
            role = _IN
        if role == _AFTER:
            role = _EXTEND if previous == _ALONE else _ALONE
        if role == _EXTEND:
            if previous == _OUT:
                continue
            words[-1][1] = end
            continue
        if role == _IN and cluster[0].isspace():  # a tone of skin behind a space
            start, previous = start + 1, _OUT
        if role == _ALONE or (role == _IN and previous != _IN):
            if role == _ALONE:
                alone.add(len(words))
            words.append([start, end])
        elif role == _IN:
            words[-1][1] = end
        previous = role
    return [(start, end) for start, end in words], alone


def _between_hebrew(text: str, start: int, end: int) -> bool:
    """Tell whether a mark stands between Hebrew letters; a geresh may end a word as well.

    A straight double quote behind one letter opens a quotation more often than not: ו"הארץ".
    """
    if not start or script_name(_base(text, start)) != "Hebrew":
        return False
    if end == len(text) or script_name(text[end]) != "Hebrew":
        return text[start] == "\u05f3"
    return text[start] != '"' or (start > 1 and script_name(_base(text, start - 1)) == "Hebrew")


def _base(text: str, end: int) -> str:
    """Return the letter before a place, points and accents aside."""
    start = end - 1
    while start and unicodedata.combining(text[start]):
        start -= 1
    return text[start]


def _cut(
    text: str, words: Sequence[tuple[int, int]], alone: set[int], language: str
) -> Iterator[tuple[int, int]]:
    """Yield the words, runs of single characters put together by the segmenter of the language."""
    of_han = language or said()
    of_han = of_han if of_han in ("zh", "ja") else han_language(text)
    first = 0
    while first < len(words):
        last = first
        while last in alone and last + 1 in alone and _touch(text, words, last):
            last += 1
        run = words[first : last + 1]
        yield from _segmented(text, run, of_han) if last > first else run
        first = last + 1


def _touch(text: str, words: Sequence[tuple[int, int]], i: int) -> bool:
    """Tell whether the next word goes on in the same script."""
    (start, end), (after, _) = words[i], words[i + 1]
    return end == after and _writing(text[start]) == _writing(text[after])


def _writing(character: str) -> str:
    name = script_name(character)
    return "Han" if name in ("Kana", "") else name


def _segmented(text: str, run: Sequence[tuple[int, int]], of_han: str) -> Iterator[tuple[int, int]]:
    begin = run[0][0]
    writing = _writing(text[begin])
    language = {"Han": of_han, "Thai": "th"}.get(writing, "")
    ends = cut(text[begin : run[-1][1]], language)
    if ends is None:
        yield from run
        return
    cuts, start = {begin + end for end in ends}, begin
    for _, end in run:  # never inside what a person sees as one character
        if end in cuts or end == run[-1][1]:
            yield start, end
            start = end


def whole_characters(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a stretch widened to the characters that a person sees, so that none is cut.

    >>> whole_characters("e\u0301a", 1, 2)
    (0, 2)
    """
    if text.isascii():
        return start, end
    return _border(text, start)[0], _border(text, end)[1]


def _border(text: str, place: int) -> tuple[int, int]:
    """Return where the character begins and ends that `place` cuts; the place itself if none."""
    import regex

    if not 0 < place < len(text) or not _may_join(text[place - 1], text[place]):
        return place, place
    begin = place - 1
    while begin and not text[begin].isascii():
        begin -= 1
    for match in regex.finditer(r"\X", text, pos=begin):
        if match.end() > place:
            return (match.start(), match.end()) if match.start() < place else (place, place)
        if match.end() == place:
            break
    return place, place


@lru_cache(maxsize=4096)
def _may_join(before: str, after: str) -> bool:
    """Tell whether the two may be of one character; what a mark joins is told by the whole."""
    import regex

    marks = unicodedata.category(before) in _MARKS
    return marks or len(regex.findall(r"\X", before + after)) == 1
