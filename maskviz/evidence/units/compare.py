"""A text and a network with some of its units masked: what changes, beside other units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...errors import ParameterError
from ...inside.anatomy import anatomy_of, whole_layers_stay
from ...inside.operators import FROM_PLAIN
from ...inside.scanning import Scan
from ...inside.under import question_around
from ...inside.units import SEVERAL, UnitMask
from ...masks.encoding import Encoding
from ...masks.mask import Mask
from ...models.model import Model
from ...readings.labels import prediction_of
from ...readings.question import Question, Spec, asked
from ..chance.verdict import DRAWS, Control
from ..statistics import divergence
from ..text.compare import LEAST, Comparison
from .asking import Way, put_to, scan_of
from .reference import unit_sets

_SAME = 1e-4  # as in the verdict on words
NONE = (
    "No unit is named: write heads as 3.1,3.4, layer and head from 1, MLPs as 3.mlp, layers as 3."
)


@dataclass(frozen=True)
class Silenced:
    """What masking units changes in the answer to one text.

    comparison: its `original` is the answer with all units as they are. control: the other sets of
    as many units. way: how they were masked.
    """

    units: UnitMask
    way: Way
    comparison: Comparison
    control: Control

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        return {
            **self.comparison.to_dict(),
            "units": self.units.to_dict(),
            "unit_operator": self.way.operator,
            "control": self.control.to_dict(),
            "reference": self.control.reference(),
        }


def compare_units(
    text: str,
    units: UnitMask | str,
    model: Model | str | Question = "mini",
    way: Way | None = None,
    draws: int = DRAWS,
    question: Spec = "labels",
) -> Silenced:
    """Ask about a text with all units as they are and with some masked, beside as many others.

    units: a mask, or units of one kind as they are written: `3.1,3.4`. Raises ParameterError for a
    unit that there is not or every head of a layer, CapabilityError where they cannot be changed.

    >>> compare_units("A truly great film.", "1.1").control.size
    '1 head'
    """
    if draws < LEAST:
        raise ParameterError(f"{draws} other sets of units were asked for: the least is {LEAST}.")
    put, way = put_to(asked(model, question), text), way or Way()
    mask = units_of(units, put)
    whole_layers_stay(mask)
    sets = unit_sets(mask, draws)
    scan, read = scan_of(put, text, way, mask.kind)
    plain, found = scan.answers([mask.units, *sets.sets])
    compared = comparison_of(put, text, way, plain, found[0], _detail(put, scan, mask, read))
    return Silenced(mask, way, compared, beside_sets(put, compared, found, mask, sets.whole))


def units_of(units: UnitMask | str, question: Question) -> UnitMask:
    """Return a mask over the units of a question's model, read where it is written."""
    if isinstance(units, UnitMask):
        return units
    anatomy = anatomy_of(question.model)
    mask = UnitMask(anatomy, anatomy.read(units))
    if not mask.units:
        raise ParameterError(NONE)
    return mask


def _detail(put: Question, scan: Scan, mask: UnitMask, read: Encoding) -> dict[str, Any]:
    """Return what else the question says, of the network as it is and as it is changed."""
    changed = question_around(put, lambda: scan.changed([mask.units]))
    return put.detail(read, read, changed)


def comparison_of(
    put: Question, text: str, way: Way, plain: Any, changed: Any, detail: dict[str, Any]
) -> Comparison:
    """Return the comparison of two rows of logits, of the network as it is and as it is changed."""
    rows = [put.probabilities(one) for one in (plain, changed)]
    original, masked = (
        prediction_of(put, p, one) for p, one in zip(rows, (plain, changed), strict=True)
    )
    spoken = put.outputs[put.subject(rows[0])] if put.has_subject else ""
    hidden = way.hidden if way.operator == FROM_PLAIN and way.hidden is not None else Mask(text)
    return Comparison(
        hidden,
        way.hides if hidden.spans else "",
        put.model.name,
        original,
        masked,
        {k: masked.probabilities[k] - v for k, v in original.probabilities.items()},
        detail.get("kl", divergence(put.head, *rows)),
        "",
        {k: masked.log_odds[k] - v for k, v in original.log_odds.items()},
        put.spec(),
        spoken,
        detail,
        put.head,
    )


def beside_sets(
    put: Question, compared: Comparison, found: Any, mask: UnitMask, whole: bool
) -> Control:
    """Return the place of a mask among other sets; found: its logits, then theirs (1 + sets, …)."""
    import numpy as np

    label = compared.subject or compared.original.label
    index = put.index(label)
    odds = put.log_odds(found)[:, index]
    moved = abs(odds - compared.original.log_odds[label])
    p = put.probabilities(found)[1:, index]
    strong = int((moved[1:] >= moved[0] - _SAME).sum())
    nothing, count = float("nan"), len(p)
    low, high = np.quantile(p, [0.025, 0.975]) if count else (nothing, nothing)
    plain = compared.original.chosen
    flips = [prediction_of(put, put.probabilities(one), one).chosen != plain for one in found[1:]]
    knows = put.kind.flips(put.given) and count
    return Control(
        count,
        label,
        tuple(map(float, p)),
        sum(flips) / count if knows else nothing,
        float(low),
        float(high),
        float(p.mean()) if count else nothing,
        SEVERAL[mask.kind][:-1],
        len(mask),
        whole,
        float(moved[0]),
        strong,
        (1 + strong) / (1 + count),
        chosen_by_effect(mask),
    )


def chosen_by_effect(mask: UnitMask) -> bool:
    """Tell whether a mask was chosen by its own effect on this text."""
    return "top-k" in mask.strategy
