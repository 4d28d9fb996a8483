"""What masking units changes, in one plain sentence."""

from __future__ import annotations

from ...text.percent import percent
from ..text.sentence import comparison_sentence, shortened
from .compare import Silenced
from .scan import HeadScan


def units_sentence(found: Silenced) -> str:
    """Say what masking units changes in the answer, and how often as many others do the same."""
    doing = found.way.said.format(units=found.units.said)
    return comparison_sentence(found.comparison, found.control, doing)


def scan_sentence(found: HeadScan) -> str:
    """Say which head of a scan has the largest effect, and what that is worth.

    On one text it is the largest of so many, which is no verdict; over rows it is tested on others.
    """
    count, one = len(found.effects), found.largest
    doing = found.way.said.format(units=one.unit.said)
    moves = f"moves the log-odds of the answer by {_signed(one.effect)}"
    if found.plain is not None:
        label, before = found.plain
        if one.probability is not None and found.question.head in ("single", "multi"):
            what = label if found.question.name == "labels" else f"“{shortened(label)}”"
            moves = f"moves {what} from {percent(before)} to {percent(one.probability)}"
        else:
            moves = f"moves {shortened(label)} by {_signed(one.effect)}"
        return f"{doing} {moves}: the largest of {count} heads on this text, which is no verdict."
    tested = found.tested
    if tested is None:
        return f"{doing} {moves} on average over {len(found.values)} rows, the largest of {count}."
    return (
        f"{tested.unit.said[0].upper()}{tested.unit.said[1:]} is the largest of {count} on "
        f"{tested.found_on} rows; on {tested.rows} others masking it ({found.way.operator}) moves "
        f"the log-odds of the answer by {_signed(tested.effect)}, number {tested.rank} of {count} "
        f"(p = {tested.p_value:.3f})."
    )


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
