"""What compare found, as lines for a person."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..evidence.counterfactual.fairness import Fairness
    from ..evidence.files.file_result import Beside
    from ..evidence.files.files import FileComparison, StrategyResult
    from ..evidence.files.groups import GroupGaps
    from ..evidence.text.compare import Comparison, Effect, Sensitivity
    from ..evidence.text.roles import RoleEffect, TurnEffect


_TURNS = 12  # that are printed


def text_lines(
    effects: list[Effect], survives: dict[str, Sensitivity], second: Comparison | None
) -> list[str]:
    """Say what each mask changes under each operator, beside chance."""
    result = effects[0].comparison
    lines = [
        *_answers(result),
        f"        {result.mask.masked_text(result.operator)}",
        *_chance_of(effects[0]),
    ]
    if len(effects) > 1:
        lines += ["", *_effects(effects)]
    if any(len(s.conclusions) > 1 for s in survives.values()):
        lines += ["", *(_survives(s) for s in survives.values())]
    if second is not None:
        lines += [
            "",
            f"{second.model}: plain {second.original.label} {_share(second.original.confidence)}, "
            f"masked {second.masked.label} {_share(second.masked.confidence)}"
            + ("  (flips)" if second.flip else ""),
        ]
    return lines


def role_lines(roles: list[RoleEffect]) -> list[str]:
    """Say what each role's part of the mask does by itself, where it hides what several say."""
    if len(roles) < 2:
        return []
    lines = ["", "by role"]
    for role in roles:
        words = f"{role.words} word{'s' * (role.words != 1)}"
        change = "nothing would be left" if role.delta is None else f"{role.delta:+.3f}"
        lines.append(f"  {role.role:10}{words:>12}  {change}{'  (flips)' if role.flip else ''}")
    return lines


def turn_lines(turns: list[TurnEffect]) -> list[str]:
    """Say what hiding each turn alone does, the strongest first."""
    lines = ["", "each turn hidden alone"] if turns else []
    strongest = sorted(turns, key=lambda turn: -abs(turn.delta or 0))
    for turn in strongest[:_TURNS]:
        words = f"{turn.words} word{'s' * (turn.words != 1)}"
        change = "nothing would be left" if turn.delta is None else f"{turn.delta:+.3f}"
        flips = "  (flips)" if turn.flip else ""
        lines.append(f"  {turn.turn:>3} {turn.role:10}{words:>12}  {change}{flips}")
    more = len(turns) - _TURNS
    return [*lines, f"  and {more} more: --json has all"] if more > 0 else lines


def _answers(result: Comparison) -> list[str]:
    """Say what the model answers, plain and masked; of what was asked for how probable it is."""
    from ..evidence.text.sentence import shortened, subject_values

    flips = "  (flips)" if result.flip else ""
    if not result.subject:
        return [
            f"plain   {result.original.label} {_share(result.original.confidence)}",
            f"masked  {result.masked.label} {_share(result.masked.confidence)}{flips}",
        ]
    before, after, what = subject_values(result)
    written = result.detail.get("generation")
    said = [repr(shortened(written[side])) for side in ("original", "masked")] if written else [
        f"{token['text']!r} {_share(token['probability'])}" for token in result.detail["next"]
    ]  # fmt: skip
    return [
        f"plain   {what} = {before:.3f}; writes {said[0]}",
        f"masked  {what} = {after:.3f}; writes {said[1]}{flips}",
    ]


def _chance_of(effect: Effect) -> list[str]:
    """Say where the mask stands among others of its kind and size, and what those do."""
    from ..evidence.text.scale import Scale
    from ..evidence.text.sentence import beside

    chance, scale = effect.control, Scale.of(effect.comparison)
    if not effect.comparison.mask.spans:
        return ["chance  nothing was hidden, so there is nothing to set beside chance"]
    lines = [f"chance  {beside(chance)}"]
    if chance.draws > 1:
        low, high, mean = (f"{value:{scale.digits}}" for value in scale.band(chance))
        lines.append(
            f"        under these {scale.name} lies between {low} and {high}, mean {mean}"
            + ("" if math.isnan(chance.flips) else f"; {chance.flips:.0%} of them flip")
        )
    return lines


def _share(value: float) -> str:
    return f"{value:.1%}" if 0 <= value <= 1 else f"{value:.3f}"


