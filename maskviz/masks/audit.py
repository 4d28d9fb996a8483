"""The mask audit: does a strategy hide what it says it hides?"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from typing import Any

from ..errors import MaskError, ParameterError, TextError
from ..models.model import load_model
from ..text.document import Document
from ..text.span import Span
from .chance import SPAN_LENGTH_WEIGHTS, drawn_lengths
from .choice import Choice
from .choose import mask
from .mask import Mask
from .operators import apply

_LEAST_EXPECTED = 5  # below this a χ² class is joined to its neighbour (Cochran 1954)


@dataclass(frozen=True)
class StrategyAudit:
    """What one strategy did over all texts.

    words, tokens: how many there were; hidden_*: how many are hidden. partly_hidden: words
    (entities, sentences for those strategies) of which a part only is hidden. split: what the
    operator put in the place of hidden tokens, as shares. span_lengths: length in words → count,
    as drawn. p_value: χ² of those lengths against the truncated geometric distribution, None for
    other strategies or too few spans.
    """

    strategy: str
    requested_ratio: float | None
    words: int = 0
    hidden_words: int = 0
    tokens: int = 0
    hidden_tokens: int = 0
    partly_hidden: int = 0
    split: Mapping[str, float] = field(default_factory=dict)
    span_lengths: Mapping[int, int] = field(default_factory=dict)
    p_value: float | None = None

    @property
    def realised_ratio(self) -> float:
        """Hidden words / words."""
        return self.hidden_words / self.words if self.words else 0.0

    @property
    def realised_token_ratio(self) -> float:
        """Hidden tokens / tokens, special ones left out."""
        return self.hidden_tokens / self.tokens if self.tokens else 0.0


@dataclass(frozen=True)
class Audit:
    """The strategies side by side; overlap: pair of strategies → mean Jaccard index on words."""

    texts: int
    left_out: int
    strategies: dict[str, StrategyAudit]
    overlap: dict[tuple[str, str], float]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        return {
            "texts": self.texts,
            "left_out": self.left_out,
            "strategies": {
                name: {
                    **asdict(a),
                    "realised_ratio": a.realised_ratio,
                    "realised_token_ratio": a.realised_token_ratio,
                }
                for name, a in self.strategies.items()
            },
            "overlap": [
                {"strategies": list(pair), "jaccard": value} for pair, value in self.overlap.items()
            ],
        }


def audit(
    texts: Iterable[str],
    strategies: Sequence[str] = ("random",),
    *,
    ratio: float | None = None,
    seed: int = 0,
    model: Any = None,
    operator: str = "mask",
    unit: str = "token",
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    second: Choice | None = None,
    join: str = "or",
    complement: bool = False,
) -> Audit:
    """Mask every text by every strategy and count what came of it; text i takes seed + i.

    A `second` strategy joins each of them, and takes its own seed + i. Tokens are counted where a
    `model` is given. Texts without words are left out.
    """
    if not strategies:
        raise ParameterError("No strategy is chosen: name at least one, such as random,entity.")
    model = None if model is None else load_model(model)
    tallies = {name: _Tally(name, ratio) for name in strategies}
    overlap: defaultdict[tuple[str, str], float] = defaultdict(float)
    count = left_out = 0
    for i, text in enumerate(texts):
        try:
            document = Document(text)
            other = second and replace(second, seed=second.seed + i)
            masks = {
                name: mask(
                    document,
                    name,
                    ratio=ratio,
                    seed=seed + i,
                    complement=complement,
                    second=other,
                    join=join,
                    **_given(parameters, name),
                )
                for name in strategies
            }
        except TextError:
            left_out += 1
            continue
        count += 1
        for name, chosen in masks.items():
            tallies[name].add(document, chosen, model, operator, unit)
        for a, b in combinations(strategies, 2):
            overlap[a, b] += jaccard(masks[a], masks[b])
    return Audit(
        count,
        left_out,
        {name: tally.result() for name, tally in tallies.items()},
        {pair: value / count for pair, value in overlap.items()} if count else {},
    )


def _given(parameters: Mapping[str, Mapping[str, Any]] | None, name: str) -> Mapping[str, Any]:
    return (parameters or {}).get(name, {})


def jaccard(a: Mask, b: Mask) -> float:
    """Return |A ∩ B| / |A ∪ B| of the hidden words; 1 where both hide none."""
    first, second = set(a.hidden_words), set(b.hidden_words)
    union = first | second
    return len(first & second) / len(union) if union else 1.0


class _Tally:
    """The counts of one strategy while texts come in."""

    def __init__(self, strategy: str, ratio: float | None) -> None:
        self.strategy, self.ratio = strategy, ratio
        self.counts: Counter[str] = Counter()
        self.split: Counter[str] = Counter()
        self.lengths: Counter[int] = Counter()

    def add(self, document: Document, chosen: Mask, model: Any, operator: str, unit: str) -> None:
        self.ratio = chosen.requested_ratio
        self.counts["words"] += len(chosen.words)
        self.counts["hidden_words"] += len(chosen.hidden_words)
        self.counts["partly_hidden"] += _partly_hidden(document, chosen)
        if chosen.strategy == "span":
            rng = random.Random(chosen.seed)  # noqa: S311  the strategy's own draws again
            self.lengths.update(drawn_lengths(len(chosen.hidden_words), rng))
        if model is not None:
            self._add_tokens(chosen, model, operator, unit)

    def _add_tokens(self, chosen: Mask, model: Any, operator: str, unit: str) -> None:
        plain = apply(chosen.text, "delete", model)
        try:
            encoding = apply(chosen, operator, model, unit=unit)
        except MaskError:  # nothing is left to read: all its tokens are hidden
            hidden = sum(not s for s in plain.special)
            self.counts["tokens"] += hidden
            self.counts["hidden_tokens"] += hidden
            return
        kept = {s for s, h in zip(encoding.source, encoding.hidden, strict=True) if not h}
        self.counts["tokens"] += sum(not s for s in plain.special)
        self.counts["hidden_tokens"] += len(plain) - len(kept)
        for token, source, hidden in zip(
            encoding.input_ids, encoding.source, encoding.hidden, strict=True
        ):
            if hidden and source is not None:
                self.split[_kind(token, plain.input_ids[source], model.tokenizer)] += 1

    def result(self) -> StrategyAudit:
        total = self.split.total()
        return StrategyAudit(
            self.strategy,
            self.ratio,
            **{k: self.counts[k] for k in _COUNTED},
            split={kind: n / total for kind, n in sorted(self.split.items())},
            span_lengths=dict(sorted(self.lengths.items())),
            p_value=span_length_test(self.lengths),
        )


_COUNTED = ("words", "hidden_words", "tokens", "hidden_tokens", "partly_hidden")


def _kind(token: int, original: int, tokenizer: Any) -> str:
    if token == original:
        return "keep"
    return "mask" if token == tokenizer.mask_token_id else "other"


def _partly_hidden(document: Document, chosen: Mask) -> int:
    """Count the units of the strategy of which some characters are hidden and some are not."""
    units: Sequence[Span] = {
        "entity": lambda: document.entities,
        "sentence": lambda: document.sentences,
    }.get(chosen.strategy, lambda: document.words)()
    partly = 0
    for unit in units:
        characters = [c for c in range(unit.start, unit.end) if not document.text[c].isspace()]
        hidden = sum(c in chosen.characters for c in characters)
        partly += 0 < hidden < len(characters)
    return partly


def span_length_test(lengths: Mapping[int, int]) -> float | None:
    """Return the p-value of χ² against the truncated geometric distribution of span lengths.

    Long lengths are joined until five spans are expected in each class; None below two classes.
    """
    from scipy.stats import chisquare

    total, weight = sum(lengths.values()), sum(SPAN_LENGTH_WEIGHTS)
    observed: list[int] = []
    expected: list[float] = []
    for n, share in enumerate(SPAN_LENGTH_WEIGHTS, start=1):
        if expected and expected[-1] < _LEAST_EXPECTED:
            observed[-1] += lengths.get(n, 0)
            expected[-1] += total * share / weight
        else:
            observed.append(lengths.get(n, 0))
            expected.append(total * share / weight)
    if len(expected) > 1 and expected[-1] < _LEAST_EXPECTED:
        observed[-2:], expected[-2:] = [sum(observed[-2:])], [sum(expected[-2:])]
    return float(chisquare(observed, expected).pvalue) if len(expected) > 1 and total else None
