"""A question put to a network whose units are masked: every kind of evidence works on it then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

from ..errors import ParameterError
from ..models.checks import CHECKS, finding
from ..readings.batches import Ids, Read
from ..readings.question import Question, asked
from .anatomy import whole_layers_stay
from .operators import (
    BUT_BIAS,
    FROM,
    FROM_PLAIN,
    MEAN,
    Values,
    checked_operator,
    chosen_units,
    silencing,
    unit_means,
    value_biases,
)
from .units import UnitMask

# Found before anything is changed: what they find is of the network as it is.
_CHECKED = ("direction", "padding", "out of sight", "shared beginnings")


def values_for(
    question: Question, mask: UnitMask, operator: str, rows: Sequence[Read] = ()
) -> Values | None:
    """Return what stands in the place of each unit of the layers of a mask; None is zero.

    rows: the texts that a mean is over. Raises ParameterError where a mean has none.
    """
    keys = list(chosen_units(mask))
    if checked_operator(operator) == MEAN:
        return unit_means(question, mask.anatomy, keys, rows)
    if operator == BUT_BIAS:
        read = question.model.tokenise("a")
        whole = Ids(read.input_ids, (1,) * len(read.input_ids))
        return value_biases(question.model, mask.anatomy.heads, keys, [whole])
    if operator in (FROM, FROM_PLAIN):
        raise ParameterError(
            f"The unit operator {operator} takes the values of one masked text: it is for one "
            "text alone; choose mean or zero here."
        )
    return None


def under(
    question: Question, mask: UnitMask, operator: str = MEAN, rows: Sequence[Read] = ()
) -> Question:
    """Return the question as the network answers it with some of its units masked.

    It takes the place of the question in every kind of evidence. rows: what a mean is over. Raises
    ParameterError for every head of a layer, CapabilityError where units cannot be changed.

    >>> from maskviz import load_model
    >>> from maskviz.inside.anatomy import anatomy_of
    >>> whole = asked("mini"); of = anatomy_of(whole.model)
    >>> under(whole, UnitMask(of, of.read("1.1")), "zero").outputs
    ('negative', 'positive')
    """
    whole_layers_stay(mask)
    if not mask.units:
        return question
    values = values_for(question, mask, operator, rows)
    network = question.network
    return question_around(question, lambda: silencing(network, mask, values))


def question_around(
    question: Question, block: Callable[[], AbstractContextManager[Any]]
) -> Question:
    """Return a question each of whose passes runs in a block that changes the network.

    What is remembered of its answers is its own.
    """
    bare = question.model.bare
    for name in _CHECKED:
        if CHECKS[name].applies(bare):
            finding(bare, name)
    changed = replace(bare, memos={}, around=_once(block), original=bare.original or bare)
    return asked(changed, _spec(question))


def _spec(question: Question) -> Any:
    return {"name": question.name, **dict(question.parameters)}


def _once(
    block: Callable[[], AbstractContextManager[Any]],
) -> Callable[[], AbstractContextManager[Any]]:
    """Return the block so that it is entered once where passes are held within passes."""
    depth = 0

    @contextmanager
    def around() -> Iterator[None]:
        nonlocal depth
        depth += 1
        try:
            if depth > 1:
                yield
                return
            with block():
                yield
        finally:
            depth -= 1

    return around
