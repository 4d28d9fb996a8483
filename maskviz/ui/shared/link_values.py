"""What the values of a link say, read one by one: a link is never trusted.

A reader raises ValueError for what it cannot read; the value is left at its default then.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from maskviz.errors import MaskvizError
from maskviz.masks import OPERATORS, STRATEGIES, Choice, Mask, MaskSpan
from maskviz.masks.choose import checked_ratio, checked_seed
from maskviz.text.conversation import read_conversation
from maskviz.text.languages import checked_language
from maskviz.text.pipelines import pipeline_names
from maskviz.ui.shared.talk import Talk, of_value

SEEDS = 2**31 - 1  # the largest seed a page takes
SIGNS = {
    "beside": "Shown under the first; your mask stays as it is.",
    "or": "Hides what either of the two chooses.",
    "and": "Hides what both choose.",
    "minus": "Hides what the first chooses and the second does not.",
}


def _seed(written: str) -> int:
    seed = checked_seed(int(written))
    if seed > SEEDS:
        raise ValueError
    return seed


def _operator(name: str) -> str:
    if name not in OPERATORS:
        raise ValueError
    return name


def _sign(name: str) -> str:
    if name not in SIGNS:
        raise ValueError
    return name


def _second(document: str) -> Choice:
    return _choice(json.loads(document))


def _choice(given: Any) -> Choice:
    if not isinstance(given, dict) or given.get("strategy") not in STRATEGIES:
        raise ValueError
    return Choice(
        given["strategy"],
        checked_ratio(given.get("ratio")),
        _seed(str(given.get("seed", 0))),
        _parameters(json.dumps(given.get("parameters", {}))),
    )


def _unit(name: str) -> str:
    if name not in ("words", "tokens"):
        raise ValueError
    return name


def _question(document: str) -> dict[str, Any]:
    try:
        return _asked(document)
    except MaskvizError as error:
        raise ValueError from error


def _asked(document: str) -> dict[str, Any]:
    from maskviz.readings.question import QUESTIONS

    given = json.loads(document)
    if not isinstance(given, dict) or given.get("name") not in tuple(QUESTIONS):
        raise ValueError
    defaults = QUESTIONS[given["name"]].defaults
    if "conversation" in given:
        read_conversation(given["conversation"])
    return {
        k: v for k, v in given.items() if k in ("name", "conversation") or _like(v, defaults.get(k))
    }


def _like(value: Any, default: Any) -> bool:
    """Tell whether a value of a link is of the kind that a question's parameter is."""
    if isinstance(default, tuple):
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if isinstance(default, str):
        return isinstance(value, str)
    return type(value) in (int, float) and type(default) in (int, float)


def _parameters(document: str) -> dict[str, Any]:
    parameters = json.loads(document)
    if not isinstance(parameters, dict):
        raise ValueError
    parameters.pop("data", None)  # a link does not open the server's files
    if parameters.get("pipeline") not in (None, *pipeline_names()):
        del parameters["pipeline"]
    return parameters


def _chat(document: str) -> Talk:
    try:
        return of_value(json.loads(document), _choice, _operator)
    except (MaskvizError, TypeError, AttributeError) as error:
        raise ValueError from error


def _language(written: str) -> str:
    try:
        return checked_language(written)
    except MaskvizError as error:
        raise ValueError from error


def spans_in_link(saved: str) -> str:
    """Return the spans of a mask that is kept as JSON, as `masked_in_link` reads them."""
    spans = json.loads(saved)["spans"]
    return json.dumps([[s["start"], s["end"], s["reason"], s.get("label")] for s in spans])


def masked_in_link(document: str, text: str) -> Mask:
    """Return the mask whose spans a link holds. Raises ValueError where they are not this text's.

    >>> masked_in_link('[[0, 3, "by hand", null]]', "Ann left").masked_text()
    '[MASK] left'
    """
    given = json.loads(document)
    try:
        spans = [
            MaskSpan(int(a), int(b), str(why), None, name and str(name))
            for a, b, why, name in given
        ]
        return Mask(text, tuple(spans))
    except (MaskvizError, TypeError) as error:
        raise ValueError from error


READERS: dict[str, Callable[[str], Any]] = {
    "ratio": lambda v: checked_ratio(float(v)),
    "seed": _seed,
    "operator": _operator,
    "second": _second,
    "sign": _sign,
    "language": _language,
    "complement": lambda v: v == "1",
    "unit": _unit,
    "parameters": _parameters,
    "question": _question,
    "chat": _chat,
    "hidden": lambda v: tuple(int(i) for i in v.split(".") if i),
}
