"""Which questions a model can be asked."""

from __future__ import annotations

import inspect

from ...errors import CapabilityError
from ...models.model import Model
from ..question import QUESTIONS, Kind
from .scoring import usual_question

_FIRST = ("labels", "choices", "next", "answer")  # in this order; then those of others


def askable(model: Model) -> tuple[str, ...]:
    """Return the questions that a model can be asked without more than their own defaults.

    >>> from maskviz import load_model
    >>> askable(load_model("mini"))
    ('labels', 'choices')
    """
    names = sorted(
        QUESTIONS, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST)
    )
    return tuple(name for name in names if _fits(QUESTIONS[name], model))


def opening_question(model: Model) -> str:
    """Return the question that a page opens with: the usual one, else the first it can be asked.

    Raises CapabilityError where there is none.
    """
    names, usual = askable(model), usual_question(model)
    if not names:
        raise CapabilityError(
            f"The model {model.name!r} ({model.family}) answers no question: choose a classifier "
            "or a language model."
        )
    return usual if usual in names else names[0]


def _fits(kind: Kind, model: Model) -> bool:
    if inspect.Parameter.empty in kind.defaults.values():
        return False
    try:
        return kind.capability_of(model) in model.capabilities
    except CapabilityError:
        return False
