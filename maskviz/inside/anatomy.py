"""What units a loaded model has, as its checks found them."""

from __future__ import annotations

from collections import Counter

from ..errors import ParameterError
from ..models.checks import demand
from ..models.model import Model
from .tape import parts_of
from .units import HEAD, Anatomy, UnitMask


def anatomy_of(model: Model) -> Anatomy:
    """Return the units of a model. Raises CapabilityError where they cannot be changed.

    >>> from maskviz import load_model
    >>> len(anatomy_of(load_model("mini")).all_heads)
    24
    """
    found = demand(model, "heads").value
    heads = {(part, layer): count for part, layer, count in found["heads"]}
    return Anatomy(model.name, model.family, parts_of(model)[0], heads, found["layers"])


def whole_layers_stay(mask: UnitMask) -> None:
    """Raise ParameterError where a mask takes every head of a layer, or what is no head."""
    others = [unit for unit in mask.units if unit.kind != HEAD]
    if others:
        raise ParameterError(f"{others[0]} is no head: write heads as 4.7, layer and head from 1.")
    taken = Counter((mask.anatomy.part(u), u.layer) for u in mask.units if u.kind == HEAD)
    for place, count in taken.items():
        if count == mask.anatomy.heads[place]:
            part, layer = place
            raise ParameterError(
                f"All {count} heads of layer {layer + 1} are named"
                f"{f' ({part})' * (part != mask.anatomy.first)}, and without attention it is "
                "another network: leave one of them, or name fewer layers."
            )
