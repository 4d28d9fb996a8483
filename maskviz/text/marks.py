"""Characters that turn the direction of what follows, shown by name and kept to themselves.

A mark in a word of the user's would rearrange the sentence around it (Unicode Technical Report 36,
section 2.7), and so would figures beside a word that runs from right to left (Unicode Standard
Annex 9, rules W2 and N1).
"""

from __future__ import annotations

import re

MARKS = {
    "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO",
    "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI",
    "\u200e": "LRM", "\u200f": "RLM", "\u061c": "ALM",
}  # fmt: skip
_NAMED = str.maketrans({mark: f"‹{name}›" for mark, name in MARKS.items()})
_RTL = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]"
_APART = re.compile(f"(?<=“)[^”]+(?=”)|{_RTL}(?:[^\\w“]*{_RTL})*")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def named(text: str) -> str:
    """Return text in which each mark of direction stands by its name.

    >>> named("a\\u202eb")
    'a‹RLO›b'
    """
    return text.translate(_NAMED)


def isolated(sentence: str) -> str:
    """Return a sentence in which a word of another direction turns nothing around it.

    What stands in “…”, and each run of letters that go from right to left, is set between FSI and
    PDI, which are not seen.

    >>> isolated("“x” rules") == "“\\u2068x\\u2069” rules"
    True
    """
    return _APART.sub("\u2068\\g<0>\u2069", sentence)


def printable(text: str) -> str:
    """Return text that a terminal prints and does not obey: controls and marks by name or number.

    >>> printable("a\\x1b[31mb\\n")
    'a‹1B›[31mb\\n'
    """
    return _CONTROLS.sub(lambda match: f"‹{ord(match[0]):02X}›", named(text))
