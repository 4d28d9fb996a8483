"""What a comparison over a file found, in a sentence that says no more than its test bears.

A strategy is spoken of by itself only where it is told apart from random masks of the same size on
the same rows, allowing for all that stand beside it (Holm). `random` is such a mask itself: it is
never told apart. Strategies are not ranked among each other, for which there is no test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...shares import Interval
from ...text.listed import listed
from ...text.percent import number, percent
from .chance import ChanceResult
from .file_result import FileComparison
from .tally import StrategyResult

CONTROL = "random"
_NAMED = 3  # strategies whose figures stand in the sentence
_MEASURES = {"accuracy": "accuracy", "error": "the mean error", "value": "the value"}


def finding(result: FileComparison) -> str:
    """Return what is to be said of a whole comparison, the verdict in it.

    >>> finding(result)
    'Over 300 rows, hiding by entity flips the answer in 12 % of them (95\u00a0%: 9 to 16 %) …'
    """
    shown = {name: r for name, r in result.strategies.items() if r.rows_hiding != 0}
    over = f"Over {_counted(result)}"
    if not shown:
        named = listed(list(result.strategies))
        verb = "hides" if len(result.strategies) == 1 else "hide"
        return f"{over}, {named} {verb} nothing: there is nothing to compare."
    kind = measured(list(shown.values()))
    what = _asked(result) if kind == "value" and result.question != "labels" else ""
    told = [name for name, r in shown.items() if tells(name, r)]
    if told:
        chances = [(name, shown[name], shown[name].chance) for name in told[:_NAMED]]
        said = [_told(name, r, chance, kind, what) for name, r, chance in chances if chance]
        more = f"; so do {len(told) - _NAMED} more" if len(told) > _NAMED else ""
        rest = [name for name in shown if name not in told and name != CONTROL]
        other = f" {_untold(rest)}" if rest else ""
        return f"{over}, {'; '.join(said)}{more}.{other}"
    return f"{over}, {_none(shown, kind, what)}"


def _asked(result: FileComparison) -> str:
    """Return what is measured of an answer: of rows that each have their own, a token of it."""
    given = result.question if isinstance(result.question, dict) else {}
    return "ln p a token of the answer" if "answers" in given else "ln p of the answer"


def tells(name: str, result: StrategyResult) -> bool:
    """Tell whether a strategy is told apart from chance; `random` is chance itself."""
    return name != CONTROL and result.chance is not None and result.chance.surpassed


def measured(results: Sequence[StrategyResult]) -> str:
    """Return what is spoken of: `accuracy` or `flips`; of a regression `error` or `value`."""
    if all(r.delta_accuracy is not None for r in results):
        return "accuracy"
    if all(r.delta_error is not None for r in results):
        return "error"
    return "value" if all(r.mean_kl is None for r in results) else "flips"


def _counted(result: FileComparison) -> str:
    clusters = next(iter(result.strategies.values())).clusters
    shared = f" in {clusters:,} cluster{'s' * (clusters != 1)}" if clusters else ""
    return f"{result.rows:,} row{'s' * (result.rows != 1)}{shared}"


def _told(name: str, r: StrategyResult, chance: ChanceResult, kind: str, what: str) -> str:
    """Say how far a strategy goes beyond chance, with the interval of that difference."""
    if kind == "flips":
        way = "more" if chance.flip_beyond > 0 else "less"
        return (
            f"hiding by {name} flips the answer in {percent(r.flip_rate)} of them, random masks of "
            f"the same size in {percent(chance.flip_rate)}: {way} often than chance"
            f"{_within(chance.flip_beyond_ci95, 'points', 100, paired(r, chance))}"
        )
    beyond = chance.beyond or 0.0
    side = "below" if beyond < 0 else "above"
    unit, factor = ("points", 100.0) if kind == "accuracy" else ("", 1.0)
    size = f"{abs(factor * beyond):.1f} points" if kind == "accuracy" else f"{abs(beyond):.3g}"
    return (
        f"{what or _MEASURES[kind]} under {name} lies {size} {side} that under random masks of the "
        f"same size{_within(chance.beyond_ci95, unit, factor, paired(r, chance))}{_levels(r, kind)}"
    )


def _levels(r: StrategyResult, kind: str) -> str:
    if kind != "accuracy" or r.accuracy_original is None or r.accuracy_masked is None:
        return ""
    return f": {percent(r.accuracy_original)} plain, {percent(r.accuracy_masked)} masked"


def paired(r: StrategyResult, chance: ChanceResult) -> str:
    """Say over which rows a strategy stands beside chance, where these are not all of them."""
    if r.clusters is not None or not 0 < chance.rows < r.rows:
        return ""
    return f"over the {chance.rows:,} of {r.rows:,} rows in which as much else can be hidden"


def _within(interval: Interval | None, unit: str, factor: float, over: str) -> str:
    if interval is None:
        return ""
    digits = "+.1f" if factor == 100 else "+.3g"
    low, high = (number(factor * bound, digits) for bound in interval)
    rows = f", {over}" if over else ""
    return f" (difference{rows}, 95\u00a0%: {low} to {high}{f' {unit}' if unit else ''})"


def _untold(names: Sequence[str]) -> str:
    verb = "is" if len(names) == 1 else "are"
    return f"{_capital(listed(list(names)))} {verb} not told apart from chance."


def _none(shown: Mapping[str, StrategyResult], kind: str, what: str) -> str:
    """Say what was measured where nothing is told apart from chance."""
    own = [name for name in shown if name != CONTROL]
    chances = [shown[name].chance for name in own]
    figures = _figures(shown, kind, what)
    if not own:
        return f"{figures}: that is what chance does."
    if any(chance is None for chance in chances):
        return f"{figures}; no random masks were drawn to set beside that."
    if any(chance is not None and chance.few for chance in chances):
        return f"too few to tell a strategy from chance, {figures}."
    verb = "no strategy is" if len(own) > 1 else f"hiding by {own[0]} is not"
    return f"{verb} told apart from random masks of the same size: {figures}."


def _figures(shown: Mapping[str, StrategyResult], kind: str, what: str) -> str:
    """Give the figures of the first strategies, chance in brackets."""
    first = list(shown.items())[:_NAMED]
    more = f" (and {len(shown) - _NAMED} more)" if len(shown) > _NAMED else ""
    said = listed([_figure(name, r, kind) for name, r in first])
    if kind == "flips":
        lead = "the answer flips in"
    elif kind == "accuracy":
        lead = f"accuracy is {percent(first[0][1].accuracy_original or 0.0)} plain,"
    else:
        lead = f"{what or _MEASURES[kind]} moves by"
    return f"{lead} {said}{more}"


def _figure(name: str, r: StrategyResult, kind: str) -> str:
    chance = r.chance if name != CONTROL else None
    if kind == "flips":
        within = _between(r.flip_ci95)
        theirs = f"; random masks: {percent(chance.flip_rate)}" if chance else ""
        return f"{percent(r.flip_rate)} under {name}{_brackets(within, theirs)}"
    if kind == "accuracy":
        change = chance.change if chance else None
        theirs = "" if change is None else f"random masks: {percent(_share(r, change))}"
        return f"{percent(r.accuracy_masked or 0.0)} under {name}{_brackets('', theirs)}"
    moved = r.delta_error if kind == "error" else r.mean_delta
    change = chance.change if chance else None
    theirs = "" if change is None else f"random masks: {_signed(change)}"
    return f"{_signed(moved or 0.0)} under {name}{_brackets('', theirs)}"


def _share(r: StrategyResult, change: float) -> float:
    return min(1.0, max(0.0, (r.accuracy_original or 0.0) + change))


def _between(interval: Interval | None) -> str:
    return "" if interval is None else f"95\u00a0%: {_bare(interval[0])} to {percent(interval[1])}"


def _bare(share: float) -> str:
    return percent(share).removesuffix("%").rstrip()


def _brackets(*parts: str) -> str:
    inside = "".join(parts).removeprefix("; ")
    return f" ({inside})" if inside else ""


def _signed(value: float) -> str:
    return number(value, "+.3g")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
