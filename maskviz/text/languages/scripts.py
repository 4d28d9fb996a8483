"""Scripts, by ranges of Unicode, and which of them most of a text is written in."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from functools import lru_cache

# fmt: off
_RANGES = (
    (0x0041, 0x024F, "Latin"), (0x0250, 0x02AF, "Latin"), (0x0370, 0x03FF, "Greek"),
    (0x0400, 0x052F, "Cyrillic"), (0x0530, 0x058F, "Armenian"), (0x0590, 0x05FF, "Hebrew"),
    (0x0600, 0x06FF, "Arabic"), (0x0750, 0x077F, "Arabic"), (0x08A0, 0x08FF, "Arabic"),
    (0x0900, 0x097F, "Devanagari"), (0x0980, 0x09FF, "Bengali"), (0x0A00, 0x0A7F, "Gurmukhi"),
    (0x0A80, 0x0AFF, "Gujarati"), (0x0B00, 0x0B7F, "Odia"), (0x0B80, 0x0BFF, "Tamil"),
    (0x0C00, 0x0C7F, "Telugu"), (0x0C80, 0x0CFF, "Kannada"), (0x0D00, 0x0D7F, "Malayalam"),
    (0x0D80, 0x0DFF, "Sinhala"), (0x0E00, 0x0E7F, "Thai"), (0x0E80, 0x0EFF, "Lao"),
    (0x0F00, 0x0FFF, "Tibetan"), (0x1000, 0x109F, "Burmese"), (0x10A0, 0x10FF, "Georgian"),
    (0x1100, 0x11FF, "Hangul"), (0x1200, 0x139F, "Ethiopic"), (0x1780, 0x17FF, "Khmer"),
    (0x1C90, 0x1CBF, "Georgian"), (0x1E00, 0x1EFF, "Latin"), (0x1F00, 0x1FFF, "Greek"),
    (0x3005, 0x3007, "Han"), (0x3040, 0x30FF, "Kana"), (0x3130, 0x318F, "Hangul"),
    (0x31F0, 0x31FF, "Kana"), (0x3400, 0x4DBF, "Han"), (0x4E00, 0x9FFF, "Han"),
    (0xAC00, 0xD7FF, "Hangul"), (0xF900, 0xFAFF, "Han"), (0xFB1D, 0xFB4F, "Hebrew"),
    (0xFB50, 0xFDFF, "Arabic"), (0xFE70, 0xFEFC, "Arabic"), (0xFF21, 0xFF5A, "Latin"),
    (0xFF66, 0xFF9F, "Kana"), (0x20000, 0x3FFFF, "Han"),
)
# Letters that a word has, so that words and not letters are counted.
_A_WORD = {"Han": 1.6, "Kana": 2.5, "Hangul": 2.5, "Thai": 4.0, "Lao": 4.0, "Khmer": 4.0}
# fmt: on
_STARTS = [start for start, _, _ in _RANGES]
_USUAL = 5.0


@lru_cache(maxsize=8192)
def script_name(character: str) -> str:
    """Return the script of a letter, "" for what is none or of another script.

    >>> script_name("ß"), script_name("影"), script_name("7")
    ('Latin', 'Han', '')
    """
    if not character.isalpha():
        return ""
    code = ord(character)
    _, end, name = _RANGES[max(0, bisect_right(_STARTS, code) - 1)]
    return name if code <= end and code >= _STARTS[0] else ""


def words_by_script(text: str) -> dict[str, float]:
    """Return about how many words of each script a text has, the most first."""
    letters = Counter(filter(None, map(script_name, text)))
    words = {name: count / _A_WORD.get(name, _USUAL) for name, count in letters.items()}
    return dict(sorted(words.items(), key=lambda item: -item[1]))


def is_written_from_right(text: str) -> bool:
    """Tell whether most words of a text are of a script that runs from right to left.

    >>> is_written_from_right("שלום world עולם"), is_written_from_right("film")
    (True, False)
    """
    return dominant_script(text) in ("Hebrew", "Arabic")


def dominant_script(text: str) -> str:
    """Return the script of most words, Han where kana stand among them; "" without letters.

    >>> dominant_script("我用 Python 写程序"), dominant_script("12 345")
    ('Han', '')
    """
    words = words_by_script(text)
    if "Kana" in words and "Han" in words:
        words["Han"] += words.pop("Kana")
    return max(words, key=words.__getitem__, default="")
