"""One call from a text to a mask."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ..errors import ParameterError, TextError
from ..models.model import Model, load_model
from ..text.conversation import Conversation
from ..text.document import Document
from ..text.languages import said, saying
from ..text.pipelines import BUNDLED
from ..text.words import NO_WORDS
from .choice import Choice, joined
from .expression import evaluate, is_expression
from .mask import Mask
from .registry import STRATEGIES, Parameter, Strategy
from .spans import MaskSpan

_GLOBAL = (
    "model",
    "pipeline",
    "language",
)  # parameters that other doors pass whether or not they are needed


def mask(
    text: str | Document | Conversation,
    strategy: str = "random",
    *,
    ratio: float | None = None,
    seed: int = 0,
    complement: bool = False,
    second: Choice | None = None,
    join: str = "or",
    model: Model | str | None = None,
    **parameters: Any,
) -> Mask:
    """Choose what to hide in `text`, of a conversation in its contents.

    `strategy` is a name or an expression such as `"entity - pattern:/the/"` (see
    `maskviz.masks.expression`). `ratio` is the share of words (random-token: of tokens, sentence:
    of sentences) in [0, 1]; None takes the strategy's own default. `second` is a strategy with a
    ratio, seed and parameters of its own; `join` says how it joins the first: `or`, `and`, `minus`.
    `complement` hides all else and keeps what would be hidden. `model` is what `key`, `noise` and
    `random-token` ask, by name or loaded; the mask keeps its name. The same text, parameters and
    seed give the same mask. `language` is that of the text, by code or name; without it is found.
    Raises TextError for a text without words, ParameterError, UnknownNameError.

    >>> mask("Anna flew to Rome", "pattern", pattern="Rome").masked_text()
    'Anna flew to [MASK]'
    """
    document = _document(text, parameters)
    with saying(document.spoken):
        return _mask(document, strategy, ratio, seed, complement, second, join, model, parameters)


def _mask(
    document: Document,
    strategy: str,
    ratio: float | None,
    seed: int,
    complement: bool,
    second: Choice | None,
    join: str,
    model: Model | str | None,
    parameters: dict[str, Any],
) -> Mask:
    if not document.words:
        raise TextError(NO_WORDS)
    ratio, seed = checked_ratio(ratio), checked_seed(seed)
    held = None if isinstance(model, str) else model
    if model is not None:
        parameters = {"model": held.name if held else model, **parameters}
    if is_expression(strategy):
        chosen = _combined(document, strategy, ratio, seed, parameters, held)
    else:
        entry = STRATEGIES[strategy]
        chosen = _chosen(document, entry, ratio, seed, _accepted(entry, parameters), held)
    if second is not None:
        shared = {k: v for k, v in parameters.items() if k in _GLOBAL} | dict(second.parameters)
        if held is not None and shared.get("model") == held.name:
            shared["model"] = held
        other = mask(document, second.strategy, ratio=second.ratio, seed=second.seed, **shared)
        chosen = joined(chosen, join, other)
    return ~chosen if complement else chosen


def _chosen(
    document: Document,
    entry: Strategy,
    ratio: float | None,
    seed: int,
    given: dict[str, Any],
    held: Model | None,
) -> Mask:
    ratio = entry.default_ratio if ratio is None else ratio
    rng = random.Random(seed)  # noqa: S311  masks need repeatable, not secret, draws
    spans = tuple(entry.choose(document, ratio, rng, **_handed(entry, given, held)))
    if document.conversation is not None:
        spans = tuple(within_turns(document.conversation, spans))
    return Mask(document.text, spans, entry.name, given, seed, ratio, document.spoken)


def _handed(entry: Strategy, given: dict[str, Any], held: Model | None) -> dict[str, Any]:
    """Return what a strategy is called with: the model itself in the place of its name.

    It is the one that the caller holds already, or loaded now where the strategy needs one.
    """
    named = next((p for p in entry.parameters if p.loaded), None)
    if named is None:
        return given
    handed = {name: value for name, value in given.items() if name != named.name}
    if entry.loads(given):
        name = given.get(named.name, named.default)
        handed[named.name] = held if held is not None and held.name == name else load_model(name)
    return handed


def _combined(
    document: Document,
    expression: str,
    ratio: float | None,
    seed: int,
    shared: dict[str, Any],
    held: Model | None,
) -> Mask:
    """Evaluate an expression; the ratio counts for its budgeted parts, the seed for all."""

    def choose(name: str, own: dict[str, Any]) -> Mask:
        entry = STRATEGIES[name]
        known = {p.name for p in entry.parameters}
        given = {k: v for k, v in shared.items() if k in known and v is not None} | own
        share = given.pop("ratio", None if entry.kind == "exhaustive" else ratio)
        given = _accepted(entry, given)
        return _chosen(document, entry, checked_ratio(share), seed, given, held)

    chosen = evaluate(expression, choose)
    return replace(chosen, strategy=expression, parameters=shared, seed=seed, requested_ratio=ratio)


def checked_ratio(ratio: float | None) -> float | None:
    """Return the ratio, or raise ParameterError where it is not a number in [0, 1]."""
    if ratio is None:
        return None
    if not isinstance(ratio, int | float) or not 0 <= ratio <= 1:
        raise ParameterError(f"The ratio is {ratio!r} and must lie between 0 and 1, such as 0.15.")
    return float(ratio)


def checked_seed(seed: int) -> int:
    """Return the seed, or raise ParameterError where it is not a whole number ≥ 0."""
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ParameterError(f"The seed is {seed!r} and must be a whole number of 0 or more.")
    return seed


def _document(text: str | Document | Conversation, parameters: dict[str, Any]) -> Document:
    if isinstance(text, Document):
        return text
    if isinstance(text, Conversation):
        return Document.of(text, _pipeline(parameters), spoken=parameters.get("language"))
    spoken = parameters.get("language")
    return Document(text, _pipeline(parameters), spoken=said() if spoken is None else spoken)


def within_turns(conversation: Conversation, spans: Iterable[MaskSpan]) -> Iterator[MaskSpan]:
    """Yield the spans, cut where a turn, a thought or an argument of a tool's call ends."""
    for span in spans:
        for piece in conversation.pieces_in(span.start, span.end):
            start, end = max(span.start, piece.start), min(span.end, piece.end)
            yield (
                span
                if (start, end) == (span.start, span.end)
                else replace(span, start=start, end=end)
            )


