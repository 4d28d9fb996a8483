"""What a search found, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from ...text.listed import listed
from ...text.percent import number, percent
from .result import FEWEST_ROWS, Leaning

_NAMED = 3  # of what is found
_POS = {  # https://universaldependencies.org/u/pos
    "ADJ": "adjectives", "ADP": "prepositions", "ADV": "adverbs", "AUX": "auxiliary verbs",
    "CCONJ": "coordinating conjunctions", "DET": "determiners", "INTJ": "interjections",
    "NOUN": "nouns", "NUM": "numerals", "PART": "particles", "PRON": "pronouns",
    "PROPN": "proper nouns", "PUNCT": "punctuation marks", "SCONJ": "subordinating conjunctions",
    "SYM": "symbols", "VERB": "verbs", "X": "words of no part of speech",
}  # fmt: skip


def finding(
    model: str, found: Sequence[Leaning], tested: int, rows: int, value: str, complete: bool
) -> str:
    """Say what a model leans on, surest first, or that nothing can be said."""
    if rows < FEWEST_ROWS and complete:
        return (
            f"Nothing can be said: {rows:,} row{'s are' if rows != 1 else ' is'} left to measure "
            f"on, and at least {FEWEST_ROWS} are needed. Give a file with more rows that differ."
        )
    if not found:
        return (
            f"Nothing can be said{'' if complete else ' yet'}: of {tested:,} candidates none is "
            f"told to move the answer beyond chance (q ≤ 0.05) in the {rows:,} rows that nothing "
            "was chosen on."
        )
    first = found[0]
    said = f"{model} leans on {_named(first)}, {_effect(first, value)}."
    rest = [_short(one) for one in found[1:_NAMED]]
    more = len(found) - 1 - len(rest)
    if rest:
        said += f" Next: {listed([*rest, f'{more} more'] if more else rest)}."
    shortcuts = [one for one in found if one.shortcut]
    if shortcuts:
        names = ", ".join(one.name for one in shortcuts[:_NAMED])
        said += f" Marked as irrelevant, and so a shortcut: {names}."
    return said


def _named(one: Leaning) -> str:
    """Return what is leaned on, as it stands in a sentence."""
    kind, _, rest = one.name.partition(":")
    return {
        "word": f"the word “{rest}”",
        "pattern": f"the pattern {rest}",
        "pos": f"{_POS.get(rest, 'words')} ({one.name})",
        "entity": f"named entities ({one.name})",
        "attribute": f"words that tell {rest} ({one.name})",
    }.get(kind, f"what the strategy {one.name} hides")


def _several(one: Leaning) -> bool:
    return one.name.partition(":")[0] in ("pos", "entity", "attribute")


def _effect(one: Leaning, value: str) -> str:
    part = one.all
    stands, it = ("stand", "them") if _several(one) else ("stands", "it")
    towards = f", for {one.towards}" if one.towards else ""
    interval = f" ({' to '.join(map(_signed, part.ci95))})" if part.ci95 else ""
    flips = ""
    if value == "log-odds":  # a value, or the probability of a given answer, is never another
        flips = f", and flips {percent(part.flip_rate)} of these answers"
    return (
        f"which {stands} in {percent(part.share)} of the rows; hiding {it} moves the answer's "
        f"{value} by {part.strength:.2f}{towards}, {_signed(part.beyond)}{interval} beyond hiding "
        f"as much of something else{flips} (q = {one.q_value:.2g})"
    )


def _short(one: Leaning) -> str:
    return f"{_named(one)} ({_signed(one.all.beyond)} in {percent(one.all.share)} of the rows)"


def _signed(value: float | None) -> str:
    return number(value or 0.0, "+.2f")
