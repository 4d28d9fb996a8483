"""Strategies over units: by name, at random, by the role they play, by what they do to the answer.

manual    units as they are written: 3.1,3.4 or 2.mlp,5.mlp or 4
random    random:3, so many heads drawn from all; random:2:mlp, random:1:layer
role      role:previous-token, all heads that play that role on the plain text
top-k     top-k:3, those with the largest effect on this text, so that no verdict is left;
          top-k:1:mlp, top-k:1:layer
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ...attention import attend
from ...attention.roles import SHORT, HeadRole
from ...attention.view import notes, view
from ...errors import ParameterError, UnknownNameError
from ...inside.anatomy import anatomy_of
from ...inside.units import HEAD, KINDS, SEVERAL, Anatomy, Unit, UnitMask
from ...models.memory import remembered
from ...models.model import Model
from ...readings.question import Question
from .asking import Way
from .compare import units_of
from .scan import UnitScan, scan_text

STRATEGIES = ("manual", "random", "role", "top-k")


@dataclass(frozen=True)
class RoleShare:
    """What the heads of a role carry: their part of Σ |effect| over all heads, and how many.

    Over rows both are means: a head may play one role in one row and another in the next.
    """

    role: str
    heads: float
    share: float


def choose_units(
    written: str, question: Question, text: str, way: Way | None = None, seed: int = 0
) -> UnitMask:
    """Return the units that are asked for, see above.

    Raises ParameterError for a unit that there is not, or a number that cannot be.

    >>> from maskviz.readings.question import asked
    >>> str(choose_units("1.1,2.3", asked("mini"), "A film."))
    '1.1,2.3'
    """
    name, sign, rest = written.partition(":")
    anatomy = anatomy_of(question.model)
    if not sign or name in ("decoder", "cross"):
        return units_of(written, question)
    if name == "role":
        return role_heads(question.model, text, rest)
    if name not in STRATEGIES[1:]:
        raise UnknownNameError.of("strategy over units", name, STRATEGIES)
    number, _, kind = rest.partition(":")
    kind = checked_kind(kind or HEAD)
    count = _count(number, name, kind, len(anatomy.of_kind(kind)))
    if name == "random":
        return random_units(anatomy, count, seed, kind)
    return largest_units(scan_text(text, question.about(text), way or Way(), kind=kind), count)


def checked_kind(kind: str) -> str:
    """Return a kind of units, as it is written or of several. Raises UnknownNameError."""
    several = {name.casefold(): one for one, name in SEVERAL.items()}
    found = several.get(kind.casefold(), kind.casefold())
    if found not in KINDS:
        raise UnknownNameError.of("kind of units", kind, KINDS)
    return found


def _count(written: str, name: str, kind: str, every: int) -> int:
    if not written.isdecimal() or not 1 <= int(written) <= every - 1:
        raise ParameterError(
            f"{written!r} {SEVERAL[kind]} are asked for: give a number from 1 to {every - 1}, such "
            f"as {name}:{min(3, every - 1)}{':' + kind if kind != HEAD else ''}."
        )
    return int(written)


def random_units(anatomy: Anatomy, count: int, seed: int = 0, kind: str = HEAD) -> UnitMask:
    """Return so many units of a kind, drawn without replacement."""
    every, rng = anatomy.of_kind(kind), random.Random(seed)  # noqa: S311  repeatable, not secret
    units = tuple(every[i] for i in rng.sample(range(len(every)), count))
    return UnitMask(anatomy, units, "random", {"count": count}, seed)


def largest_units(scan: UnitScan, count: int) -> UnitMask:
    """Return the units with the largest effects of a scan."""
    units = tuple(one.unit for one in scan.effects if one.rank <= count)
    return UnitMask(scan.anatomy, units, "top-k", {"count": count})


def role_heads(model: Model, text: str, role: str) -> UnitMask:
    """Return every head of the part that reads the text that plays a role there.

    Raises UnknownNameError for a role there is not, ParameterError where no head plays it.
    """
    wanted = role.replace("-", " ").strip()
    if wanted not in SHORT:
        raise UnknownNameError.of("role", role, [name.replace(" ", "-") for name in SHORT])
    found = roles_on(model, text)
    units = tuple(unit for unit, one in found.items() if one.name == wanted)
    if not units:
        there = ", ".join(sorted({one.name.replace(" ", "-") for one in found.values()}))
        raise ParameterError(
            f"No head of {model.name!r} plays the role {role!r} on this text: choose from {there}."
        )
    return UnitMask(anatomy_of(model), units, "role", {"role": wanted})


def roles_on(model: Model, text: str) -> dict[Unit, HeadRole]:
    """Return the role of each head of the part that reads the text."""
    return dict(_roles(model.bare, text))


@remembered(maxsize=8)
def _roles(model: Model, text: str) -> tuple[tuple[Unit, HeadRole], ...]:
    shown = view(attend(text, model))
    return tuple(
        (Unit(shown.number(row), head), note)
        for row, layer in enumerate(notes(shown, masked=False))
        for head, note in enumerate(layer)
        if isinstance(note, HeadRole)
    )


def role_shares(scan: UnitScan, roles: dict[Unit, HeadRole]) -> tuple[RoleShare, ...]:
    """Return what share of the effect the heads of each role carry, the largest first."""
    return _shares([(scan.effects_of_row(0), roles)])


def shares_of_roles(scan: UnitScan, texts: Sequence[str]) -> tuple[RoleShare, ...]:
    """Return what share of the effect each role carries, the mean over the texts of a scan.

    Nothing where it is no scan of heads, which alone play roles.
    """
    if scan.kind != HEAD:
        return ()
    model = scan.question.model
    return _shares([(scan.effects_of_row(i), roles_on(model, t)) for i, t in enumerate(texts)])


def _shares(
    rows: Sequence[tuple[dict[Unit, float], dict[Unit, HeadRole]]],
) -> tuple[RoleShare, ...]:
    shares: dict[str, float] = defaultdict(float)
    counts: dict[str, float] = defaultdict(float)
    for effects, roles in rows:
        own = {unit: abs(value) for unit, value in effects.items() if unit in roles}
        total = sum(own.values()) or 1.0
        for unit, value in own.items():
            shares[roles[unit].name] += value / total / len(rows)
            counts[roles[unit].name] += 1 / len(rows)
    number = {role: round(count, 2) for role, count in counts.items()}
    whole = {role: int(one) if one.is_integer() else one for role, one in number.items()}
    found = [RoleShare(role, whole[role], share) for role, share in shares.items()]
    return tuple(sorted(found, key=lambda one: -one.share))