def _effects(effects: list[Effect]) -> list[str]:
    from ..evidence.text.scale import Scale, visible

    scale = Scale.of(effects[0].comparison)
    label, heads = scale.label, ("p", "Δp") if scale.bounded else ("value", "change")
    lines = [
        f"{'strategy':14}{'operator':13}{'answer':>14}{heads[0]:>8}{heads[1]:>9}{'Δlogit':>9}"
        f"{'KL':>8}  chance, 95 %      so"
    ]
    for e in effects:
        c = e.comparison
        kl = "–" if c.kl is None else f"{c.kl:.3f}"
        lines.append(
            f"{e.name[:13]:14}{c.operator:13}{visible(c.masked.label)[:13]:>14}"
            f"{scale.value(c.masked):>8.3f}{scale.change(c):>+9.3f}"
            f"{c.delta_logit[label]:>+9.2f}{kl:>8}  {_band(e):16}  "
            f"{e.conclusion}{_p(e.p_adjusted)}"
        )
    return lines


def _band(effect: Effect) -> str:
    from ..evidence.text.scale import Scale

    if effect.control.draws < _FEWEST:
        return "–"
    low, high, _ = Scale.of(effect.comparison).band(effect.control)
    return f"{low:.3f} to {high:.3f}"


_FEWEST = 19  # masks that 95 of 100 can be told of


def _survives(found: Sensitivity) -> str:
    if found.survives:
        only = next(iter(found.conclusions.values()))
        return f"{found.name}: the same under all {len(found.conclusions)} operators ({only})."
    said = ", ".join(f"{operator} {what}" for operator, what in found.conclusions.items())
    return f"{found.name}: depends on the operator ({said})."


def file_table(result: FileComparison) -> str:
    """Return a line for each strategy, then what it is broken down by."""
    lines = [*_rows(result.strategies), "", *_chance(result.strategies)]
    for column, values in result.groups.items():
        if column == "label" and len(values) < 2:
            continue
        lines += [f"by {column}", *_rows(values), "", *_chance(values)]
    for column, gaps in result.group_gaps.items():
        lines += [*group_lines(column, gaps), ""]
    if result.beside is not None:
        lines += [*_beside(result.beside), ""]
    rows = f"{result.rows:,} row{'s' * (result.rows != 1)}"
    return "\n".join([*lines, f"{rows}, model {result.model}."])


_GROUPS = 20  # that are listed


def group_lines(column: str, found: GroupGaps) -> list[str]:
    """Return the groups of a column by arm, the worst of them and the widest gap."""
    percent = found.measure in ("accuracy", "flip rate")
    digits, signed = (".1%", "+.1%") if percent else (".3f", "+.3f")
    lines = [f"groups of {column}: {found.measure} [95 %], beside all other rows; arm − plain"]
    for arm, gaps in found.arms.items():
        for name, group in list(gaps.groups.items())[:_GROUPS]:
            gap = "" if group.gap is None else f"  {group.gap:{signed}}"
            gap += "" if group.gap is None else f" {_between(group.gap_ci95, signed)}"
            change = "" if group.change is None else f"  {group.change:{signed}}"
            lines.append(
                f"{_short(f'{arm}: {name}'):34}{group.rows:>7,}{group.score:>8{digits}} "
                f"{_between(group.ci95, digits)}{gap}{change}"
            )
        if gaps.worst is not None and gaps.gap is not None:
            lines.append(
                f"  {arm}: worst {gaps.worst}, {gaps.worst_score:{digits}} "
                f"{_between(gaps.worst_ci95, digits)}; from the best, {gaps.best}, "
                f"{gaps.gap:{digits}} {_between(gaps.gap_ci95, signed)} (of all groups, all pairs)"
            )
    return [*lines, *found.notes]


def _chance(results: dict[str, Any]) -> list[str]:
    """Return the lines of strategies, or of values, on what random masks of the same size do."""
    drawn = [(name, r) for name, r in _named(results) if r.chance is not None]
    if not drawn:
        return []
    width = _width(drawn)
    flips = any(r.mean_kl is not None for _, r in drawn)
    theirs = ": their flip rate; strategy − random" if flips else ": strategy − random"
    lines = [f"beside random masks of the same size{theirs} [95 %]; p allowing for all lines"]
    return [*lines, *(f"{name:{width}}{_beyond(r)}" for name, r in drawn), ""]


def _beyond(r: StrategyResult) -> str:
    """Say how far a strategy goes beyond random masks: in flips, and in accuracy or error."""
    from ..evidence.files.finding import paired

    chance = r.chance
    if r.rows_hiding == 0:
        return "hides nothing in any row"
    if chance is None or chance.few:
        return "too few rows to tell"
    said = []
    if r.mean_kl is not None:
        said.append(f"{chance.flip_rate:>7.1%}")
        between = _between(chance.flip_beyond_ci95, "+.1%")
        said.append(f"flips {chance.flip_beyond:+.1%} {between}")
    if chance.beyond is not None:
        said.append(f"{_what(r)} {chance.beyond:+.3f} {_between(chance.beyond_ci95, '+.3f')}")
    p = chance.flip_p_adjusted if chance.p_value is None else chance.p_adjusted
    said.append(f"{'beyond' if chance.surpassed else 'as'} chance{_p(p)}")
    return "  ".join([*said, *filter(None, [paired(r, chance)])])


