"""Masks combined in one line: `entity - pattern:/the/`, `(key | attribute:age) & ~sentence:1`.

Grammar, loosest first (`|` and `-` read from the left):

    expression = part (("|" | " - ") part)*
    part       = factor ("&" factor)*
    factor     = "~" factor | "(" expression ")" | strategy [":" argument]

A minus needs a space on both sides, since names contain hyphens. The argument is the one that
the strategy is mostly asked for: types, tags, a ratio, numbers, words, or /a regular expression/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ParameterError
from .mask import Mask
from .registry import STRATEGIES

Choose = Callable[[str, dict[str, Any]], Any]
Parse = Callable[[str, str], dict[str, Any]]
_PIECE = r"\s+-\s+|[|&~()]|[\w-]+(?::(?:/(?:\\.|[^/\\])*/|[^\s|&()]+))?"


def is_expression(strategy: str) -> bool:
    """Tell an expression from the name of one strategy."""
    return strategy not in STRATEGIES and (
        any(c in strategy for c in "|&~():") or " - " in f"{strategy} "
    )


def strategies_in(strategy: str) -> list[str]:
    """Return the strategies that a name or an expression names.

    >>> strategies_in("entity - pattern:/the/")
    ['entity', 'pattern']
    """
    if not is_expression(strategy):
        return [strategy]
    return [
        t.partition(":")[0] for t in _tokens(strategy) if t not in ("|", "-", "&", "~", "(", ")")
    ]


def needs(strategy: str) -> frozenset[str]:
    """Return what a name or an expression runs on, as `Strategy.needs`. Raises UnknownNameError."""
    return frozenset().union(*(STRATEGIES[name].needs for name in strategies_in(strategy)))


def asks(strategy: str, parameters: Mapping[str, Any]) -> bool:
    """Tell whether a name or an expression asks a model once for each word.

    Raises UnknownNameError.
    """
    given = {} if is_expression(strategy) else parameters
    return any(STRATEGIES[name].asks(given) for name in strategies_in(strategy))


def evaluate(expression: str, choose: Choose, parse: Parse | None = None) -> Any:
    """Return the mask of an expression; `choose(strategy, parameters)` gives each part's.

    parse: reads what stands behind a colon, by default as `parse_argument`. Whatever `choose`
    gives is combined by its own signs, so that a loss mask is read here, too. Raises
    ParameterError, with the place, where the expression cannot be read.
    """
    reader = _Reader(_tokens(expression), expression, choose, parse or parse_argument)
    try:
        mask = reader.expression()
    except RecursionError:
        raise reader.error("has too many parentheses inside each other") from None
    if reader.left:
        raise reader.error(f"does not expect {reader.left[0]!r}")
    return mask


def check(expression: str) -> None:
    """Raise ParameterError, with the place, where an expression cannot be read."""
    evaluate(expression, lambda name, given: Mask(""))


def _tokens(expression: str) -> list[str]:
    import regex

    found, end = [], 0
    for match in regex.finditer(_PIECE, expression):
        if expression[end : match.start()].strip():
            break
        found.append(match.group().strip())
        end = match.end()
    if expression[end:].strip():
        raise ParameterError(
            f"The strategy {expression[:80]!r} cannot be read from "
            f"{expression[end:].strip()[:20]!r} on: "
            "write such as 'entity - pattern:/the/'."
        )
    return found


class _Reader:
    """A recursive-descent reader over the tokens that are left."""

    def __init__(self, tokens: list[str], expression: str, choose: Choose, parse: Parse) -> None:
        self.left, self._whole, self._choose, self._parse = tokens, expression, choose, parse

    def error(self, what: str) -> ParameterError:
        return ParameterError(
            f"The strategy {self._whole[:80]!r} {what}: write such as 'entity - pattern:/the/'."
        )

    def _next(self, *expected: str) -> str | None:
        return self.left.pop(0) if self.left and self.left[0] in expected else None

    def expression(self) -> Any:
        mask = self._part()
        while sign := self._next("|", "-"):
            mask = mask | self._part() if sign == "|" else mask - self._part()
        return mask

    def _part(self) -> Any:
        mask = self._factor()
        while self._next("&"):
            mask = mask & self._factor()
        return mask

    def _factor(self) -> Any:
        if self._next("~"):
            return ~self._factor()
        if self._next("("):
            mask = self.expression()
            if not self._next(")"):
                raise self.error("lacks a closing parenthesis")
            return mask
        if not self.left or self.left[0] in "|&-)":
            place = f"before {self.left[0]!r}" if self.left else "at its end"
            raise self.error(f"lacks a strategy {place}")
        name, _, argument = self.left.pop(0).partition(":")
        return self._choose(name, self._parse(name, argument) if argument else {})


def parse_argument(strategy: str, written: str) -> dict[str, Any]:
    """Read what stands behind the colon as the strategy's main parameter.

    >>> parse_argument("attribute", "age,names"), parse_argument("random", "0.3")
    ({'types': ['age', 'names']}, {'ratio': 0.3})
    """
    kinds = {p.name: p.kind for p in STRATEGIES[strategy].parameters}
    if len(written) > 1 and written[0] == written[-1] == "/" and "pattern" in kinds:
        return {"pattern": written[1:-1].replace("\\/", "/")}
    items = [item for item in written.split(",") if item]
    for name, kind in kinds.items():
        if kind == "choices":
            return {name: items}
        if kind == "integers" and all(i.isdecimal() for i in items):
            return {name: [int(i) for i in items]}
    if "words" in kinds:
        return {"words": written}
    if "by" in kinds and not written.replace(".", "", 1).isdecimal():
        return {"by": written}
    try:
        return {"ratio": float(written)}
    except ValueError:
        raise ParameterError(
            f"The argument {written!r} of the strategy {strategy!r} is no ratio: "
            "write such as 'random:0.3'."
        ) from None
