"""What the pages offer with a model: nothing that it cannot do, and one sentence on what differs.

Read from the model's files, so that the page is painted before anything is loaded. Where a model
cannot be told from its files, everything is offered and loading it says what is wrong.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from maskviz.errors import MaskvizError
from maskviz.masks import OPERATORS, Choice
from maskviz.masks.expression import strategies_in
from maskviz.masks.registry import Parameter, Strategy
from maskviz.models.abilities import Abilities, abilities
from maskviz.models.locate import public_name

HIDDEN_ANYHOW = "delete"  # the operator that needs nothing of a model
COUNTED = "tfidf"  # how `key` decides without a classifier


def operators(model: str) -> list[str]:
    """Return the operators that a model allows."""
    can = abilities(model)
    lacking = {"mask": not can.mask, "corrupt": not can.mask, "infill": not can.infill}
    return [name for name in OPERATORS if not lacking.get(name, False)]


def operator(model: str, chosen: str) -> str:
    """Return the operator that was chosen, or the one that stands in for it."""
    return chosen if chosen in operators(model) else HIDDEN_ANYHOW


def choice(model: str, chosen: Choice) -> Choice:
    """Return a strategy that asks the model for no more than it can answer."""
    can, given = abilities(model), dict(chosen.parameters)
    named = _strategies(chosen.strategy)
    if "key" in named and not can.classify and given.get("by", "model") == "model":
        given["by"] = COUNTED
    if "noise" in named and not can.fill and given.get("surprisal", 6.0) > 0:
        given["surprisal"] = 0.0
    return chosen if given == dict(chosen.parameters) else replace(chosen, parameters=given)


def _strategies(written: str) -> list[str]:
    """Return the strategies that a name or an expression names; none where it cannot be read."""
    with suppress(MaskvizError):
        return strategies_in(written)
    return []


def parameters(model: str, entry: Strategy) -> tuple[Parameter, ...]:
    """Return what a page asks for of a strategy."""
    can = abilities(model)
    return tuple(
        fitting
        for one in entry.parameters
        if (fitting := _fitting(entry.name, one, can)) is not None
    )


def _fitting(strategy: str, one: Parameter, can: Abilities) -> Parameter | None:
    if (strategy, one.name) == ("key", "by") and not can.classify:
        ways = tuple(way for way in one.choices if way != "model")
        return replace(one, choices=ways, default=COUNTED)
    if (strategy, one.name) == ("noise", "surprisal") and not can.fill:
        return None
    return one


def said(model: str, given: str, choices: list[Choice]) -> list[str]:
    """Return a sentence where a model does otherwise than was chosen.

    given: the operator that was chosen; choices: the strategies.
    """
    name, parts = public_name(model), []
    changed = [one for one in choices if choice(model, one) != one]
    asked = [name for one in changed for name in _strategies(one.strategy)]
    can = abilities(model)
    if "key" in asked and not can.classify:
        parts.append("cannot classify, so key goes by the words' tf-idf")
    if "noise" in asked and not can.fill:
        parts.append("guesses no words, so noise goes by frequencies alone")
    if operator(model, given) != given:
        lacks = "puts in no words" if given == "infill" else "has learned no mask token"
        parts.append(f"{lacks}, so hidden words are left out")
    return [f"{name} {'; it '.join(parts)}."] if parts else []


def no_answer(model: str) -> str:
    """Say what to do where a model has no answer to compare."""
    return (
        f"{public_name(model)} gives neither labels nor words, so there is no answer to compare: "
        "choose a model that does, such as mini, or fine-tune this one."
    )
