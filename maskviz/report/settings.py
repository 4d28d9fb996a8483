"""A report's settings in words that no program is needed to read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..masks.mask import Mask
from ..masks.registry import STRATEGIES

_HEAD = re.compile(r"[,;]| such as")  # behind it a parameter's help says how it is written


def named_parameters(mask: Mask) -> dict[str, Any]:
    """Return a mask's parameters, by what they are where its strategy says so.

    >>> named_parameters(Mask("One. Two.", strategy="sentence", parameters={"indices": (2,)}))
    {'sentences by number': (2,)}
    """
    known = mask.strategy in STRATEGIES  # else an expression of several
    own = {p.name: p.help for p in STRATEGIES[mask.strategy].parameters} if known else {}
    named = {name: _HEAD.split(said)[0].removeprefix("or ") for name, said in own.items()}
    return {named.get(name, name): value for name, value in mask.parameters.items()}


def in_a_cell(value: Any) -> str:
    """Return a setting without a program's quotes, brackets and braces.

    >>> in_a_cell({"sentences by number": (2, 5), "edited": True})
    'sentences by number: 2, 5; edited: yes'
    """
    if isinstance(value, Mapping):
        if "messages" in value:
            turns = len(value["messages"])
            return f"{turns:,} turn{'s' * (turns != 1)}, as above"
        return "; ".join(f"{name}: {in_a_cell(own)}" for name, own in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(in_a_cell, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
