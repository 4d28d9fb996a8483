"""Units of a network, and masks over them: heads `4.7`, MLPs `4.mlp`, layers `4`, all from 1.

A mask over units has the algebra, the JSON and the seed of a mask over words. It belongs to the
anatomy of one network, which says what units there are, so that `~a` is all the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ..errors import CapabilityError, MaskError, ParameterError

HEAD, MLP, LAYER = KINDS = ("head", "mlp", "layer")
SEVERAL = {HEAD: "heads", MLP: "MLPs", LAYER: "layers"}
Key = tuple[str, int, str]  # part, layer and kind
SIDES = ("decoder", "cross")  # of an encoder–decoder, beside the encoder, which is not named
_WRITTEN = re.compile(r"(?:(\w+):)?(\d+)(?:\.(\d+|mlp))?")


@dataclass(frozen=True, order=True)
class Unit:
    """A head, an MLP or a layer, counted from 0; side: `decoder` or `cross`, of two-sided networks.

    >>> [str(unit) for unit in (Unit(3, 6), Unit(3, kind="mlp"), Unit(0, 1, "cross"))]
    ['4.7', '4.mlp', 'cross:1.2']
    """

    layer: int
    head: int = -1
    side: str = ""
    kind: str = HEAD

    def __str__(self) -> str:
        behind = {HEAD: f".{self.head + 1}", MLP: ".mlp", LAYER: ""}[self.kind]
        return f"{self.side and self.side + ':'}{self.layer + 1}{behind}"

    @property
    def said(self) -> str:
        """The unit as a sentence has it: `head 4.7`, `the MLP of layer 4`, `layer 4`."""
        of = f" of the {self.side}" if self.side == "decoder" else self.side and " across"
        if self.kind == HEAD:
            return f"head {self.layer + 1}.{self.head + 1}{of}"
        return f"{'the MLP of ' * (self.kind == MLP)}layer {self.layer + 1}{of}"


def unit_of(written: str) -> Unit:
    """Read a unit as it is written. Raises ParameterError.

    >>> unit_of("4.7")
    Unit(layer=3, head=6, side='', kind='head')
    """
    found = _WRITTEN.fullmatch(written.strip())
    side, layer, rest = found.groups() if found else (None, "0", None)
    number = int(rest) if rest and rest != "mlp" else 1
    if not found or (side or "decoder") not in SIDES or not int(layer) or not number:
        raise ParameterError(
            f"{written.strip()!r} names no unit: write a head as 4.7 (layer and head, from 1), an "
            "MLP as 4.mlp, a layer as 4; decoder: or cross: before it, of an encoder–decoder."
        )
    kind = LAYER if rest is None else MLP if rest == "mlp" else HEAD
    return Unit(int(layer) - 1, number - 1 if kind == HEAD else -1, side or "", kind)


@dataclass(frozen=True)
class Anatomy:
    """What units a network has.

    first: the part that reads the text, `encoder` or `decoder`. heads: (part, layer) → heads, of
    the layers whose attention is seen; others have none that can be changed. layers: part → how
    many there are. mlps: (part, layer) → where in its layer an MLP lies, of those that are seen.
    whole: the layers that can be left out. refused: kind → why no unit of it can be changed.
    """

    model: str
    family: str
    first: str
    heads: Mapping[tuple[str, int], int]
    layers: Mapping[str, int]
    mlps: Mapping[tuple[str, int], str] = field(default_factory=dict)
    whole: tuple[tuple[str, int], ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __hash__(self) -> int:
        return hash((self.model, self.first, tuple(self.heads.items())))

    def part(self, unit: Unit) -> str:
        """Return the part of the network that a unit is in."""
        return unit.side or self.first

    @cached_property
    def all_heads(self) -> tuple[Unit, ...]:
        """Every head, by part, layer and number."""
        return tuple(
            Unit(layer, head, "" if part == self.first else part)
            for (part, layer), count in self.heads.items()
            for head in range(count)
        )

    def of_kind(self, kind: str) -> tuple[Unit, ...]:
        """Return every unit of a kind. Raises CapabilityError where none can be changed."""
        if kind in self.refused:
            raise CapabilityError(self.refused[kind])
        if kind == HEAD:
            return self.all_heads
        places = self.mlps if kind == MLP else self.whole
        return tuple(Unit(n, side="" if p == self.first else p, kind=kind) for p, n in places)

    def key(self, unit: Unit) -> Key:
        """Return where a unit's value goes by."""
        return self.part(unit), unit.layer, unit.kind

    def keys(self, kind: str) -> tuple[Key, ...]:
        """Return where the values of all units of a kind go by."""
        return tuple(dict.fromkeys(map(self.key, self.of_kind(kind))))

    def beside(self, key: Key) -> int:
        """Return how many units have their values side by side: the heads of a layer, else 1."""
        return self.heads[key[:2]] if key[2] == HEAD else 1

    def checked(self, unit: Unit) -> Unit:
        """Return a unit that is there. Raises ParameterError, with what there is."""
        part = self.part(unit)
        side = "decoder" if part == "cross" else part
        if side not in self.layers or (unit.side and self.first == "decoder"):
            raise ParameterError(
                f"{self.model!r} has no {part} beside: leave {part}: out of {unit}."
            )
        count = self.layers[side]
        if unit.layer >= count:
            raise ParameterError(
                f"There is no layer {unit.layer + 1} in {self.model!r}: it has {count}."
            )
        there = self.of_kind(unit.kind)
        if unit.kind == HEAD:
            self._head(unit, part)
        elif unit not in there:
            raise ParameterError(
                f"{unit} of {self.model!r} ({self.family}) cannot be changed by itself: name "
                f"{_named(there)}."
            )
        return unit

    def _head(self, unit: Unit, part: str) -> None:
        count = self.heads.get((part, unit.layer))
        if count is None:
            there = ", ".join(str(n + 1) for p, n in self.heads if p == part)
            raise ParameterError(
                f"Layer {unit.layer + 1} of {self.model!r} computes no attention that is seen: "
                f"name a head of layer {there}."
            )
        if unit.head >= count:
            raise ParameterError(
                f"There is no head {unit.layer + 1}.{unit.head + 1} in {self.model!r}: layer "
                f"{unit.layer + 1} has {count} heads."
            )

    def read(self, written: str | Iterable[str]) -> tuple[Unit, ...]:
        """Read `3.1,3.4`. Raises ParameterError for a unit there is not."""
        words = written.split(",") if isinstance(written, str) else list(written)
        return tuple(self.checked(unit_of(word)) for word in words if word.strip())


