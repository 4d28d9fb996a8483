"""What compare found, as lines for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..evidence.fairness.fairness import Fairness
    from ..evidence.files.file_result import Beside
    from ..evidence.files.files import FileComparison, StrategyResult
    from ..evidence.text.compare import Comparison, Effect, Sensitivity


def text_lines(
    effects: list[Effect], survives: dict[str, Sensitivity], second: Comparison | None
) -> list[str]:
    """Say what each mask changes under each operator, beside chance."""
    result, chance = effects[0].comparison, effects[0].control
    lines = [
        f"plain   {result.original.label} {_share(result.original.confidence)}",
        f"masked  {result.masked.label} {_share(result.masked.confidence)}"
        + ("  (flips)" if result.flip else ""),
        f"        {result.mask.masked_text(result.operator)}",
        f"chance  p({chance.label}) between {_share(chance.low)} and {_share(chance.high)} under "
        f"{chance.draws} random masks of the same size; {chance.flips:.0%} of them flip",
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


def _share(value: float) -> str:
    return f"{value:.1%}" if 0 <= value <= 1 else f"{value:.3f}"


def _effects(effects: list[Effect]) -> list[str]:
    label = effects[0].control.label
    lines = [
        f"{'strategy':14}{'operator':13}{'answer':>14}{'p':>8}{'Δp':>9}{'Δlogit':>9}{'KL':>8}"
        "  chance, 95 %      so"
    ]
    for e in effects:
        c = e.comparison
        kl = "–" if c.kl is None else f"{c.kl:.3f}"
        lines.append(
            f"{e.name[:13]:14}{c.operator:13}{c.masked.label[:13]:>14}"
            f"{c.masked.probabilities[label]:>8.3f}{c.delta[label]:>+9.3f}"
            f"{c.delta_logit[label]:>+9.2f}{kl:>8}  {e.control.low:.3f} to {e.control.high:.3f}  "
            f"{e.conclusion}"
        )
    return lines


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
    if result.beside is not None:
        lines += [*_beside(result.beside), ""]
    rows = f"{result.rows:,} row{'s' * (result.rows != 1)}"
    return "\n".join([*lines, f"{rows}, model {result.model}."])


def _chance(results: dict[str, Any]) -> list[str]:
    """Return the lines of strategies, or of values, on what random masks of the same size do."""
    drawn = [(name, r) for name, r in _named(results) if r.chance is not None]
    if not drawn:
        return []
    width = _width(drawn)
    flips = any(r.mean_kl is not None for _, r in drawn)
    theirs = ": their flip rate; strategy − random" if flips else ": strategy − random"
    lines = [f"beside random masks of the same size{theirs} [95 %]"]
    return [*lines, *(f"{name:{width}}{_beyond(r)}" for name, r in drawn), ""]


def _beyond(r: StrategyResult) -> str:
    """Say how far a strategy goes beyond random masks: in flips, and in accuracy or error."""
    chance = r.chance
    if chance is None or chance.few:
        return "too few rows to tell"
    said = []
    if r.mean_kl is not None:
        low, high = chance.flip_beyond_ci95
        said.append(f"{chance.flip_rate:>7.1%}")
        said.append(f"flips {chance.flip_beyond:+.1%} [{low:+.1%}, {high:+.1%}]")
    if chance.beyond_ci95 is not None:
        low, high = chance.beyond_ci95
        said.append(f"{_what(r)} {chance.beyond:+.3f} [{low:+.3f}, {high:+.3f}]")
    return "  ".join(said)


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
    if r.ci95 is not None:
        low, high = r.ci95
        ece = "" if r.ece_original is None else f"  ECE {r.ece_original:.3f} → {r.ece_masked:.3f}"
        return (
            f"{r.accuracy_original:>8.1%}{r.accuracy_masked:>8.1%}  {r.delta_accuracy:+.1%} "
            f"[{low:+.1%}, {high:+.1%}] p = {r.p_value:.3g}{ece}"
        )
    if r.error_ci95 is not None:
        low, high = r.error_ci95
        return (
            f"{r.error_original:>8.3f}{r.error_masked:>8.3f}  {r.delta_error:+.3f} "
            f"[{low:+.3f}, {high:+.3f}] p = {r.error_p_value:.3g} (mean absolute error)"
        )
    if r.mean_kl is None and r.delta_ci95 is not None:
        low, high = r.delta_ci95
        return f"{'':16}  {r.mean_delta:+.3f} [{low:+.3f}, {high:+.3f}] (value)"
    return ""


def _beside(other: Beside) -> list[str]:
    lines = [f"{other.model} beside it: the same plain answer in {other.agreement:.1%} of rows"]
    for name, p in other.paired.items():
        low, high = p["ci95"]
        lines.append(
            f"{name:22}{p['accuracy_first']:>8.1%}{p['accuracy_second']:>8.1%}  "
            f"{p['delta_accuracy']:+.1%} [{low:+.1%}, {high:+.1%}] p = {p['p_value']:.3g}"
        )
    return lines


def fairness_table(found: Fairness) -> str:
    """Return a line for each arm, and for each category."""
    head = f"{'':22}{'pairs':>7}{'flip rate':>10}{'CTF gap':>9}  mean difference [95 %]"
    lines = [head]
    arms = {**found.arms, **{f"{c}: plain": a["plain"] for c, a in found.groups.items()}}
    for name, gap in arms.items():
        low, high = gap.ci95
        lines.append(
            f"{name:22}{gap.pairs:>7,}{gap.flip_rate:>10.1%}{gap.ctf_gap:>9.4f}  "
            f"{gap.mean_difference:+.4f} [{low:+.4f}, {high:+.4f}] p = {gap.p_value:.3g}"
            + (f"  ({gap.same_input:.0%} the same to the model)" if gap.same_input else "")
        )
    return "\n".join([*lines, "", f"{found.pairs:,} pairs, p({found.label}), model {found.model}."])
