"""The text as the strip shows it: in words, or in the model's tokens."""

from __future__ import annotations

from collections.abc import Sequence

from maskviz.masks import Mask
from maskviz.masks.edit import Units, hidden_units
from maskviz.models import load_model
from maskviz.readings import Fill
from maskviz.text.words import word_offsets
from maskviz.ui.components.token_strip import StripUnit

UNITS = ("words", "tokens")


def unit_offsets(text: str, unit: str, model: str) -> Units:
    """Return the (start, end) of each word, or of each token of the model that stands for text.

    Tokens that share a character, as the bytes of an emoji do, are one unit.
    """
    if unit == "words":
        return word_offsets(text)
    found: list[tuple[int, int]] = []
    for offset in load_model(model).tokenise(text).offsets:
        if not offset or offset[0] == offset[1]:
            continue
        if found and offset[0] < found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], offset[1]))
        else:
            found.append(offset)
    return found


def strip_units(chosen: Mask, offsets: Units, fills: Sequence[Fill] = ()) -> list[StripUnit]:
    """Return the units with what is hidden, why, and the model's guesses in their place."""
    guessed = {c: f for f in fills for c in range(f.start, f.end)}
    covering = {c: s for s in chosen.spans for c in range(s.start, s.end)}
    hidden, end, drawn = set(hidden_units(chosen, offsets)), 0, []
    for i, (start, stop) in enumerate(offsets):
        span = next((covering[c] for c in range(start, stop) if c in covering), None)
        found = next((guessed[c] for c in range(start, stop) if c in guessed), None)
        drawn.append(
            StripUnit(
                chosen.text[start:stop],
                before=chosen.text[end:start],
                hidden=i in hidden,
                category=(span.label or None) if span else None,
                reason=(span.reason or None) if span else None,
                guesses=tuple((c.token, c.probability) for c in found.candidates) if found else (),
            )
        )
        end = stop
    return drawn
