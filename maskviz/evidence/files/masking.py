"""What masks a row: a strategy with its parameters, ready for any text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...masks.choose import mask as choose_mask
from ...masks.expression import is_expression
from ...masks.mask import Mask
from ...masks.registry import STRATEGIES
from ...models.model import Model
from ...text.conversation import Conversation

Job = Callable[[str | Conversation, int], Mask]


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
