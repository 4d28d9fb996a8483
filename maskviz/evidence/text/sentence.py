"""A finding in one plain sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...inside.units import SEVERAL
from ...masks.mask import Mask
from ...readings.fills import Fill
from ...text.percent import percent
from ..chance.verdict import LEVEL, Control
from .compare import Comparison
from .scale import Scale, shortened

__all__ = ["beside", "comparison_sentence", "fill_sentence", "hidden", "shortened"]

_NOTICEABLE = 0.02  # a change in probability, or of nats, below this is called none
_MILLION = math.log(1e6)


def hidden(mask: Mask) -> str:
    """Return how much is hidden: `3 of 21 words (entity)`; what was clicked is said."""
    count, total = len(mask.hidden_words), len(mask.words)
    how = f"{mask.strategy}, changed by hand" if "edited" in mask.parameters else mask.strategy
    return f"{count:,} of {total:,} word{'s' * (total != 1)} ({how})"


def comparison_sentence(
    comparison: Comparison,
    chance: Control | None = None,
    doing: str = "",
    p_adjusted: float | None = None,
) -> str:
    """Say what hiding changes in the answer, how often chance does the same, and the verdict.

    doing: what was done, where no words were hidden: `Silencing head 4.7`. p_adjusted: allows for
    the other verdicts on the same screen, where there are some.
    """
    mask, plain, masked = comparison.mask, comparison.original, comparison.masked
    if not doing and not mask.hidden_words:
        stays = percent(plain.confidence) if not comparison.valued else f"{plain.confidence:.3f}"
        return f"Nothing is hidden: the answer stays {plain.label} {stays}."
    doing = doing or f"Hiding {hidden(mask)}"
    by_chance = "" if chance is None else f"; {beside(chance)}{verdict_said(chance, p_adjusted)}"
    if comparison.subject:
        return f"{doing} {_moves(comparison)}{_writes(comparison)}{by_chance}."
    if comparison.valued:
        return f"{doing} {_value_moves(comparison)}{by_chance}."
    before, after = (
        f"{_named(comparison, p.label)} {percent(p.confidence)}" for p in (plain, masked)
    )
    if comparison.flip and plain.label == masked.label:  # of several labels, others change
        change = f"turns {_labels(plain.chosen)} into {_labels(masked.chosen)}"
    elif comparison.flip:
        change = f"turns {before} into {after}"
    elif abs(comparison.delta[plain.label]) >= _NOTICEABLE:
        change = f"moves {before} to {after}"
    else:
        change = f"leaves {before} as good as unchanged ({after})"
    return f"{doing} {change}{by_chance}."


def _named(comparison: Comparison, label: str) -> str:
    """Return an output as a sentence has it: the words of a language model stand in quotes."""
    return label if comparison.question == "labels" else f"“{shortened(label)}”"


def _labels(chosen: Sequence[str]) -> str:
    return " and ".join(chosen) or "no label"


def verdict_said(chance: Control, p_adjusted: float | None = None) -> str:
    """Return what may be said where a verdict can be given: beyond chance, or as chance."""
    if not (chance.tells and chance.number and chance.draws):
        return ""
    p = chance.p_value if p_adjusted is None else p_adjusted
    allowing = ""
    if (p > LEVEL) != (chance.p_value > LEVEL):
        allowing = f", allowing for what stands beside it (p = {_p(p)})"
    return f": {'beyond' if p <= LEVEL else 'as'} chance{allowing}"


def _moves(comparison: Comparison) -> str:
    """Say how the figure of what was asked for moves, in words and in its own unit."""
    scale = Scale.of(comparison)
    before, after = (scale.value(p) for p in (comparison.original, comparison.masked))
    figures = f"{scale.said(before)} to {scale.said(after)}"
    what = f"“{shortened(scale.label)}”"
    if scale.bounded:
        way = "lowers" if after < before else "raises"
        probability = f"the probability of {what} as the next token"
        if abs(after - before) < _NOTICEABLE:
            return f"leaves {probability} at {scale.said(before)}"
        return f"{way} {probability} from {figures}"
    if abs(after - before) < _NOTICEABLE:
        return f"leaves {scale.name} at {scale.said(before)}"
    if scale.kind == "contrast":
        than = f"“{shortened(scale.against)}”"
        return (
            f"makes {what} {times(after)} as probable as {than}, where it was {times(before)} "
            f"(ln p apart: {figures})"
        )
    way = "less" if after < before else "more"
    return f"makes the answer {what} {times(abs(after - before))} {way} probable (ln p {figures})"


def times(nats: float) -> str:
    """Return a difference of two log-probabilities as a ratio.

    >>> times(7.074), times(-2), times(0.7), times(20)
    ('1,180 times', '0.14 times', '2.0 times', 'over a million times')
    """
    if nats > _MILLION:
        return "over a million times"
    if nats < -_MILLION:
        return "less than a millionth"
    ratio = math.exp(nats)
    if ratio < 10:
        return f"{ratio:.1f} times" if ratio >= 1 else f"{ratio:.2g} times"
    return f"{float(f'{ratio:.3g}'):,.0f} times"


def subject_values(comparison: Comparison) -> tuple[float, float, str]:
    """Return what is asked for, plain and masked, and what it is called."""
    scale = Scale.of(comparison)
    return scale.value(comparison.original), scale.value(comparison.masked), scale.name


def _writes(comparison: Comparison) -> str:
    """Say what the model writes now, where that changes."""
    detail = comparison.detail
    if "next" in detail:
        before, after = (token["text"] for token in detail["next"])
        said = shortened(after)
        return f"; the model then writes “{said}”, not “{shortened(before)}”" * (before != after)
    if comparison.flip and "generation" in detail:
        return f"; the model then writes “{shortened(detail['generation']['masked'])}”"
    return ""


def _value_moves(comparison: Comparison) -> str:
    """Say by how much a regression's value moves."""
    plain, masked = comparison.original.confidence, comparison.masked.confidence
    return f"moves {comparison.original.label} from {plain:.3f} to {masked:.3f}"


