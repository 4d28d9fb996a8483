"""Attention as one binary message for a browser canvas, on a page or in an exported file.

Layout: u32 length of the header (little endian), the header as UTF-8 JSON, the ramp for a light
and for a dark page (768 bytes each), then the cells in C order. Streamlit turns bytes inside a
dictionary into text, so a message is bare bytes. The HTML, CSS and JavaScript that draw it lie in
`static/`.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ..attention.roles import HeadChange, HeadRole
from ..attention.view import Axis, View
from .ramps import quantise, ramp

Scale = Literal["head", "model"]  # whose largest weight has the full colour


def pack(header: dict[str, Any], cells: np.ndarray, *, signed: bool) -> bytes:
    """Return header, ramps and cells as one message.

    >>> len(pack({}, np.zeros((2, 2), np.uint8), signed=False)) - len('{"signed": false}')
    1544
    """
    head = json.dumps({**header, "signed": signed}, ensure_ascii=False).encode()
    ramps = ramp(signed, "light").tobytes() + ramp(signed, "dark").tobytes()
    return struct.pack("<I", len(head)) + head + ramps + cells.tobytes()


def mosaic_message(
    weights: np.ndarray,
    *,
    signed: bool = False,
    roles: Sequence[Sequence[HeadRole | HeadChange]] | None = None,
    selected: tuple[int, int] | None = None,
    titles: Sequence[str] | None = None,
    scale: Scale = "model",
    label: str = "All heads",
    merged: bool = False,
    unit: str | None = None,
    mirrored: bool = False,
) -> bytes:
    """Return (layers, heads, queries, keys) weights as a message of one byte per cell.

    signed: differences in [-1, 1]. roles[layer][head] goes under each map, `titles` names the
    rows (default L1, L2, …), `selected` is a head (layer, head). scale: with "model" all heads
    share one ramp, so that broad heads stay pale beside sharp ones; with "head" each has the ramp
    up to its own largest weight. merged: the maps are of whole layers, so that no head is named.
    unit: what is drawn, where it is not a share of attention. mirrored: keys run from the right.
    """
    header = mosaic_header(weights, roles, selected, titles, scale, label)
    header |= {"merged": merged, "unit": unit}
    peaks = np.array(header["peaks"], dtype=np.float32)[..., None, None]
    cells = quantise(weights, signed=signed, scale=peaks if scale == "head" else peaks.max())
    cells = cells[..., ::-1] if mirrored else cells
    return pack(header, cells, signed=signed)


def mosaic_header(
    weights: np.ndarray,
    roles: Sequence[Sequence[HeadRole | HeadChange]] | None,
    selected: tuple[int, int] | None,
    titles: Sequence[str] | None,
    scale: str,
    label: str,
) -> dict[str, Any]:
    """Return all that a mosaic needs besides its cells."""
    layers, heads, rows, cols = weights.shape
    return {
        "layers": layers,
        "heads": heads,
        "rows": rows,
        "cols": cols,
        "label": label,
        "scale": scale,
        "selected": list(selected) if selected else None,
        "titles": list(titles or (f"L{layer + 1}" for layer in range(layers))),
        "peaks": [[round(largest(head), 5) for head in layer] for layer in weights],
        "roles": [
            [[role.name, role.short, round(role.share, 4), role.sentence] for role in layer]
            for layer in roles or ()
        ],
    }


def head_message(
    weights: np.ndarray,
    tokens: Sequence[str],
    *,
    signed: bool = False,
    hidden: Sequence[bool] = (),
    special: Sequence[bool] = (),
    absent: Sequence[bool] = (),
    keys: Axis | Sequence[str] | None = None,
    segments: Sequence[int] = (),
    parts: Sequence[str] = (),
    query_title: str = "attends from (query)",
    unit: str | None = None,
    label: str = "Attention of one head",
) -> bytes:
    """Return one head's (queries, keys) weights as a message of 16 bits per cell.

    `tokens` name the rows (queries), `keys` the columns where they differ. Parts, by `segments`,
    are set apart by lines and named by `parts`, those of a pair by letters. `hidden` tokens are
    drawn as ink, `special` ones grey; an `absent` query has no row in the masked text.
    """
    scale = largest(weights)
    header = {
        **axes_header(tokens, hidden, special, absent, keys, segments, parts),
        "rows": len(tokens),
        "cols": weights.shape[1],
        "scale": scale,
        "queryTitle": query_title,
        "unit": unit,
        "label": label,
    }
    return pack(header, to_words(weights, scale, signed), signed=signed)


def axes_header(
    tokens: Sequence[str],
    hidden: Sequence[bool],
    special: Sequence[bool],
    absent: Sequence[bool],
    keys: Axis | Sequence[str] | None,
    segments: Sequence[int],
    parts: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the names and marks of both axes; columns without their own have those of the rows."""
    header: dict[str, Any] = {
        "tokens": list(tokens),
        "keys": list(tokens),
        "hidden": marked(hidden),
        "special": marked(special),
        "absent": marked(absent),
        "blocks": blocks(segments, parts),
        "keyBlocks": blocks(segments, parts),
    }
    if isinstance(keys, Axis):
        header |= {
            "keys": list(keys.tokens),
            "hiddenKeys": marked(keys.hidden),
            "specialKeys": marked(keys.special),
            "keyBlocks": blocks(keys.segments, keys.parts),
            "mirrored": keys.backwards,
        }
    elif keys is not None:
        header |= {"keys": list(keys), "hiddenKeys": [], "specialKeys": [], "keyBlocks": []}
    return header


