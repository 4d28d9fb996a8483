"""A finding in one plain sentence."""

from __future__ import annotations

from collections.abc import Sequence

from ...masks.mask import Mask
from ...readings.fills import Fill
from ...text.percent import percent
from ..chance.verdict import Control
from .compare import Comparison

_NOTICEABLE = 0.02  # a change in probability below this is called none


def hidden(mask: Mask) -> str:
    """Return how much is hidden: `3 of 21 words (entity)`."""
    count, total = len(mask.hidden_words), len(mask.words)
    return f"{count:,} of {total:,} word{'s' * (total != 1)} ({mask.strategy})"


def comparison_sentence(comparison: Comparison, chance: Control | None = None) -> str:
    """Say what hiding changes in the answer, and how often chance does the same."""
    mask, plain, masked = comparison.mask, comparison.original, comparison.masked
    if not mask.hidden_words:
        stays = percent(plain.confidence) if not comparison.valued else f"{plain.confidence:.3f}"
        return f"Nothing is hidden: the answer stays {plain.label} {stays}."
    if comparison.subject:
        return _subject_sentence(comparison, chance)
    if comparison.valued:
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
    by_chance = "" if chance is None else f"; {beside(chance)}"
    return f"Hiding {hidden(mask)} {change}{by_chance}."


def _labels(chosen: Sequence[str]) -> str:
    return " and ".join(chosen) or "no label"


def _subject_sentence(comparison: Comparison, chance: Control | None) -> str:
    """Say what hiding does to the token, contrast or answer that was asked for."""
    by_chance = "" if chance is None else f"; {beside(chance)}"
    before, after, what = subject_values(comparison)
    way = "leaves" if before == after else "lowers" if after < before else "raises"
    return (
        f"Hiding {hidden(comparison.mask)} {way} {what} "
        + (f"at {before:.2f}" if way == "leaves" else f"from {before:.2f} to {after:.2f}")
        + f"{_writes(comparison)}{by_chance}."
    )


def subject_values(comparison: Comparison) -> tuple[float, float, str]:
    """Return what is asked for, plain and masked, and its name: ln p, or a contrast of two."""
    subject, detail = comparison.subject or comparison.original.label, comparison.detail
    if "contrast" in detail:
        before, after = detail["contrast"]
        first, second = comparison.delta
        return before, after, f"ln p({first!r}) − ln p({second!r})"
    if comparison.valued:
        plain, masked = comparison.original.probabilities, comparison.masked.probabilities
        return plain[subject], masked[subject], f"ln p of the answer {shortened(subject)!r}"
    plain, masked = (detail[f"log_probability_{side}"] for side in ("original", "masked"))
    return plain[subject], masked[subject], f"ln p({subject!r})"


def shortened(text: str, most: int = 60) -> str:
    """Return the beginning of a long text."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _writes(comparison: Comparison) -> str:
    """Say what the model writes now, where that changes."""
    detail = comparison.detail
    if "next" in detail:
        before, after = (token["text"] for token in detail["next"])
        return f", and the next token from {before!r} to {after!r}" if before != after else ""
    if comparison.flip and "generation" in detail:
        return f", and it writes {shortened(detail['generation']['masked'])!r}"
    return ""


def _regression_sentence(comparison: Comparison, chance: Control | None) -> str:
    """Say by how much a regression's value moves, and where random masks leave it."""
    plain, masked = comparison.original.confidence, comparison.masked.confidence
    by_chance = "" if chance is None else f"; {beside(chance)}"
    return (
        f"Hiding {hidden(comparison.mask)} moves {comparison.original.label} from {plain:.3f} to "
        f"{masked:.3f}{by_chance}."
    )


def beside(chance: Control) -> str:
    """Say where a mask stands among others of its kind and size: a verdict's figures, or a rank."""
    count, size = chance.draws, chance.size
    if not count:
        return f"there is no other mask of {size} in this text to set it against"
    place = "the strongest" if chance.rank == 1 else f"number {chance.rank} by strength"
    if chance.by_effect:
        return (
            f"it is {place} of {count + 1} masks of {size}, but it was chosen by its effect, so "
            "that is no verdict"
        )
    if not chance.tells:
        return f"it is {place} of the {count + 1} masks of {size}: too few for more than a rank"
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
