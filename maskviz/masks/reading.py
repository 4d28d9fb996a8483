"""Masks read back from JSON, checked value by value: a file is never trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from ..errors import MaskError
from ..text.languages import LANGUAGES
from ..text.words import check_unicode, mended
from .spans import MaskSpan

_NEXT = "save a mask from the Mask page or with 'maskviz mask … --json' and load that file."


def mask_values(document: str | bytes) -> dict[str, Any]:
    """Return what a JSON document says of a mask, by the names of `Mask`'s fields.

    Raises MaskError for what is no mask, TextError where its text is not valid Unicode.
    """
    data = json_object(document, "mask", _NEXT)
    own = data.get("text")
    if not isinstance(own, str):
        raise MaskError(f"The mask has no 'text': {_NEXT}")
    check_unicode(own)
    data = mended(data)
    stamp = sha256(own.encode()).hexdigest()
    if data.get("text_sha256", stamp) != stamp:
        raise MaskError(f"The mask's text was changed after it was saved: {_NEXT}")
    return {
        "text": own,
        "spans": tuple(_span(item) for item in json_list(data, "spans", "mask", _NEXT)),
        "strategy": str(data.get("strategy", "manual")),
        "parameters": data["parameters"] if isinstance(data.get("parameters"), dict) else {},
        "seed": data["seed"] if isinstance(data.get("seed"), int) else 0,
        "requested_ratio": _number(data.get("requested_ratio")),
        "spoken": _language(data.get("language")),
    }


def json_object(document: str | bytes, kind: str, then: str) -> dict[str, Any]:
    """Return the object that a JSON document holds.

    kind: what it is to be, such as `mask`; then: the next step. Raises MaskError, with both.
    """
    try:
        data = json.loads(document)
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise MaskError(f"The file is not JSON: {then}") from None
    if not isinstance(data, dict):
        raise MaskError(f"The JSON holds a {type(data).__name__}, not a {kind}: {then}")
    return data


def json_list(data: Mapping[str, Any], key: str, kind: str, then: str) -> list[Any]:
    """Return the list under a key. Raises MaskError, as `json_object` does, where there is none."""
    if not isinstance(data.get(key), list):
        raise MaskError(f"The {kind} has no list {key!r}: {then}")
    found: list[Any] = data[key]
    return found


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


def _language(value: Any) -> str:
    return value if isinstance(value, str) and value in LANGUAGES else ""


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e300 else None