def _what(result: StrategyResult) -> str:
    if result.mean_kl is not None:
        return "accuracy"
    return "value" if result.delta_error is None else "error"


def _rows(results: dict[str, Any]) -> list[str]:
    """Return the lines of strategies, or of the strategies of each value."""
    named = _named(results)
    width = _width(named)
    flips = any(r.mean_kl is not None for _, r in named)
    rate = f"{'flip rate':>10}" if flips else ""
    lines = [f"{'':{width}}{'rows':>7}{rate}{'plain':>8}{'masked':>8}  change [95 %]"]
    for name, r in named:
        rate = f"{r.flip_rate:>10.1%}" if flips else ""
        lines.append(f"{name:{width}}{r.rows:>7,}{rate}{_accuracy(r)}")
    return lines


def _named(results: dict[str, Any]) -> list[tuple[str, StrategyResult]]:
    """Return the results of strategies, or of the strategies of each value, with their names."""
    return [
        (f"{_short(name)} {strategy}".strip(), r)
        for name, found in results.items()
        for strategy, r in (found if isinstance(found, dict) else {"": found}).items()
    ]


def _width(named: list[tuple[str, StrategyResult]]) -> int:
    return max(22, *(len(name) + 1 for name, _ in named))


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:39]}…"


def _accuracy(r: Any) -> str:
    if r.delta_accuracy is not None:
        ece = "" if r.ece_original is None else f"  ECE {r.ece_original:.3f} → {r.ece_masked:.3f}"
        return (
            f"{r.accuracy_original:>8.1%}{r.accuracy_masked:>8.1%}  {r.delta_accuracy:+.1%} "
            f"{_between(r.ci95, '+.1%')}{_p(r.p_value)}{ece}"
        )
    if r.delta_error is not None:
        return (
            f"{r.error_original:>8.3f}{r.error_masked:>8.3f}  {r.delta_error:+.3f} "
            f"{_between(r.error_ci95, '+.3f')}{_p(r.error_p_value)} (mean absolute error)"
        )
    if r.mean_kl is None:
        return f"{'':16}  {r.mean_delta:+.3f} {_between(r.delta_ci95, '+.3f')} (value)"
    return ""


def _p(value: float | None) -> str:
    return "" if value is None else f" p = {value:.3g}"


def _beside(other: Beside) -> list[str]:
    lines = [f"{other.model} beside it: the same plain answer in {other.agreement:.1%} of rows"]
    for name, p in other.paired.items():
        lines.append(
            f"{name:22}{p['accuracy_first']:>8.1%}{p['accuracy_second']:>8.1%}  "
            f"{p['delta_accuracy']:+.1%} {_between(p['ci95'], '+.1%')}{_p(p['p_value'])}"
        )
    return lines


def fairness_table(found: Fairness) -> str:
    """Return a line for each arm, and for each category."""
    head = f"{'':22}{'pairs':>7}{'flip rate':>10}{'CTF gap':>9}  mean difference [95 %]"
    lines = [head]
    arms = {**found.arms, **{f"{c}: plain": a["plain"] for c, a in found.groups.items()}}
    for name, gap in arms.items():
        lines.append(
            f"{name:22}{gap.pairs:>7,}{gap.flip_rate:>10.1%}{gap.ctf_gap:>9.4f}  "
            f"{gap.mean_difference:+.4f} {_between(gap.ci95, '+.4f')}{_p(gap.p_value)}"
            + (f"  ({gap.same_input:.0%} the same to the model)" if gap.same_input else "")
        )
    clusters = found.arms["plain"].clusters
    counted = f"{found.pairs:,} pair{'s' * (found.pairs != 1)}"
    counted += f" in {clusters:,} cluster{'s' * (clusters != 1)}" if clusters else ""
    return "\n".join([*lines, "", f"{counted}, p({found.label}), model {found.model}."])


def _between(interval: tuple[float, float] | None, digits: str) -> str:
    """Return an interval in brackets; of what was measured once there is none."""
    if interval is None:
        return "[no interval]"
    return f"[{interval[0]:{digits}}, {interval[1]:{digits}}]"
