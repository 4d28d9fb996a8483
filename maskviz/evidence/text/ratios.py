"""How many hidden tokens a model guesses right, by how much is hidden: what a ratio costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import TextError
from ...masks.choose import mask as choose_mask
from ...models.model import Model, load_model
from ...readings.fills import guessed_right
from ..intervals import mean_interval

RATIOS = (0.05, 0.15, 0.3, 0.5, 0.8)
DRAWS = 20


@dataclass(frozen=True)
class Guessed:
    """One ratio: the share of words really hidden, and of hidden tokens guessed at the first try.

    ci95: Student's t interval over the random masks, within 0 and 1.
    """

    ratio: float
    realised: float
    right: float
    ci95: tuple[float, float]


def guessed_by_ratio(
    text: str, model: Model | str = "mini", ratios: Sequence[float] = RATIOS, draws: int = DRAWS
) -> list[Guessed]:
    """Hide random words of a text, `draws` times for each ratio, and count the right guesses.

    Raises CapabilityError where the model does not fill, TextError where the text has no word.

    >>> [found.ratio for found in guessed_by_ratio("A warm and funny film.", ratios=(0.2, 0.6))]
    [0.2, 0.6]
    """
    loaded = load_model(model)
    loaded.require("fill")
    found = []
    for ratio in ratios:
        masks = [choose_mask(text, "random", ratio=ratio, seed=seed) for seed in range(draws)]
        shares = [right / count for right, count in guessed_right(masks, loaded) if count]
        if not shares:
            raise TextError("The text has no word to hide: give a sentence.")
        mean, low, high = mean_interval(shares)
        realised = masks[0].realised_ratio
        found.append(Guessed(ratio, realised, mean, (max(0.0, low), min(1.0, high))))
    return found
