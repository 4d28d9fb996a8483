"""Colours that mean the same everywhere, in figures and in the browser parts."""

from __future__ import annotations

import html
from collections.abc import Iterable

from ..text.marks import named

# Okabe & Ito (2008), the qualitative set that readers with colour-vision deficiencies tell apart;
# yellow is darkened to be seen on white.
OKABE_ITO = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A7F00", "#6B7580",
)  # fmt: skip
CATEGORIES = {
    "PERSON": OKABE_ITO[0], "names": OKABE_ITO[0],
    "ORG": OKABE_ITO[1], "religion": OKABE_ITO[1],
    "GPE": OKABE_ITO[2], "LOC": OKABE_ITO[2], "nationality": OKABE_ITO[2],
    "MISC": OKABE_ITO[3], "gender": OKABE_ITO[3],
    "age": OKABE_ITO[5], "pronouns": OKABE_ITO[4],
}  # fmt: skip
DASHES = ("solid", "dash", "dot", "dashdot")  # where colours come again
PLAIN, MASKED, CHANCE = OKABE_ITO[0], OKABE_ITO[5], OKABE_ITO[7]


def as_text(text: str, longest: int = 200) -> str:
    """Return text that Plotly, which reads a few HTML tags in labels, shows as it is.

    >>> as_text("<b>Bob & Ann</b>")
    '&lt;b&gt;Bob &amp; Ann&lt;/b&gt;'
    """
    shown = text if len(text) <= longest else text[: longest - 1] + "…"
    return html.escape(named(shown), quote=False)


def colours_of(labels: Iterable[str]) -> dict[str, str]:
    """Return a colour for each label: its own where it has one, else one not yet taken."""
    labels = sorted(set(labels))
    taken = {CATEGORIES[name] for name in labels if name in CATEGORIES}
    free = [c for c in OKABE_ITO if c not in taken] or list(OKABE_ITO)
    rest = [name for name in labels if name not in CATEGORIES]
    return {n: CATEGORIES[n] for n in labels if n in CATEGORIES} | {
        name: free[i % len(free)] for i, name in enumerate(rest)
    }
