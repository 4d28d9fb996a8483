"""What units a loaded model has, as its checks found them."""

from __future__ import annotations

from collections import Counter

from ..errors import CapabilityError, ParameterError
from ..models.checks import finding, refusal
from ..models.model import Model
from .tape import parts_of
from .units import HEAD, KINDS, LAYER, SEVERAL, Anatomy, UnitMask

CHECKED = {HEAD: "heads", "mlp": "MLPs", LAYER: "whole layers"}  # kind → the check of it


def anatomy_of(model: Model) -> Anatomy:
    """Return the units of a model; kinds that fail their check are refused when they are named.

    Raises CapabilityError where no unit can be changed.

    >>> from maskviz import load_model
    >>> units = anatomy_of(load_model("mini"))
    >>> [len(units.of_kind(kind)) for kind in ("head", "mlp", "layer")]
    [24, 6, 6]
    """
    found = {kind: finding(model, name) for kind, name in CHECKED.items()}
    refused = {
        kind: refusal(model, CHECKED[kind], one) for kind, one in found.items() if not one.passed
    }
    if len(refused) == len(KINDS):
        raise CapabilityError(refused[HEAD])
    known = {kind: one.value for kind, one in found.items() if one.passed}
    heads = {(p, n): count for p, n, count in known[HEAD]["heads"]} if HEAD in known else {}
    mlps = {(p, n): path for p, n, path in known["mlp"]["mlps"]} if "mlp" in known else {}
    whole = tuple((p, n) for p, n in known[LAYER]["whole"]) if LAYER in known else ()
    layers = next(iter(known.values()))["layers"]
    first = parts_of(model)[0]
    return Anatomy(model.name, model.family, first, heads, layers, mlps, whole, refused)


def whole_layers_stay(mask: UnitMask) -> None:
    """Raise ParameterError where a mask takes every head of a layer, or every layer of a part."""
    anatomy = mask.anatomy
    taken = Counter(anatomy.key(unit) for unit in mask.units)
    layers = Counter(part for part, _, kind in taken if kind == LAYER)
    for unit in mask.units:
        if unit.kind != LAYER and (anatomy.part(unit), unit.layer, LAYER) in taken:
            raise ParameterError(
                f"{unit} lies in layer {unit.layer + 1}, which is masked whole: leave one of the "
                "two out."
            )
    for part, count in layers.items():
        if count == anatomy.layers[part]:
            raise ParameterError(
                f"All {count} layers{_of(mask, part)} are named, and nothing would be read: leave "
                "one of them."
            )
    for (part, layer, kind), count in taken.items():
        if kind == HEAD and count == anatomy.heads[part, layer]:
            raise ParameterError(
                f"All {count} {SEVERAL[HEAD]} of layer {layer + 1} are named{_of(mask, part)}, and "
                "without attention it is another network: leave one of them, or name fewer layers."
            )


def _of(mask: UnitMask, part: str) -> str:
    return f" ({part})" * (part != mask.anatomy.first)
