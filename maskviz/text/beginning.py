"""How much of a long text is read where a person waits and a model reads its beginning anyway."""

from __future__ import annotations

LONGEST = 20_000  # characters: several times what any model reads
_NEAR = 200  # characters that the end moves back to meet the end of a word


def beginning(text: str) -> str:
    """Return at most the first 20,000 characters of a text, up to the end of a word."""
    if len(text) <= LONGEST or text[LONGEST].isspace():
        return text[:LONGEST]
    space = max(text.rfind(gap, LONGEST - _NEAR, LONGEST) for gap in " \n")
    return text[: space if space > 0 else LONGEST]
