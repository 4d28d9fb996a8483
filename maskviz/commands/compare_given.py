"""What is given to compare on the command line, read."""

from __future__ import annotations

from typing import Any

from ..errors import ParameterError
from . import common


def usual(model: str) -> str:
    """Return the operator that suits a model."""
    from ..masks.operators import usual_operator
    from ..models import load_model

    return usual_operator(load_model(model))


def named(written: str) -> list[str]:
    """Return what a list with commas names."""
    return [item.strip() for item in written.split(",") if item.strip()]


def chosen_operators(written: str, sensitivity: bool) -> list[str]:
    """Return the operators that are named, and with `sensitivity` the five beside them."""
    from ..errors import UnknownNameError
    from ..evidence.text.compare import OPERATORS as FIVE
    from ..masks import OPERATORS

    asked = named(written)
    for name in asked:
        if name not in OPERATORS:
            raise UnknownNameError.of("operator", name, OPERATORS)
    if not asked:
        raise ParameterError(f"No operator is named: choose one of {', '.join(OPERATORS)}.")
    return list(dict.fromkeys([*asked, *(FIVE if sensitivity else ())]))


def given_map(written: str, label_column: str | None) -> dict[str, str | None] | None:
    """Return which labels those of the file stand for, None where nothing is said."""
    from ..data.label_map import read_label_map

    if written and label_column is None:
        raise ParameterError("--label-map needs --label-column: name the column it reads.")
    return read_label_map(written) if written else None


def parameters_of(strategies: str, options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give each strategy of `a,b,c` those options that it takes; an expression stands alone."""
    from ..masks import STRATEGIES
    from ..masks.expression import is_expression

    if is_expression(strategies):
        return {strategies: common.parameters_for(strategies, **options)}
    asked = named(strategies)
    taken = {name: common.options_of(STRATEGIES[name]) for name in asked}
    for option, value in options.items():
        if value and option != "pipeline" and not any(option in t for t in taken.values()):
            raise ParameterError(f"None of {', '.join(asked)} takes --{option}: leave it out.")
    return {
        name: common.parameters_for(name, **{k: v for k, v in options.items() if k in taken[name]})
        | ({"pipeline": options["pipeline"]} if options["pipeline"] else {})
        for name in asked
    }
