"""The registry of strategies: named functions `(document, ratio, rng, …) -> spans`.

A package adds its own by an entry point in the group `maskviz.strategies` that names a module;
importing the module registers what it decorates with `@strategy`.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..registry import Registry
from ..text.document import Document
from .spans import MaskSpan

Choose = Callable[..., Iterable[MaskSpan]]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a strategy, with what a page or a command needs to ask for it.

    kind: `text`, `number`, `choice` (one of `choices`), `choices` (several of them) or
        `integers`. label: what a page calls it, by default its name. step: of a number's arrows.
    loaded: it names a model, and the strategy gets the model itself, where it `loads` one.
    folded: few need it, so that a page asks for it among what is folded away.
    """

    name: str
    kind: str
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    label: str = ""
    step: float = 0.1
    loaded: bool = False
    folded: bool = False


@dataclass(frozen=True)
class Strategy:
    """A way to choose what to hide.

    kind: `budgeted` hides max(1, round(ratio · units)), `exhaustive` all that matches unless a
        ratio caps it, `bernoulli` each unit with probability ratio, `manual` what is given.
    needs: what it runs on: `pipeline` (spaCy), `tokenizer`, `classifier`, a `conversation`
        (a plain text is one turn of the user's), or a file's `marks`.
    seeded: whether anything is drawn; an exhaustive strategy draws only where a ratio caps it.
    asks: whether with these parameters a model is asked once for each word, so that the time
        grows with the square of the text.
    """

    name: str
    choose: Choose
    kind: str
    summary: str
    default_ratio: float | None = None
    needs: frozenset[str] = frozenset()
    parameters: tuple[Parameter, ...] = ()
    seeded: bool = True
    asks: Callable[[Mapping[str, Any]], bool] = lambda given: False

    def draws(self, ratio: float | None) -> bool:
        """Tell whether another seed may give another mask."""
        return self.seeded and not (self.kind == "exhaustive" and ratio is None)

    def loads(self, given: Mapping[str, Any]) -> bool:
        """Tell whether with these parameters a model is needed, its tokens or its answers."""
        return "tokenizer" in self.needs or self.asks(given)


# `key` asks a model, so it lives beside attribution and is reached by name, as a plug-in is.
_MODULES = (
    "maskviz.masks.chance",
    "maskviz.masks.linguistic",
    "maskviz.masks.attributes",
    "maskviz.evidence.words.key",
    "maskviz.masks.personal",
    "maskviz.masks.redundancy",
    "maskviz.readings.noise",
    "maskviz.masks.collocation",
    "maskviz.masks.spoken",
    "maskviz.masks.given",
)
STRATEGIES: Registry[Strategy] = Registry("strategy", _MODULES, "maskviz.strategies")


def for_plain_texts() -> tuple[str, ...]:
    """Return the strategies that say something of a text without turns or marks."""
    apart = {"conversation", "marks"}
    return tuple(n for n, entry in STRATEGIES.items() if not apart & entry.needs)


def strategy(name: str, kind: str, summary: str, **more: Any) -> Callable[[Choose], Choose]:
    """Register the decorated function as the strategy `name`."""

    def register(choose: Choose) -> Choose:
        STRATEGIES.add(Strategy(name, choose, kind, summary, **more), choose.__module__)
        return choose

    return register


def budget(count: int, ratio: float) -> int:
    """Return how many of `count` units a budgeted strategy hides: max(1, round(ratio · count)).

    Nothing is hidden at ratio 0, or where there are no units.
    """
    return min(count, max(1, round(ratio * count))) if ratio > 0 else 0


def shuffled(items: Iterable[Any], rng: random.Random) -> list[Any]:
    """Return the items in random order, the same on every machine and Python version.

    Only `rng.random()` is guaranteed to stay the same between Python versions, so the order
    comes from it alone.
    """
    items = list(items)
    drawn = [rng.random() for _ in items]
    return [items[i] for i in sorted(range(len(items)), key=drawn.__getitem__)]


def capped(
    document: Document, spans: Iterable[MaskSpan], ratio: float | None, rng: random.Random
) -> list[MaskSpan]:
    """Return the spans, or a random choice whose words stay within `ratio` of all words."""
    spans = list(spans)
    if ratio is None:
        return spans
    left, kept = budget(len(document.words), ratio), []
    starts, ends = [w.start for w in document.words], [w.end for w in document.words]
    for span in shuffled(spans, rng):
        words = bisect_left(starts, span.end) - bisect_right(ends, span.start)
        if words <= left:
            kept.append(span)
            left -= words
    return kept
