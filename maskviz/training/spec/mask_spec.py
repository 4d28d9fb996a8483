"""MaskingSpec: what is hidden in training, checked when made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import ParameterError, UnknownNameError
from ...masks import JOINS, MATRICES, OPERATORS, STRATEGIES, Choice
from ...masks.choose import checked_ratio, checked_seed
from ...masks.expression import check, is_expression, strategies_in

NO_STRATEGY = "none"


@dataclass(frozen=True)
class MaskingSpec:
    """What is hidden. `dynamic` draws the mask anew each epoch, otherwise once.

    `strategy` may be an expression; `second`, with a ratio and a seed of its own, joins it by
    `join` (or, and, minus); `complement` hides all else. `matrix` names an attention-mask matrix
    that acts inside self-attention, with or without a strategy.
    """

    strategy: str = "random"
    operator: str = "mask"
    ratio: float | None = None  # None = the strategy's own default
    dynamic: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)
    second: Choice | None = None
    join: str = "or"
    complement: bool = False
    matrix: str = ""
    matrix_parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checked_ratio(self.ratio)
        for name in ("parameters", "matrix_parameters"):
            if not isinstance(getattr(self, name), Mapping):
                raise ParameterError(f"{name} must be a table, such as {{types = ['PERSON']}}.")
        if self.active:
            _check_names(self)
        if self.matrix:
            _check_matrix(self)

    @property
    def active(self) -> bool:
        """Whether a strategy hides anything."""
        return self.strategy != NO_STRATEGY

    @property
    def changes(self) -> bool:
        """Whether the model reads anything else than the plain rows."""
        return self.active or bool(self.matrix)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The strategy, and the second where there is one; the first draws from the run's seed."""
        if not self.active:
            return ()
        first = Choice(self.strategy, self.ratio, 0, self.parameters)
        return (first,) if self.second is None else (first, self.second)

    @property
    def needs(self) -> frozenset[str]:
        """What the strategies run on, as `Strategy.needs`."""
        return frozenset().union(*(choice.needs for choice in self.choices))

    @property
    def named(self) -> str:
        """The strategies in words, such as `key minus entity`."""
        return self._words(choice.strategy for choice in self.choices)

    @property
    def chosen(self) -> str:
        """The strategies and their ratios in words, such as `key 20 % minus entity`."""
        return self._words(map(str, self.choices))

    def _words(self, choices: Iterable[str]) -> str:
        both = f" {self.join} ".join(choices) or NO_STRATEGY
        return f"all but {both}" if self.active and self.complement else both

    def __str__(self) -> str:
        hidden = f"{self.chosen}, {self.operator}" if self.active else "no mask"
        return f"{hidden}, matrix {self.matrix}" if self.matrix else hidden


def _check_names(masking: MaskingSpec) -> None:
    for choice in masking.choices:
        _check_choice(choice)
    if masking.join not in JOINS:
        raise UnknownNameError.of("way to join two strategies", masking.join, JOINS)
    if masking.operator not in OPERATORS:
        raise UnknownNameError.of("operator", masking.operator, OPERATORS)


def _check_choice(choice: Choice) -> None:
    checked_ratio(choice.ratio)
    checked_seed(choice.seed)
    combined = is_expression(choice.strategy)
    for name in strategies_in(choice.strategy):
        if name not in STRATEGIES:
            raise UnknownNameError.of("strategy", name, [NO_STRATEGY, *STRATEGIES])
        if STRATEGIES[name].kind == "manual":
            raise ParameterError(
                f"The strategy {name!r} needs a person for each text: choose another."
            )
    if combined:
        check(choice.strategy)
    known = [] if combined else [p.name for p in STRATEGIES[choice.strategy].parameters]
    if "pipeline" in choice.needs:  # any strategy that a pipeline reads for may name it
        known.append("pipeline")
    for name in choice.parameters:
        if name not in known:
            takes = ", ".join(known) or "no parameters"
            raise ParameterError(
                f"The strategy {choice.strategy!r} does not take {name!r}: it takes {takes}."
            )


def _check_matrix(masking: MaskingSpec) -> None:
    known = [name for name in MATRICES if name != "custom"]
    if masking.matrix == "custom":
        raise ParameterError(
            "The matrix 'custom' is made for one text and rows have many lengths: choose one of "
            f"{', '.join(known)}."
        )
    if masking.matrix not in known:
        raise UnknownNameError.of("attention matrix", masking.matrix, known)
    if masking.matrix == "hidden-keys" and not masking.active:
        raise ParameterError("The matrix 'hidden-keys' acts on hidden tokens: choose a strategy.")
    changing = ("delete", "placeholder", "infill")
    if masking.active and masking.operator in changing:
        raise ParameterError(
            f"An attention matrix needs the tokens where they are and {masking.operator!r} changes "
            "their number: choose the operator 'mask'."
        )