def beside(chance: Control) -> str:
    """Say where a mask stands among others of its kind and size: a verdict's figures, or a rank."""
    count, size = chance.draws, chance.size
    near = "" if f"{chance.unit}s" in SEVERAL.values() else " of about its length"
    if not chance.number:
        return "the model reads nothing of what is hidden"
    if not count:
        return (
            f"there is no other mask of {size} of about its length in this text to set it against"
        )
    place = "the strongest" if chance.rank == 1 else f"number {chance.rank} by strength"
    if chance.by_effect:
        return (
            f"it is {place} of {count + 1} masks of {size}, but it was chosen by its effect, so "
            "that is no verdict"
        )
    if not chance.tells:
        return (
            f"it is {place} of the {count + 1} masks of {size}{near}: too few for more than a rank"
        )
    all_or_drawn = f"all {count} other masks" if chance.whole else f"{count} other masks drawn"
    return (
        f"of {all_or_drawn} of {size}, {chance.as_strong} change it as much "
        f"(p = {_p(chance.p_value)})"
    )


def _p(value: float) -> str:
    """Return a p-value as it is written: two digits, three where they count."""
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


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
    if len(fills) == 1:
        what = "it" if count == 1 else "the one hidden place"
        return f"{hides}; {model} {_single(fills[0], what)}."
    first = sum(_right(f, 1) for f in fills)
    among = sum(_right(f, len(f.candidates)) for f in fills)
    return (
        f"{hides}; {model} guesses {first} of the {len(fills)} hidden places at its first try "
        f"and {among} among its five best."
    )


def _right(fill: Fill, among: int) -> bool:
    return fill.text.casefold() in (c.token.casefold() for c in fill.candidates[:among])


def _single(fill: Fill, what: str) -> str:
    if _right(fill, 1):
        return f"guesses {what} at its first try"
    if _right(fill, len(fill.candidates)):
        return f"has {what} among its five best guesses"
    return f"does not guess {what}"
