"""One binary message: a small header, the colour ramps, then the cells.

Layout: u32 length of the header (little endian), the header as UTF-8 JSON, the ramp for a light
and for a dark page (768 bytes each), then the cells in C order. Streamlit turns bytes inside a
dictionary into text, so the whole message is bare bytes.
"""

import json
import struct
from typing import Any

import numpy as np

from maskviz.figures.ramps import ramp


def pack(header: dict[str, Any], cells: np.ndarray, *, signed: bool) -> bytes:
    """Return header, ramps and cells as one message.

    >>> len(pack({}, np.zeros((2, 2), np.uint8), signed=False)) - 4 - 2 - 2 * 768
    4
    """
    head = json.dumps({**header, "signed": signed}, ensure_ascii=False).encode()
    ramps = ramp(signed, "light").tobytes() + ramp(signed, "dark").tobytes()
    return struct.pack("<I", len(head)) + head + ramps + cells.tobytes()


def largest(weights: np.ndarray) -> float:
    """Return the largest finite absolute weight, or 0 where there is none."""
    finite = np.abs(weights[np.isfinite(weights)]) if weights.size else weights
    return float(finite.max()) if finite.size else 0.0
