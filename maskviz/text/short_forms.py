"""Full stops of short forms, behind which a sentence goes on: et al., e.g., Dr., No., Fig.

A pipeline trained on news cuts scientific texts at them. What comes next tells: a number behind
"Fig.", a name behind "Dr.", anything behind "e.g.", a small letter or a bracket behind "et al.".
"""

from __future__ import annotations

import re

# fmt: off
_BEFORE_NUMBER = frozenset((
    "alg", "algs", "app", "art", "arts", "ch", "chap", "chaps", "cor", "def", "defs", "ed", "eq",
    "eqn", "eqns", "eqs", "ex", "exs", "fig", "figs", "lem", "no", "nos", "nr", "p", "par", "para",
    "pp", "prop", "pt", "pts", "ref", "refs", "sec", "secs", "sect", "tab", "tabs", "thm", "ver",
    "vol", "vols",
))
_BEFORE_LETTER = frozenset(("alg", "app", "ch", "eq", "fig", "figs", "sec", "secs", "tab", "vol"))
_BEFORE_NAME = frozenset((
    "adm", "brig", "capt", "cdr", "cmdr", "col", "cpl", "dept", "dr", "drs", "gen", "gov", "hon",
    "insp", "lt", "maj", "messrs", "mlle", "mme", "mr", "mrs", "ms", "mx", "pres", "prof", "profs",
    "rep", "rev", "sen", "sgt", "supt", "univ",
))
_WITHIN = frozenset((
    "aka", "approx", "ca", "cf", "e.g", "eg", "esp", "excl", "i.a", "i.e", "ie", "incl", "resp",
    "viz", "vs", "w.r.t", "wrt",
))
_AT_TIMES = frozenset(("a.k.a", "a.m", "co", "corp", "etc", "inc", "jr", "ltd", "p.m", "u.s"))
# fmt: on
_WORD = re.compile(r"(?<![\w.])([^\W\d_]+(?:\.[^\W\d_]+)*)\.$")
_ET_AL = re.compile(r"(?:\bet|&) al\.$", re.IGNORECASE)
_NUMBER = re.compile(r"[(\[]?[#§]?\d")
_LETTER = re.compile(r"[(\[]?(?:[A-Z]|[IVXL]+)(?:\.?\d|[).,;:]|\s+[a-z])")
_LONGEST = 16  # characters of a short form, and of what is looked at behind it


def goes_on(text: str, place: int) -> bool:
    """Tell whether a sentence goes on at `place`, since a short form's full stop stands before it.

    >>> goes_on("See Fig. 3 there.", 9), goes_on("He said no. They left.", 12)
    (True, False)
    """
    before = text[max(0, place - _LONGEST) : place].rstrip()
    after = text[place : place + _LONGEST].lstrip()
    if not after or not before.endswith("."):
        return False
    if _ET_AL.search(before):
        return after[0].islower() or after[0] in "([" or after[0].isdigit()
    match = _WORD.search(before)
    return match is not None and _needs(match[1], after)


def _needs(written: str, after: str) -> bool:
    """Tell whether a short form is not whole without what stands behind it."""
    word = written.lower()
    if word in _WITHIN:
        return True
    if word in _BEFORE_NAME and written[0].isupper() and after[0].isupper():
        return True
    if word in _BEFORE_NUMBER and _NUMBER.match(after):
        return True
    if word in _BEFORE_LETTER and _LETTER.match(after):
        return True
    known = word in _AT_TIMES | _BEFORE_NAME | _BEFORE_NUMBER
    return known and word != "no" and after[0].islower()
