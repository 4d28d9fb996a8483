"""Texts that Markdown shows as they are."""

from __future__ import annotations

import re

from maskviz.text.marks import isolated, named

# Where GitHub's Markdown begins a link by itself: https://, www. and the sign of an e-mail address.
_ADDRESS = re.compile(r"https?:(?=//)|www(?=\.)|@", re.IGNORECASE)


def escape(text: str) -> str:
    """Return a sentence or a name that Markdown shows as it is.

    Marks of direction stand by their names, and a word that runs from right to left turns nothing
    around it. An address becomes a link whatever is escaped: a word joiner, which is not seen,
    takes it apart.
    """
    marks = "\\`*_{}[]()<>#+-.!|~$:"
    apart = _ADDRESS.sub("\\g<0>\N{WORD JOINER}", isolated(named(text)))
    return "".join("\\" + c if c in marks else c for c in apart)
