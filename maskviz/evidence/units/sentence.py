"""What masking units changes, in one plain sentence."""

from __future__ import annotations

from ...inside.units import SEVERAL
from ...text.percent import number, percent
from ..text.sentence import comparison_sentence, shortened
from .compare import Silenced
from .knockout import Knockout
from .layers import Lens
from .scan import UnitScan

LEAST_SHOWN = 0.001  # what is less stands as 0 in the table of units


def units_sentence(found: Silenced) -> str:
    """Say what masking units changes in the answer, and how often as many others do the same."""
    doing = found.way.said.format(units=found.units.said)
    return comparison_sentence(found.comparison, found.control, doing)


def scan_sentence(found: UnitScan) -> str:
    """Say which unit of a scan has the largest effect, and what that is worth.

    On one text it is the largest of so many, which is no verdict; over rows it is tested on others.
    """
    count, one = len(found.effects), found.largest
    every = f"{count} {SEVERAL[found.kind]}"
    if abs(one.effect) < LEAST_SHOWN:
        doing = found.way.said.format(units=f"any one of the {every}")
        return f"{doing} moves nothing: no effect reaches {LEAST_SHOWN}."
    doing = found.way.said.format(units=one.unit.said)
    moves = f"moves the log-odds of the answer by {_signed(one.effect)}"
    if found.plain is not None:
        label, before = found.plain
        if one.probability is not None and found.question.head in ("single", "multi"):
            what = label if found.question.name == "labels" else f"“{shortened(label)}”"
            moves = f"moves {what} from {percent(before)} to {percent(one.probability)}"
        else:
            moves = f"moves {shortened(label)} by {_signed(one.effect)}"
        return f"{doing} {moves}: the largest of {every} on this text, which is no verdict."
    tested = found.tested
    if tested is None:
        return (
            f"{doing} {moves} on average over {len(found.values)} row"
            f"{'s' * (len(found.values) != 1)}: the largest of {every}, which is no verdict."
        )
    return (
        f"{tested.unit.said[0].upper()}{tested.unit.said[1:]} is the largest of {count} on "
        f"{tested.found_on} rows; on {tested.rows} others masking it ({found.way.operator}) moves "
        f"the log-odds of the answer by {_signed(tested.effect)}, number {tested.rank} of {count} "
        f"(p = {tested.p_value:.3f})."
    )


def knockout_sentence(found: Knockout) -> str:
    """Say what cutting the edges in all layers changes, and in which window most."""
    keys, queries = (shortened(" ".join(tokens)) for tokens in (found.keys, found.queries))
    cut = f"Where no token may attend to “{keys}”"
    if not found.every:
        cut = f"Where “{queries}” may not attend to “{keys}”"
    others = found.others
    if found.p_value is not None:
        strong = round(found.p_value * (1 + len(others))) - 1
        chance = (
            f"; of {len(others)} cuts to other masks of {found.unit}, {strong} change it as much "
            f"(p = {found.p_value:.3f})"
        )
    elif others:
        chance = f"; too few other masks of {found.unit} ({len(others)}) for more than a rank"
    else:
        chance = ""
    one = found.strongest
    several = one.last > one.first
    where = f"layers {one.first + 1}–{one.last + 1}" if several else f"layer {one.first + 1}"
    return (
        f"{cut} in any layer, the log-odds of "
        f"“{shortened(found.label)}” move by {_signed(found.whole.effect)}{chance}. The strongest "
        f"of {len(found.windows)} windows is {where} ({_signed(one.effect)}), which is no verdict."
    )


def lens_sentence(found: Lens) -> str:
    """Say from which layer on the answer is there, plain and masked."""
    count, target = len(found.plain) - 1, shortened(found.target)
    if found.settles > count:
        said = f"“{target}” is not the model's first answer"
    elif found.settles:
        said = f"From layer {found.settles} of {count} on the answer is “{target}”"
    else:
        said = f"The answer is “{target}” before any layer"
    if not found.masked:
        return f"{said}."
    last = found.masked[-1]
    return (
        f"{said}; with words hidden it is number {last.rank:,} of {found.of:,} behind the last "
        f"layer, where it was number {found.plain[-1].rank:,}."
    )


def _signed(value: float) -> str:
    return number(value, "+.2f")
