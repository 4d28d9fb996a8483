"""A font for every character of a picture, found among those installed, by what they hold.

matplotlib's own font has Latin, Greek, Cyrillic, Arabic and Hebrew. What it lacks it would draw as
boxes: for each script a font that has it is looked for, and where none is installed one sentence
says which to install.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import MissingDependencyError

_HAN = ("Noto Sans CJK", "fonts-noto-cjk")
_SYMBOLS = ("Symbola", "fonts-symbola")
_OTHER = ("Noto Sans", "fonts-noto-core")
# The first word of a character's name in Unicode → a font that has it, and Debian's package of it.
_INSTALL = dict.fromkeys(
    ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH", "HALFWIDTH"),
    _HAN,
)
_NO_OUTLINES = ("last resort", "color emoji")  # they draw boxes, or pictures that cannot be scaled


def set_fonts(figure: Any) -> None:
    """Give every text of a matplotlib figure the fonts that have its characters.

    Raises MissingDependencyError where no font that is installed has one.
    """
    from matplotlib.text import Text

    texts = figure.findobj(Text)
    chosen = families("".join(text.get_text() for text in texts))
    for text in texts:
        text.set_fontfamily(list(chosen))


def families(text: str) -> tuple[str, ...]:
    """Return the font families that together have every character of a text, the usual one first.

    >>> families("A film, фильм")
    ('DejaVu Sans',)
    """
    from matplotlib import font_manager

    usual = font_manager.findfont("DejaVu Sans")
    missing = {c for c in text if _drawn(c)} - _characters(usual)
    chosen = ["DejaVu Sans"]
    while missing:
        best = min(font_files(), key=lambda path: _rank(path, missing), default=usual)
        held = missing & _characters(best)
        if not held:
            raise _to_install(missing)
        chosen.append(_family(best))
        missing -= held
    return tuple(chosen)


def font_files() -> Sequence[str]:
    """Return the font files of this machine, also those installed since matplotlib last looked."""
    from matplotlib import font_manager

    return sorted(font_manager.findSystemFonts())


def _rank(path: str, missing: set[str]) -> tuple[int, bool, bool, str]:
    """Order fonts: most of what is missing first, then upright sans serif ones."""
    name = Path(path).stem.lower()
    plain = not any(style in name for style in ("bold", "italic", "oblique", "light", "black"))
    return -len(missing & _characters(path)), not plain, "sans" not in name, path


@lru_cache(maxsize=4096)
def _characters(path: str) -> frozenset[str]:
    """Return the characters that a font file draws; none where it cannot be read or scaled."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(path)
    except (RuntimeError, OSError):  # a bitmap font, or a broken file
        return frozenset()
    if not font.scalable or any(name in font.family_name.lower() for name in _NO_OUTLINES):
        return frozenset()
    return frozenset(map(chr, font.get_charmap()))


def _family(path: str) -> str:
    """Make a font file known to matplotlib and return its family."""
    from matplotlib import font_manager

    known = font_manager.fontManager
    if all(entry.fname != path for entry in known.ttflist):
        known.addfont(path)
    return next(entry.name for entry in known.ttflist if entry.fname == path)


def _drawn(character: str) -> bool:
    """Tell whether a character has a glyph: spaces, joiners and variation selectors have none."""
    if unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp"):
        return False
    return not (0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF)


def in_unicode(character: str) -> bool:
    """Tell whether Unicode says what a character looks like: no font has a private one."""
    return unicodedata.category(character) not in ("Cn", "Co", "Cs")


def _to_install(missing: Iterable[str]) -> MissingDependencyError:
    wanted: dict[tuple[str, str], list[str]] = {}
    for character in sorted(missing):
        wanted.setdefault(_font_for(character), []).append(character)
    shown = " or ".join(repr("".join(held[:3])) for held in wanted.values())
    fonts = " and ".join(name for name, _ in wanted)
    packages = " ".join(package for _, package in wanted)
    return MissingDependencyError(
        f"No installed font has {shown}: install {fonts} (on Debian: apt install {packages}), or "
        "write .html, which the reader's own fonts draw."
    )


def _font_for(character: str) -> tuple[str, str]:
    if unicodedata.category(character) in ("So", "Sk"):
        return _SYMBOLS
    return _INSTALL.get(unicodedata.name(character, "").split(" ")[0].split("-")[0], _OTHER)
