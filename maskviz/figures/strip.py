"""A masked text as one HTML file: it reads as a sentence, hidden words are blocks of ink.

What is hidden is not in the file: a block keeps the length of its word and the reason, no letter.
"""

from __future__ import annotations

from html import escape as _html

from ..masks.mask import Mask
from ..masks.spans import MaskSpan
from ..text.marks import isolated, named
from ..text.percent import percent
from .static_files import policy
from .theme import colours_of

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --quiet: #57606a; --back: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --quiet: #9aa4ae; --back: #0e1117; } }
body { margin: 2rem auto; max-width: 46rem; padding: 0 1rem; color: var(--ink);
  background: var(--back); font: 1.15rem/2 system-ui, sans-serif; }
h1 { font-size: 1.25rem; line-height: 1.4; }
p.text { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
.off { display: inline-block; height: 1.15em; vertical-align: -0.2em; border-radius: 0.15em;
  background: var(--ink); border-bottom: 0.2em solid var(--tone, var(--ink)); }
table { border-collapse: collapse; font-size: 0.95rem; line-height: 1.5; width: 100%; }
th, td { text-align: start; padding: 0.2rem 0.8rem 0.2rem 0; vertical-align: top; }
th { color: var(--quiet); font-weight: 500; }
.dot { display: inline-block; width: 0.7em; height: 0.7em; border-radius: 0.15em;
  background: var(--tone, var(--ink)); margin-inline-end: 0.4em; }
footer { color: var(--quiet); font-size: 0.85rem; line-height: 1.5; }
"""


def strip_page(mask: Mask, title: str) -> str:
    """Return the page as text; title and text are escaped, nothing is fetched.

    >>> "Ann" in strip_page(Mask("Ann left", (MaskSpan(0, 3, "a name"),)), "One name")
    False
    """
    tones = colours_of({s.label for s in mask.spans if s.label})
    how = (
        f"{mask.strategy}, seed {mask.seed}, {percent(mask.realised_ratio, 1)} of the words hidden"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy()}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f'<h1>{isolated(escape(title))}</h1><p class="text" dir="auto">{_text(mask, tones)}</p>'
        f"{_legend(mask, tones)}<footer>{escape(how)}. Made with maskviz.</footer></body></html>"
    )


def escape(text: str) -> str:
    """Return text that HTML shows as it is; marks of direction by name."""
    return _html(named(text))


def _text(mask: Mask, tones: dict[str, str]) -> str:
    pieces, end = [], 0
    for span in mask.spans:
        pieces += [escape(mask.text[end : span.start]), _blocks(mask, span, tones)]
        end = span.end
    return "".join([*pieces, escape(mask.text[end:])])


def _blocks(mask: Mask, span: MaskSpan, tones: dict[str, str]) -> str:
    """Return one block for each run of characters without white space between."""
    said = escape(f"hidden: {span.reason}" if span.reason else "hidden")
    tone = f"--tone:{tones[span.label]};" if span.label in tones else ""
    return " ".join(
        f'<span class="off" role="img" aria-label="{said}" title="{said}" '
        f'style="{tone}width:{0.6 * len(piece):.1f}em"></span>'
        for piece in mask.text[span.start : span.end].split()
    )


def _legend(mask: Mask, tones: dict[str, str]) -> str:
    counts: dict[tuple[str, str], int] = {}
    for span in mask.spans:
        counts[span.label, span.reason] = counts.get((span.label, span.reason), 0) + 1
    if not counts:
        return ""
    rows = "".join(
        f'<tr><td><span class="dot" style="{f"--tone:{tones[label]}" if label in tones else ""}">'
        f"</span>{escape(label)}</td><td>{escape(reason)}</td><td>{count}</td></tr>"
        for (label, reason), count in counts.items()
    )
    return f"<table><tr><th>Kind</th><th>Why</th><th>Places</th></tr>{rows}</table>"
