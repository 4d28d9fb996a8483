"""SweepSpec: a grid of fine-tunes as asked for. A run's spec file with a section [sweep]:

    model = "mini"

    [data]
    path = "reviews.csv"

    [training]
    max_steps = 300

    [sweep]
    strategies = ["random", "attribute"]
    operators = ["mask"]
    ratios = [0.15, 0.3]
    seeds = 5

Two things are in every sweep: the plain baseline, and for each strategy a random control that
hides as many words as it does.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import ParameterError, UnknownNameError
from ..training.spec.mask_spec import NO_STRATEGY, MaskingSpec
from ..training.spec.spec import RunSpec
from ..training.spec.toml import to_toml

PLAIN, RANDOM = NO_STRATEGY, "random"
LARGEST = 1000  # cells
_KEYS = ("strategies", "operators", "ratios", "seeds")


@dataclass(frozen=True)
class Cell:
    """One fine-tune of a sweep; role: `plain`, `grid` or `control` (of the strategies it serves).

    ratio: as asked for; None leaves the strategy its own default.
    """

    strategy: str
    operator: str
    ratio: float | None
    seed: int
    role: str = "grid"

    @property
    def setting(self) -> tuple[str, str, float | None]:
        """What the cells of all seeds have in common."""
        return self.strategy, self.operator, self.ratio

    def spec(self, base: RunSpec) -> RunSpec:
        """Return the run that fills this cell."""
        masking = MaskingSpec(self.strategy, self.operator, self.ratio, base.masking.dynamic)
        if base.masking.strategy == self.strategy:
            masking = replace(base.masking, operator=self.operator, ratio=self.ratio, matrix="")
            if masking.second:
                second = replace(masking.second, seed=masking.second.seed + self.seed)
                masking = replace(masking, second=second)
        return replace(base, masking=masking, seed=self.seed)


@dataclass(frozen=True)
class SweepSpec:
    """The grid: every strategy with every operator, ratio and seed.

    ratios: None in place of a number is the strategy's own default; of strategies that hide all
    that matches a ratio is the most they may hide. seeds: 0 … seeds − 1. Raises ParameterError or
    UnknownNameError.

    >>> SweepSpec(strategies=("random",), ratios=(0.1, 0.3), seeds=2).size
    6
    """

    strategies: tuple[str, ...] = ("random", "attribute")
    operators: tuple[str, ...] = ("mask",)
    ratios: tuple[float | None, ...] = (None,)
    seeds: int = 5
    base: RunSpec = field(default_factory=RunSpec)

    def __post_init__(self) -> None:
        kept = tuple(dict.fromkeys(s for s in self.strategies if s != PLAIN))
        object.__setattr__(self, "strategies", kept)
        for name in ("operators", "ratios"):
            object.__setattr__(self, name, tuple(dict.fromkeys(getattr(self, name))))
        if not kept or not self.operators or not self.ratios:
            raise ParameterError(
                "A sweep needs a strategy, an operator and a ratio: name one of each."
            )
        if isinstance(self.seeds, bool) or not isinstance(self.seeds, int):
            raise ParameterError(f"seeds is {self.seeds!r}: give how many, such as 5.")
        if not 1 <= self.seeds <= 100:
            raise ParameterError(f"seeds is {self.seeds}: give 1 to 100.")
        for cell in self.grid(1):
            cell.spec(self.base)  # names and ratios are checked there
        if self.size > LARGEST:
            raise ParameterError(
                f"The sweep has {self.size:,} cells, more than {LARGEST:,}: name fewer strategies, "
                "ratios or seeds."
            )

    @property
    def has_plain(self) -> bool:
        """Whether a plain baseline can be trained: the task mlm has none."""
        return self.base.task != "mlm"

    @property
    def size(self) -> int:
        """The number of cells before the controls are counted."""
        settings = len(self.strategies) * len(self.operators) * len(self.ratios)
        return (settings + self.has_plain) * self.seeds

    def grid(self, seeds: int | None = None) -> list[Cell]:
        """Return plain baseline and grid, seed by seed: an early look compares like with like."""
        cells = []
        for seed in range(self.seeds if seeds is None else seeds):
            if self.has_plain:
                cells.append(Cell(PLAIN, "mask", None, seed, "plain"))
            cells += [
                Cell(strategy, operator, ratio, seed)
                for strategy in self.strategies
                for operator in self.operators
                for ratio in self.ratios
            ]
        return cells

    @property
    def id(self) -> str:
        """A name that depends on what is asked for alone: the same sweep is found again."""
        from ..training.folder import slug

        table = self.to_dict()
        table.pop("name", None)
        digest = hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()[:8]
        return f"{slug(self.base.name) or 'sweep'}-{digest}"

    def to_dict(self) -> dict[str, Any]:
        """Return the sweep as nested dictionaries: a run's, and `sweep`."""
        grid = {name: getattr(self, name) for name in _KEYS}
        # None has no place in TOML: 0 stands for the strategy's own ratio.
        grid["ratios"] = [0.0 if ratio is None else ratio for ratio in self.ratios]
        return {**asdict(self.base), "sweep": grid}

    def to_toml(self) -> str:
        """Return the sweep as a TOML document."""
        return to_toml(self.to_dict())

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> SweepSpec:
        """Build a sweep from nested dictionaries, such as a TOML document gives."""
        parts = dict(table)
        grid = parts.pop("sweep", {})
        if not isinstance(grid, Mapping):
            raise ParameterError("sweep must be a section, such as [sweep].")
        for key in grid:
            if key not in _KEYS:
                raise UnknownNameError.of("setting in [sweep]", key, _KEYS)
        values = {key: _listed(key, value) for key, value in grid.items()}
        return cls(base=RunSpec.from_dict(parts), **values)

    @classmethod
    def from_file(cls, path: str | Path) -> SweepSpec:
        """Read a sweep file; a relative data path is meant from the file's own folder."""
        path = Path(path).expanduser()
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise ParameterError(f"The sweep is not TOML ({error}): correct that line.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ParameterError(f"The sweep {path.name!r} cannot be read ({error}).") from None
        spec = cls.from_dict(table)
        return replace(
            spec, base=replace(spec.base, data=spec.base.data.located(path.resolve().parent))
        )


def _listed(key: str, value: Any) -> Any:
    """Return a list's values as the field's own type."""
    if key == "seeds":
        return value
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ParameterError(f"{key} is {str(value)[:40]!r} and must be a list.")
    if key != "ratios":
        return tuple(str(item) for item in value)
    for item in value:
        if isinstance(item, bool) or not isinstance(item, (int, float)):
            raise ParameterError(f"ratios holds {str(item)[:40]!r}: give numbers from 0 to 1.")
    return tuple(None if item == 0 else float(item) for item in value)