def _pipeline(parameters: dict[str, Any]) -> str:
    return parameters.get("pipeline") or BUNDLED


def _accepted(entry: Strategy, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters the strategy takes; refuse one it does not know."""
    known = [p.name for p in entry.parameters]
    for name in parameters:
        if name not in known and name not in _GLOBAL:
            takes = f"takes {', '.join(known)}" if known else "takes no parameters"
            raise ParameterError(
                f"The strategy {entry.name!r} does not take {name!r}: it {takes} "
                "besides ratio and seed."
            )
    return {
        p.name: checked_parameter(entry, p, parameters[p.name])
        for p in entry.parameters
        if parameters.get(p.name) is not None
    }


def checked_parameter(entry: Strategy, parameter: Parameter, value: Any) -> Any:
    """Return a parameter's value, or raise ParameterError where it is not of its kind."""
    several = isinstance(value, list | tuple | set | frozenset)
    items = list(value) if several else [value]
    whole = all(isinstance(item, int) and not isinstance(item, bool) for item in items)
    words = all(isinstance(item, str) for item in items)
    fits = {
        "text": words,
        "choice": words and not several,
        "choices": words and several,
        "integers": whole and several,
        "number": not several and isinstance(value, int | float) and not isinstance(value, bool),
    }
    if not fits[parameter.kind]:
        raise ParameterError(
            f"The parameter {parameter.name!r} of the strategy {entry.name!r} is "
            f"{repr(value)[:40]} and must be {_KINDS[parameter.kind]}."
        )
    return value


_KINDS = {
    "text": "a text",
    "choice": "one name",
    "choices": "a list of names",
    "integers": "a list of whole numbers",
    "number": "a number",
}