_UNITS = {
    "flow": "Maximum flow, in percent of what a token sends.",
    "relevance": "Gradient × attention, in hundredths.",
    "norm": "Share of the length of what is brought, in percent.",
}


def unit_of(shown: View) -> str | None:
    """Return what a method's maps measure, None for shares of attention.

    >>> _UNITS["flow"]
    'Maximum flow, in percent of what a token sends.'
    """
    unit = _UNITS.get(shown.method)
    return unit and (f"Masked − plain. {unit}" if shown.signed else unit)


def blocks(segments: Sequence[int], parts: Sequence[str] = ()) -> list[list[Any]]:
    """Return [start, end, name] of each run of a part; nothing for a text of one part.

    Parts without a name have letters, as those of a pair.

    >>> blocks([0, 0, 1]), blocks([2, 0, 2, 1], ["1 user", "2 assistant", ""])[1]
    ([[0, 2, 'A'], [2, 3, 'B']], [1, 2, '1 user'])
    """
    starts = [i for i, part in enumerate(segments) if i == 0 or part != segments[i - 1]]
    if len(starts) < 2:
        return []
    ends = [*starts[1:], len(segments)]
    return [
        [start, end, parts[segments[start]] if parts else chr(ord("A") + n % 26)]
        for n, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]


def to_words(weights: np.ndarray, scale: float, signed: bool) -> np.ndarray:
    """Turn weights into 16 bits each, linear: 0..65535 for 0..scale, or ±32767 for ±scale.

    >>> to_words(np.array([[0.5, 1.0]]), 1.0, False).tolist()
    [[32768, 65535]]
    """
    values = np.nan_to_num(np.asarray(weights, dtype=np.float32)) / (scale or 1.0)
    if signed:
        return np.rint(np.clip(values, -1, 1) * 32767).astype("<i2")
    return np.rint(np.clip(values, 0, 1) * 65535).astype("<u2")


def marked(flags: Sequence[bool]) -> list[int]:
    """Return where the flags are set.

    >>> marked([False, True])
    [1]
    """
    return [i for i, flag in enumerate(flags) if flag]


def largest(weights: np.ndarray) -> float:
    """Return the largest finite absolute weight, or 0 where there is none."""
    finite = np.abs(weights[np.isfinite(weights)])
    return float(finite.max()) if finite.size else 0.0
