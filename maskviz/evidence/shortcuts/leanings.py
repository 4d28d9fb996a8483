"""From sums to what may be said: effects beyond chance, their q-values, the narrowest of nested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

from ..chance.verdict import LEVEL
from .candidates import Candidate
from .result import Leaning, Part
from .signs import benjamini_yekutieli, sign_flip
from .sums import Leaned, Strata, Sums

FEWEST_UNITS = 10  # clusters, or rows, of the measured half that are tested
_NARROW = ("word", "pattern", "attribute", "entity", "pos", "strategy")  # what is narrower first
_SAME_ROWS = 0.95  # of the wider one's rows, from which on both stand in the same
_ONE_WAY = 0.5  # of the mean |Δ| that the mean Δ must be: else it speaks for both
_ARM = 10  # rows that each arm of a gap needs


def gaps_of_length(length: Strata, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return by output, and for `accuracy`, the gap between longer and shorter texts.

    names: of the values that were counted; of two labels the second alone, as the first mirrors it.
    """
    outputs = [name for name in names if name != "accuracy"]
    skipped = outputs[:1] if len(outputs) == 2 else []
    found = {n: length.gap(i, _ARM) for i, n in enumerate(names) if n not in skipped}
    return {name: gap for name, gap in found.items() if gap is not None}


def leanings(
    candidates: Sequence[Candidate],
    sums: Mapping[str, Leaned],
    place: Mapping[str, Strata],
    group_rows: Mapping[str, Mapping[str, int]],
    rows: int,
    outputs: Sequence[str],
    lengths: Mapping[str, dict[str, Any]],
) -> tuple[tuple[Leaning, ...], dict[str, dict[str, Any]], int]:
    """Return all that was measured, the surest first, the gaps with their q-values, and how many.

    The family of the q-values is every candidate that is tested and every gap.
    """
    there = [c for c in candidates if sums[c.name].all.rows]
    tests = {c.name: _tested(sums[c.name].all, c.name) for c in there}
    gaps = {f"length {name}": gap["p_value"] for name, gap in lengths.items()}
    family = {name: p for name, p in {**tests, **gaps}.items() if p is not None}
    q = dict(zip(family, benjamini_yekutieli(list(family.values())), strict=True))
    found = [
        _leaning(c, sums[c.name], tests[c.name], q.get(c.name), group_rows, rows, outputs)
        for c in there
    ]
    found = _narrowest(found, sums)
    found = _marked(found, sums)
    shown = [replace(one, place=_place(one, place.get(one.name))) for one in found]
    order = sorted(shown, key=lambda one: (not one.found, *_sure(one, sums[one.name].all)))
    told = {name: {**gap, "q_value": q.get(f"length {name}")} for name, gap in lengths.items()}
    return tuple(order), told, len(family)


def _tested(own: Sums, name: str) -> float | None:
    """Return the p-value of an effect beyond the reference; None of too few rows."""
    sums = own.beyond.sums
    return sign_flip(sums, crc32(name.encode())) if len(sums) >= FEWEST_UNITS else None


def _sure(one: Leaning, own: Sums) -> tuple[float, float]:
    return (2.0 if one.q_value is None else one.q_value, -own.score)


def _leaning(
    candidate: Candidate,
    own: Leaned,
    p: float | None,
    q: float | None,
    group_rows: Mapping[str, Mapping[str, int]],
    rows: int,
    outputs: Sequence[str],
) -> Leaning:
    groups = {
        column: {
            value: part_of(s, group_rows[column][value]) for value, s in sorted(values.items())
        }
        for column, values in own.groups.items()
    }
    towards, gained = _towards(own, outputs)
    return Leaning(
        candidate.name,
        candidate.kind,
        candidate.strategy,
        {n: list(v) if isinstance(v, tuple) else v for n, v in candidate.parameters},
        part_of(own.all, rows),
        own.all.beyond.units if own.all.beyond.n else 0,
        p,
        q,
        q is not None and q <= LEVEL,
        candidate.irrelevant,
        towards=towards,
        gained=gained,
        groups=groups,
    )


def part_of(own: Sums, rows: int) -> Part:
    """Return what sums say of a candidate in `rows` rows, of which some have it."""
    before, after, change, interval, _ = own.pairs.result()
    tested = own.beyond.n > 0
    return Part(
        own.rows,
        own.rows / rows if rows else 0.0,
        own.strength.mean if tested else None,
        own.reference.mean if tested else None,
        own.beyond.mean if tested else None,
        own.beyond.interval()[0] if tested else None,
        own.flips.mean,
        own.flips.interval()[0],
        own.flips_beyond.mean if tested else None,
        own.flips_beyond.interval()[0] if tested else None,
        before,
        after,
        change,
        interval,
    )


def _towards(own: Leaned, outputs: Sequence[str]) -> tuple[str | None, float | None]:
    """Return the output that the presence speaks for, and by how much on average."""
    if not own.gained:
        return None, None
    means = [total / own.all.rows for total in own.gained]
    if len(means) == 1:
        return None, means[0]
    best = max(range(len(means)), key=means.__getitem__)
    strength = own.all.strength.mean if own.all.strength.n else 0.0
    one_way = means[best] >= _ONE_WAY * strength > 0
    return outputs[best] if one_way else None, means[best]


def _narrowest(found: Sequence[Leaning], sums: Mapping[str, Leaned]) -> list[Leaning]:
    """Mark what is covered by a narrower candidate that is found on the same rows."""
    narrow = {o.name: (o.all.rows, _NARROW.index(o.kind), o.name) for o in found}
    kept = []
    for wide in found:
        covers = [one.name for one in found if one.found and _narrower(one, wide, sums)]
        covered = min(covers, key=lambda n: narrow[n]) if wide.found and covers else None
        kept.append(replace(wide, found=False, covered_by=covered) if covered else wide)
    return kept


def _narrower(one: Leaning, wide: Leaning, sums: Mapping[str, Leaned]) -> bool:
    """Tell whether a candidate is nested in another on the same rows; of two equals the first."""
    if one.name == wide.name or not _within(one.name, wide.name, sums, 1.0):
        return False
    if one.all.rows < _SAME_ROWS * wide.all.rows:
        return False
    if not _within(wide.name, one.name, sums, 1.0):
        return True
    order = [(_NARROW.index(x.kind), x.name) for x in (one, wide)]
    return order[0] < order[1]


def _within(name: str, other: str, sums: Mapping[str, Leaned], share: float) -> bool:
    """Tell whether in such a share of its rows another hides all that a candidate hides."""
    return sums[name].inside[other] >= share * sums[name].all.rows


def _marked(found: Sequence[Leaning], sums: Mapping[str, Leaned]) -> list[Leaning]:
    """Call a shortcut what is found and irrelevant itself, or lies within what is."""
    marked = [one.name for one in found if one.irrelevant]
    return [
        replace(
            one,
            irrelevant=(own := one.irrelevant
            or any(_within(one.name, other, sums, _SAME_ROWS) for other in marked)),
            shortcut=one.found and own,
        )
        for one in found
    ]  # fmt: skip


def _place(one: Leaning, strata: Strata | None) -> dict[str, Any] | None:
    """Return the effect in the first half of a text minus that in the second, where it is found."""
    return strata.gap(0, _ARM) if one.found and strata is not None else None
