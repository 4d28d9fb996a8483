"""Attention knockout: what the answer does where some tokens may not attend to others.

The edges from a set of queries to a set of keys are cut in a window of layers, and the window goes
through the network (Geva et al. 2023, https://arxiv.org/abs/2304.14767). In all layers at once the
cut is set beside cuts to as many other words; of the windows the strongest is only the strongest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import ParameterError
from ...inside.anatomy import anatomy_of
from ...inside.edges import cut
from ...inside.scanning import recorded
from ...inside.tape import attending
from ...inside.units import HEAD
from ...masks.choose import mask as choose_mask
from ...masks.encoding import Encoding
from ...masks.mask import Mask
from ...masks.operators import apply
from ...models.checks import demand, finding
from ...models.model import Model
from ...readings.question import Question, Spec, asked
from ...text.conversation import Conversation
from ..chance.reference import reference_set
from ..chance.verdict import DRAWS, LEVEL
from .asking import put_to

LAST, ALL = "last", "all"  # sets of tokens, beside those that a strategy chooses
_TOKENS = 4096  # in a pass, over all its rows
_SAME = 1e-4


@dataclass(frozen=True)
class Window:
    """Δ log-odds of the plain answer where the edges are cut in layers first to last, from 0."""

    first: int
    last: int
    effect: float
    probability: float


@dataclass(frozen=True)
class Knockout:
    """What cutting edges changes.

    queries, keys: the tokens between which nothing passes. whole: cut in all layers. others: the
    effects of cuts to as many other words, in all layers; p_value: the share of cuts as strong,
    itself counted, None where the smallest there could be is above 0.05. every: whether the queries
    are all tokens there are.
    """

    model: str
    question: Spec
    label: str
    probability: float
    queries: tuple[str, ...]
    keys: tuple[str, ...]
    width: int
    windows: tuple[Window, ...]
    whole: Window
    unit: str
    others: tuple[float, ...]
    p_value: float | None
    every: bool = False

    @property
    def strongest(self) -> Window:
        """The window with the largest effect."""
        return max(self.windows, key=lambda one: abs(one.effect))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; layers from 1."""

        def said(one: Window) -> dict[str, Any]:
            layers = [one.first + 1, one.last + 1]
            return {"layers": layers, "effect": one.effect, "probability": one.probability}

        return {
            "model": self.model,
            "question": self.question,
            "label": self.label,
            "probability": self.probability,
            "queries": list(self.queries),
            "keys": list(self.keys),
            "width": self.width,
            "windows": [said(one) for one in self.windows],
            "strongest": said(self.strongest),
            "whole": said(self.whole),
            "reference": {
                "unit": self.unit,
                "size": 1 + len(self.others),
                "effects": list(self.others),
                "p": self.p_value,
            },
        }


def knockout(
    text: str | Conversation,
    keys: str | Mask,
    queries: str | Mask = "",
    model: Model | str | Question = "mini",
    width: int | None = None,
    draws: int = DRAWS,
    question: Spec = "labels",
) -> Knockout:
    """Cut the edges from some tokens to others in a window of layers, for every window.

    text: also a conversation, whose turns may be named; the question is put within it then.
    keys, queries: `last`, `all`, or what a strategy chooses, as a mask or an expression such as
    `pattern:/Italy/`. Without queries: `last` where no token looks ahead, else `all`. width: in
    layers, without it a fifth of them. Raises ParameterError for an empty set.

    >>> knockout("A truly great film.", "pattern:/great/").width
    1
    """
    contents = text if isinstance(text, str) else text.text
    put = put_to(asked(model, question), contents)
    demand(put.model, "matrix")
    demand(put.model, "edges")
    read = apply(contents, "attention", put.model)
    looks_back = finding(put.model, "direction").value == "decoder"
    between = queries or (LAST if looks_back and not put.model.config.is_encoder_decoder else ALL)
    asks = _Asked(put, read, _tokens(text, between, read, "queries"))
    chosen = keys if isinstance(keys, Mask) else None if keys in (LAST, ALL) else _mask(text, keys)
    own = _tokens(text, chosen or keys, read, "keys")
    layers = attending(put.model, anatomy_of(put.model).first)
    wide = _width(width, len(layers))
    spans = [(layers[i], layers[i + wide - 1]) for i in range(len(layers) - wide + 1)]
    whole = (layers[0], layers[-1])
    effects = asks.effects([(own, span) for span in (whole, *spans)])
    masks = reference_set(chosen, put.model, "cut", draws) if chosen else None
    others = [_tokens(text, one, read, "keys") for one in masks.masks] if masks else []
    beside = [effect for effect, _ in asks.effects([(one, whole) for one in others if one])]
    windows = [
        Window(*span, *effect) for span, effect in zip((whole, *spans), effects, strict=True)
    ]
    return Knockout(
        put.model.name,
        put.spec(),
        put.outputs[asks.index],
        float(asks.p),
        tuple(read.tokens[i] for i in asks.queries),
        tuple(read.tokens[i] for i in own),
        wide,
        tuple(windows[1:]),
        windows[0],
        masks.said if masks else "",
        tuple(beside),
        _p(windows[0].effect, beside),
        every=len(asks.queries) == len(read),
    )


