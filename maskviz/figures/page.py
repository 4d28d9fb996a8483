"""Attention as one HTML file that works offline: the page's own mosaic and large head."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from string import Template

import numpy as np

from ..attention.finding import clearest, finding
from ..attention.view import View, notes
from ..errors import ParameterError
from ..text.listed import listed
from ..text.marks import isolated, named
from .canvas import axes_header, largest, mosaic_header, pack, to_words, unit_of
from .static_files import policy, read_static

LARGEST = 50_000_000  # bytes of cells; a browser opens such a file within a few seconds


def attention_page(
    shown: View | Mapping[str, View],
    title: str,
    selected: tuple[int, int] | None = None,
    first: str = "",
) -> str:
    """Return the page as text. Raises ParameterError beyond 50 MB.

    shown: one view, or several by name, between which the page switches; it opens at `first`. Of
    several that are too large together those that do not fit are left out, and the page says so.

    Weights and tokens travel in base64, the title is escaped: no text of the user's is ever read
    as markup, not even `</script>`.
    """
    views = {"": shown} if isinstance(shown, View) else dict(shown)
    opened = views[first or next(iter(views))]
    fits, left_out = _fitting(views, opened)
    script = _script()
    return Template(read_static("export.html")).substitute(
        title=html.escape(named(title)),
        sentence=html.escape(_sentence(opened), quote=False),
        style=_style(),
        mosaic=read_static("attention_mosaic.html"),
        head=read_static("attention_head.html"),
        messages="\n".join(
            _embedded(name, own, title, selected, own is opened) for name, own in fits.items()
        ),
        left_out=_too_large(left_out),
        script=script,
        policy=policy(script),
    )


def _fitting(views: Mapping[str, View], opened: View) -> tuple[dict[str, View], list[str]]:
    """Return the views that fit beside the one that is opened, and the names of the others."""
    room = LARGEST - _bytes(opened)
    if room < 0:
        raise ParameterError(
            f"The page would hold {_bytes(opened) / 1e6:.0f} MB of attention, more than "
            f"{LARGEST / 1e6:.0f} MB: write .npz, or shorten the text of {len(opened):,} tokens."
        )
    kept = set()
    for name, one in views.items():
        if one is opened or _bytes(one) <= room:
            kept.add(name)
            room -= 0 if one is opened else _bytes(one)
    return {n: v for n, v in views.items() if n in kept}, [n for n in views if n not in kept]


def _bytes(shown: View) -> int:
    return 2 * shown.weights.size


def _too_large(left_out: Sequence[str]) -> str:
    if not left_out:
        return ""
    names = html.escape(listed([f"“{name}”" for name in left_out]))
    return f"<p>Left out, since the page would be too large: {names}.</p>"


def _sentence(shown: View) -> str:
    return isolated(named(finding(shown, notes(shown, masked=any(shown.hidden)))))


def _embedded(
    name: str, shown: View, title: str, selected: tuple[int, int] | None, opened: bool
) -> str:
    """Return a view as an element that no browser reads as markup or runs."""
    message = base64.b64encode(_message(name, shown, title, selected)).decode()
    return (
        f'<script type="application/octet-stream" class="message" data-opened="{opened:d}">'
        f"{message}</script>"
    )


def _message(name: str, shown: View, title: str, selected: tuple[int, int] | None) -> bytes:
    roles = notes(shown, masked=any(shown.hidden))
    scale = largest(shown.weights)
    titles = [f"L{shown.number(layer) + 1}" for layer in range(len(shown.weights))]
    label = f"{title}, {name}" if name else title
    header = {
        **mosaic_header(shown.weights, roles, selected or clearest(roles), titles, "model", label),
        **axes_header(
            *(shown.tokens, shown.hidden, shown.special, shown.absent),
            shown.drawn_keys,
            shown.segments,
            shown.parts,
        ),
        "merged": shown.method != "raw",
        "unit": unit_of(shown),
        "peak": scale,
        "name": name,
        "sentence": _sentence(shown),
    }
    cells = np.stack([to_words(w, scale, shown.signed) for w in shown.drawn(shown.weights)])
    return pack(header, cells, signed=shown.signed)


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
