"""What masks one text of a file by a strategy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...masks.choose import mask as choose_mask
from ...masks.expression import is_expression, needs
from ...masks.mask import Mask
from ...masks.registry import STRATEGIES
from ...models.model import Model
from ...text.conversation import Conversation
from ...text.document import Document
from ...text.pipelines import BUNDLED

Job = Callable[[str | Conversation | Document, int], Mask]


def pipelines_of(strategies: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return the pipelines that read texts for some strategies."""
    return {
        str(given.get("pipeline") or BUNDLED)
        for name, given in strategies.items()
        if "pipeline" in needs(name)
    }


def masking_job(
    strategy: str, parameters: Mapping[str, Any], ratio: float | None, model: Model
) -> Job:
    """Return what masks one text; the strategy's own ratio counts for exhaustive ones."""
    given = dict(parameters)
    if is_expression(strategy):
        given.setdefault("model", model)
        return lambda text, seed: choose_mask(text, strategy, ratio=ratio, seed=seed, **given)
    entry = STRATEGIES[strategy]
    if any(p.name == "model" for p in entry.parameters):
        given.setdefault("model", model)
    share = given.pop("ratio", None if entry.kind == "exhaustive" else ratio)
    return lambda text, seed: choose_mask(text, strategy, ratio=share, seed=seed, **given)