def _p(effect: float, others: Sequence[float]) -> float | None:
    strong = sum(abs(one) >= abs(effect) - _SAME for one in others)
    return (1 + strong) / (1 + len(others)) if 1 / (1 + len(others)) <= LEVEL else None


def _mask(text: str | Conversation, expression: str) -> Mask:
    return choose_mask(text, expression)


def _width(width: int | None, count: int) -> int:
    if width is None:
        return max(1, round(count / 5))
    if not 1 <= width <= count:
        raise ParameterError(f"The window is of {width} layers and must be of 1 to {count}.")
    return width


def _tokens(
    text: str | Conversation, chosen: str | Mask, read: Encoding, what: str
) -> tuple[int, ...]:
    """Return the places of a set of tokens. Raises ParameterError where there is none."""
    if chosen == ALL:
        return tuple(range(len(read)))
    if chosen == LAST:
        return (len(read) - 1,)
    mask = chosen if isinstance(chosen, Mask) else _mask(text, chosen)
    found = tuple(
        i
        for i, at in enumerate(read.offsets)
        if at and any(at[0] < span.end and span.start < at[1] for span in mask.spans)
    )
    if not found:
        raise ParameterError(
            f"The {what} {mask.strategy!r} are no token that the model reads: choose words of the "
            f"text, such as 'pattern:/word/', or {LAST} or {ALL}."
        )
    return found


class _Asked:
    """One text asked about with edges cut, many cuts in a batch."""

    def __init__(self, put: Question, read: Encoding, queries: tuple[int, ...]) -> None:
        self.put, self.read, self.queries = put, read, queries
        anatomy = anatomy_of(put.model)
        (value,) = recorded(put, anatomy, read, anatomy.keys(HEAD)[:1]).values()
        self.rows, _, self.size, _ = value.shape  # rows of one text: one for each choice
        self.plain = put.logits([read])[0]
        p = put.probabilities(self.plain)
        self.index = put.subject(p)
        self.p = p[self.index]
        # What follows the last token of a prompt answers too.
        last = range(len(read), self.size) if queries[-1:] == (len(read) - 1,) else ()
        self.cut = [*queries, *last]

    def effects(
        self, cuts: Sequence[tuple[tuple[int, ...], tuple[int, int]]]
    ) -> list[tuple[float, float]]:
        """Return Δ log-odds and p of the plain answer under each cut: keys, and layers."""
        size = max(1, _TOKENS // (self.rows * self.size))
        found: list[tuple[float, float]] = []
        for i in range(0, len(cuts), size):
            found += self._batch(cuts[i : i + size])
        return found

    def _batch(self, cuts: Sequence[Any]) -> list[tuple[float, float]]:
        import numpy as np
        import torch

        put = self.put
        shape = (len(cuts), 1, self.size, self.size)

        def allowed(layer: int) -> Any:
            own = np.ones(shape, bool)
            for i, (keys, (first, last)) in enumerate(cuts):
                if first <= layer <= last:
                    own[i, 0][np.ix_(self.cut, keys)] = False
            own[:, :, np.arange(self.size), np.arange(self.size)] = True
            return None if own.all() else own.repeat(self.rows, 0)

        with put.model.running(), torch.inference_mode(), cut(put.network, allowed):
            logits = put.ask([self.read] * len(cuts)).double().cpu().numpy()
        moved = put.log_odds(logits)[:, self.index] - put.log_odds(self.plain)[self.index]
        p = put.probabilities(logits)[:, self.index]
        return [(float(one), float(other)) for one, other in zip(moved, p, strict=True)]
