"""Attention as one HTML file that works offline: the page's own mosaic and large head."""

from __future__ import annotations

import base64
import html
from string import Template

import numpy as np

from ..attention.finding import clearest, finding
from ..attention.view import View, notes
from ..errors import ParameterError
from ..text.marks import isolated, named
from .canvas import axes_header, largest, mosaic_header, pack, to_words, unit_of
from .static_files import policy, read_static

LARGEST = 50_000_000  # bytes of cells; a browser opens such a file within a few seconds


def attention_page(shown: View, title: str, selected: tuple[int, int] | None = None) -> str:
    """Return the page as text. Raises ParameterError beyond 50 MB.

    Weights and tokens travel in base64, the title is escaped: no text of the user's is ever read
    as markup, not even `</script>`.
    """
    if 2 * shown.weights.size > LARGEST:
        raise ParameterError(
            f"The page would hold {2 * shown.weights.size / 1e6:.0f} MB of attention, more than "
            f"{LARGEST / 1e6:.0f} MB: write .npz, or shorten the text of {len(shown):,} tokens."
        )
    roles = notes(shown, masked=any(shown.hidden))
    sentence = finding(shown, roles)
    scale = largest(shown.weights)
    titles = [f"L{shown.number(layer) + 1}" for layer in range(len(shown.weights))]
    header = {
        **mosaic_header(shown.weights, roles, selected or clearest(roles), titles, "model", title),
        **axes_header(
            *(shown.tokens, shown.hidden, shown.special, shown.absent),
            shown.drawn_keys,
            shown.segments,
            shown.parts,
        ),
        "merged": shown.method != "raw",
        "unit": unit_of(shown),
        "peak": scale,
    }
    cells = np.stack([to_words(w, scale, shown.signed) for w in shown.drawn(shown.weights)])
    message = pack(header, cells, signed=shown.signed)
    script = _script()
    return Template(read_static("export.html")).substitute(
        title=html.escape(named(title)),
        sentence=isolated(html.escape(named(sentence))),
        style=_style(),
        mosaic=read_static("attention_mosaic.html"),
        head=read_static("attention_head.html"),
        message=base64.b64encode(message).decode(),
        script=script,
        policy=policy(script),
    )


def _style() -> str:
    names = ("export", "common", "attention", "attention_mosaic", "attention_head")
    return "".join(read_static(f"{name}.css") for name in names)


def _script() -> str:
    """Join the modules; each one's default export becomes a function of its own."""
    start = "export default function"
    mosaic = read_static("attention_mosaic.js").replace(start, "function mountMosaic")
    head = read_static("attention_head.js").replace(start, "function mountHead")
    shared = read_static("marks.js") + read_static("common.js")
    return shared + mosaic + head + read_static("export.js")
