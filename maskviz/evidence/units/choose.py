"""Strategies over heads: by name, at random, by the role they play, by what they do to the answer.

manual    heads as they are written: 3.1,3.4
random    random:3, so many drawn from all
role      role:previous-token, all heads that play that role on the plain text
top-k     top-k:3, those with the largest effect on this text, so that no verdict is left
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass

from ...attention import attend
from ...attention.roles import SHORT, HeadRole
from ...attention.view import notes, view
from ...errors import ParameterError, UnknownNameError
from ...inside.anatomy import anatomy_of
from ...inside.units import Anatomy, Unit, UnitMask
from ...models.memory import remembered
from ...models.model import Model
from ...readings.question import Question
from .asking import Way
from .scan import HeadScan, scan_text

STRATEGIES = ("manual", "random", "role", "top-k")


@dataclass(frozen=True)
class RoleShare:
    """What the heads of a role carry: their part of Σ |effect| over all heads, and how many."""

    role: str
    heads: int
    share: float


def choose_heads(
    written: str, question: Question, text: str, way: Way | None = None, seed: int = 0
) -> UnitMask:
    """Return the heads that are asked for, see above.

    Raises ParameterError for a head that there is not, or a number that cannot be.

    >>> from maskviz.readings.question import asked
    >>> str(choose_heads("1.1,2.3", asked("mini"), "A film."))
    '1.1,2.3'
    """
    name, sign, rest = written.partition(":")
    anatomy = anatomy_of(question.model)
    if not sign or name in ("decoder", "cross"):
        mask = UnitMask(anatomy, anatomy.read(written))
        if not mask.units:
            raise ParameterError("No head is named: write them as 3.1,3.4, layer and head from 1.")
        return mask
    if name == "random":
        return random_heads(anatomy, _count(rest, anatomy), seed)
    if name == "role":
        return role_heads(question.model, text, rest)
    if name == "top-k":
        count = _count(rest, anatomy)
        return largest_heads(scan_text(text, question.about(text), way or Way()), count)
    raise UnknownNameError.of("strategy over heads", name, STRATEGIES)


def _count(written: str, anatomy: Anatomy) -> int:
    most = len(anatomy.all_heads) - 1
    if not written.isdecimal() or not 1 <= int(written) <= most:
        raise ParameterError(
            f"{written!r} heads are asked for: give a number from 1 to {most}, such as random:3."
        )
    return int(written)


def random_heads(anatomy: Anatomy, count: int, seed: int = 0) -> UnitMask:
    """Return so many heads, drawn without replacement."""
    rng = random.Random(seed)  # noqa: S311  repeatable, not secret
    drawn = rng.sample(range(len(anatomy.all_heads)), count)
    units = tuple(anatomy.all_heads[i] for i in drawn)
    return UnitMask(anatomy, units, "random", {"count": count}, seed)


def largest_heads(scan: HeadScan, count: int) -> UnitMask:
    """Return the heads with the largest effects of a scan."""
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


def role_shares(scan: HeadScan, roles: dict[Unit, HeadRole]) -> tuple[RoleShare, ...]:
    """Return what share of the effect the heads of each role carry, the largest first."""
    effects: dict[str, list[float]] = defaultdict(list)
    for one in scan.effects:
        if one.unit in roles:
            effects[roles[one.unit].name].append(abs(one.effect))
    total = sum(map(sum, effects.values())) or 1.0
    found = [RoleShare(role, len(own), sum(own) / total) for role, own in effects.items()]
    return tuple(sorted(found, key=lambda one: -one.share))
