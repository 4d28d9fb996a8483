"""Masks read back from JSON, checked value by value: a file is never trusted."""

from __future__ import annotations

import json
from typing import Any

from ..errors import MaskError
from ..text.words import check_unicode, mended
from .mask import Mask, MaskSpan

_NEXT = "save a mask from the Mask page or with 'maskviz mask … --json' and load that file."


def mask_from_json(document: str | bytes, text: str | None = None) -> Mask:
    """Return the mask a JSON document holds; with `text`, refuse another text's mask.

    Raises MaskError for what is no mask, TextError where its text is not valid Unicode.
    """
    data = _object(document)
    own = data.get("text")
    if not isinstance(own, str):
        raise MaskError(f"The mask has no 'text': {_NEXT}")
    check_unicode(own)
    data = mended(data)
    mask = Mask(
        own,
        tuple(_span(item) for item in _list(data, "spans")),
        strategy=str(data.get("strategy", "manual")),
        parameters=data["parameters"] if isinstance(data.get("parameters"), dict) else {},
        seed=data["seed"] if isinstance(data.get("seed"), int) else 0,
        requested_ratio=_number(data.get("requested_ratio")),
    )
    if data.get("text_sha256", mask.text_hash) != mask.text_hash:
        raise MaskError(f"The mask's text was changed after it was saved: {_NEXT}")
    if text is not None and text != own:
        raise MaskError(
            f"The mask belongs to another text, which begins {own[:40]!r}: "
            "load that text first, or choose a mask of this one."
        )
    return mask


def _object(document: str | bytes) -> dict[str, Any]:
    try:
        data = json.loads(document)
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise MaskError(f"The file is not JSON: {_NEXT}") from None
    if not isinstance(data, dict):
        raise MaskError(f"The JSON holds a {type(data).__name__}, not a mask: {_NEXT}")
    return data


def _list(data: dict[str, Any], key: str) -> list[Any]:
    if not isinstance(data.get(key), list):
        raise MaskError(f"The mask has no list {key!r}: {_NEXT}")
    return data[key]


def _span(item: Any) -> MaskSpan:
    if not isinstance(item, dict) or any(type(item.get(k)) is not int for k in ("start", "end")):
        raise MaskError(f"A span needs whole numbers 'start' and 'end', not {item!r:.60}: {_NEXT}")
    return MaskSpan(
        item["start"],
        item["end"],
        reason=str(item.get("reason") or ""),
        score=_number(item.get("score")),
        label=str(item.get("label") or ""),
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e300 else None
