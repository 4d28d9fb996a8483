"""A finding in one plain sentence."""

from __future__ import annotations

from collections.abc import Sequence

from ...masks.mask import Mask
from ...readings.fills import Fill
from ...text.percent import percent
from .compare import Comparison, Control

_NOTICEABLE = 0.02  # a change in probability below this is called none


def hidden(mask: Mask) -> str:
    """Return how much is hidden: `3 of 21 words (entity)`."""
    count, total = len(mask.hidden_words), len(mask.words)
    return f"{count:,} of {total:,} word{'s' * (total != 1)} ({mask.strategy})"


def comparison_sentence(comparison: Comparison, chance: Control | None = None) -> str:
    """Say what hiding changes in the answer, and how often chance does the same."""
    mask, plain, masked = comparison.mask, comparison.original, comparison.masked
    if not mask.hidden_words:
        stays = (
            percent(plain.confidence) if comparison.kl is not None else f"{plain.confidence:.3f}"
        )
        return f"Nothing is hidden: the answer stays {plain.label} {stays}."
    if comparison.kl is None:
        return _regression_sentence(comparison, chance)
    before = f"{plain.label} {percent(plain.confidence)}"
    after = f"{masked.label} {percent(masked.confidence)}"
    if comparison.flip and plain.label == masked.label:  # of several labels, others change
        change = f"turns {_labels(plain.chosen)} into {_labels(masked.chosen)}"
    elif comparison.flip:
        change = f"turns {before} into {after}"
    elif abs(comparison.delta[plain.label]) >= _NOTICEABLE:
        change = f"moves {before} to {after}"
    else:
        change = f"leaves {before} as good as unchanged ({after})"
    by_chance = "" if chance is None else f"; {_by_chance(chance)}"
    return f"Hiding {hidden(mask)} {change}{by_chance}."


def _labels(chosen: Sequence[str]) -> str:
    return " and ".join(chosen) or "no label"


def _regression_sentence(comparison: Comparison, chance: Control | None) -> str:
    """Say by how much a regression's value moves, and where random masks leave it."""
    plain, masked = comparison.original.confidence, comparison.masked.confidence
    by_chance = "" if chance is None else (
        f"; random masks of the same size leave it between {chance.low:.3f} and {chance.high:.3f}"
    )  # fmt: skip
    return (
        f"Hiding {hidden(comparison.mask)} moves {comparison.original.label} from {plain:.3f} to "
        f"{masked:.3f}{by_chance}."
    )


def _by_chance(chance: Control) -> str:
    return f"random masks of the same size flip the label in {percent(chance.flips)} of draws"


def fill_sentence(mask: Mask, fills: Sequence[Fill], model: str) -> str:
    """Say how much is hidden and how much of it the model guesses."""
    if not mask.hidden_words:
        return "Nothing is hidden: click a word, or choose a strategy."
    count, total = len(mask.hidden_words), len(mask.words)
    hides = (
        f"{count:,} of {total:,} word{'s' * (total != 1)} {'is' if count == 1 else 'are'} hidden"
    )
    fills = [f for f in fills if any(c.isalnum() for c in f.text)]  # punctuation is no guess
    if not fills:
        return f"{hides}."
    first = sum(_right(f, 1) for f in fills)
    among = sum(_right(f, len(f.candidates)) for f in fills)
    return (
        f"{hides}; {model} guesses {first} of the {len(fills)} hidden places at its first try "
        f"and {among} among its five best."
        if len(fills) > 1
        else f"{hides}; {model} {_single(fills[0])}."
    )


def _right(fill: Fill, among: int) -> bool:
    return fill.text.casefold() in (c.token.casefold() for c in fill.candidates[:among])


def _single(fill: Fill) -> str:
    if _right(fill, 1):
        return "guesses it at its first try"
    if _right(fill, len(fill.candidates)):
        return "has it among its five best guesses"
    return "does not guess it"