def _named(units: tuple[Unit, ...]) -> str:
    shown = ", ".join(map(str, units[:6]))
    return f"one of {shown}{' …' * (len(units) > 6)}" if units else "heads"


@dataclass(frozen=True, eq=False)
class UnitMask:
    """Units of one network that are masked, sorted, and how they were chosen.

    >>> of = Anatomy("m", "bert", "encoder", {("encoder", 0): 2, ("encoder", 1): 2}, {"encoder": 2})
    >>> a, b = UnitMask(of, of.read("1.1")), UnitMask(of, of.read("1.1,2.2"))
    >>> str(a | b), str(~b)
    ('1.1,2.2', '1.2,2.1')
    """

    anatomy: Anatomy
    units: tuple[Unit, ...] = ()
    strategy: str = "manual"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        units = sorted(set(self.units), key=self._order)
        object.__setattr__(self, "units", tuple(map(self.anatomy.checked, units)))

    @staticmethod
    def _order(unit: Unit) -> tuple[int, int, int, str]:
        return ("", *SIDES).index(unit.side), unit.layer, unit.head, unit.kind

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UnitMask):
            return NotImplemented
        return self.anatomy == other.anatomy and self.units == other.units

    def __hash__(self) -> int:
        return hash(self.units)

    def __str__(self) -> str:
        return ",".join(map(str, self.units))

    def __len__(self) -> int:
        return len(self.units)

    def __or__(self, other: UnitMask) -> UnitMask:
        return self._combined("|", other, {*self.units, *other.units})

    def __and__(self, other: UnitMask) -> UnitMask:
        return self._combined("&", other, {*self.units} & {*other.units})

    def __sub__(self, other: UnitMask) -> UnitMask:
        return self._combined("-", other, {*self.units} - {*other.units})

    def __invert__(self) -> UnitMask:
        kinds = dict.fromkeys(unit.kind for unit in self.units) or (HEAD,)
        others = {u for kind in kinds for u in self.anatomy.of_kind(kind)} - {*self.units}
        return replace(self, units=tuple(others), strategy=f"~({self.strategy})")

    def _combined(self, sign: str, other: UnitMask, units: Iterable[Unit]) -> UnitMask:
        if self.anatomy != other.anatomy:
            raise MaskError(
                f"The two masks belong to other networks, {self.anatomy.model!r} and "
                f"{other.anatomy.model!r}: make both of the same one."
            )
        return UnitMask(
            self.anatomy,
            tuple(units),
            f"({self.strategy} {sign} {other.strategy})",
            {"left": dict(self.parameters), "right": dict(other.parameters)},
            self.seed,
        )

    @property
    def kind(self) -> str:
        """The kind of its units; Raises ParameterError where they are of several."""
        kinds = {unit.kind for unit in self.units}
        if len(kinds) > 1:
            raise ParameterError(
                f"{self} are units of several kinds, which have no set to stand in: name heads, "
                "MLPs or layers alone."
            )
        return next(iter(kinds), HEAD)

    @property
    def said(self) -> str:
        """The units as a sentence has them: `head 4.7`, `3 heads (4.7, 4.9, 5.1)`."""
        if len(self.units) == 1:
            return self.units[0].said
        names = [str(unit) for unit in self.units]
        shown = ", ".join(names[:6]) + f" and {len(names) - 6} more" * (len(names) > 6)
        kinds = {unit.kind for unit in self.units}
        what = SEVERAL[kinds.pop()] if len(kinds) == 1 else "units"
        return f"{len(names)} {what} ({shown})"

    def to_dict(self) -> dict[str, Any]:
        """Return the mask as JSON-ready values."""
        return {
            "model": self.anatomy.model,
            "family": self.anatomy.family,
            "units": [str(unit) for unit in self.units],
            "strategy": self.strategy,
            "parameters": dict(self.parameters),
            "seed": self.seed,
        }

    def to_json(self) -> str:
        """Return the mask as a JSON document."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2)

    @classmethod
    def from_json(cls, document: str | bytes, anatomy: Anatomy) -> UnitMask:
        """Read a mask back for the network of that anatomy.

        Raises MaskError where the document is no mask over units, or one of another architecture.
        """
        try:
            values = json.loads(document)
            written, family = [str(one) for one in values["units"]], values["family"]
            given = str(values["strategy"]), dict(values["parameters"]), int(values["seed"])
        except (ValueError, TypeError, KeyError, UnicodeDecodeError):
            raise MaskError(
                "The document is no mask over units: save one with --out, or name the units."
            ) from None
        if family != anatomy.family:
            raise MaskError(
                f"The mask is over units of {family!r}, and {anatomy.model!r} is "
                f"{anatomy.family!r}: make one for this network."
            )
        return cls(anatomy, anatomy.read(written), *given)
