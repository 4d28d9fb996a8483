"""One text with and without a mask: what changes in the answer, and what chance would change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..masks.choose import mask as choose_mask
from ..masks.mask import Mask
from ..masks.operators import apply
from ..models.model import Model, load_model
from ..models.predict import Prediction, class_probabilities, predict
from .statistics import kl_divergence


@dataclass(frozen=True)
class Comparison:
    """A classifier's answer on the plain and on the masked text.

    delta: label → p(masked) − p(plain). kl: KL(plain ‖ masked) in nats.
    notice: a sentence where the text was cut to what the model takes, else empty.
    """

    mask: Mask
    operator: str
    model: str
    original: Prediction
    masked: Prediction
    delta: dict[str, float]
    kl: float
    notice: str = ""

    @property
    def flip(self) -> bool:
        """Whether the predicted label changes."""
        return self.original.label != self.masked.label

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; the keys are the command line's."""
        return {
            **self.mask.to_dict(),
            "masked_text": self.mask.masked_text(self.operator),
            "model": self.model,
            "operator": self.operator,
            "original": vars(self.original),
            "masked": vars(self.masked),
            "flip": self.flip,
            "delta": self.delta,
            "kl": self.kl,
            "notice": self.notice,
        }


def compare(mask: Mask, model: Model | str = "mini", operator: str = "mask") -> Comparison:
    """Classify the text with and without the mask.

    >>> from maskviz import mask
    >>> compare(mask("A great film.", "pattern", pattern="great")).original.label
    'positive'
    """
    loaded = load_model(model)
    plain, hidden = apply(mask.text, "mask", loaded), apply(mask, operator, loaded)
    original, masked = predict(loaded, [plain, hidden])
    return Comparison(
        mask,
        operator,
        loaded.name,
        original,
        masked,
        {k: masked.probabilities[k] - p for k, p in original.probabilities.items()},
        kl_divergence(original.probabilities.values(), masked.probabilities.values()),
        plain.notice,
    )


@dataclass(frozen=True)
class Control:
    """What random masks of the same size do: the effect of chance.

    probabilities: of the plain text's label under each draw. flips: share of draws that flip.
    low, high: the middle 95 % of `probabilities`.
    """

    draws: int
    label: str
    probabilities: tuple[float, ...]
    flips: float
    low: float
    high: float


def control(
    mask: Mask, model: Model | str = "mini", operator: str = "mask", draws: int = 20
) -> Control:
    """Hide as many words as `mask` does, at random, `draws` times with the seeds 0, 1, …"""
    return _control(mask.text, mask.realised_ratio, load_model(model), operator, draws)


@lru_cache(maxsize=256)
def _control(text: str, ratio: float, model: Model, operator: str, draws: int) -> Control:
    import numpy as np

    masks = [choose_mask(text, "random", ratio=ratio, seed=i) for i in range(draws)]
    encodings = [apply(m, operator, model) for m in (Mask(text), *masks)]
    answers = class_probabilities(model, encodings)
    index = int(answers[0].argmax())
    under = answers[1:, index]
    low, high = np.quantile(under, [0.025, 0.975])
    return Control(
        draws,
        model.labels[index],
        tuple(map(float, under)),
        float((answers[1:].argmax(1) != index).mean()),
        float(low),
        float(high),
    )


@dataclass(frozen=True)
class Effect:
    """What one mask changes, beside what chance changes at the same size."""

    name: str
    comparison: Comparison
    control: Control

    @property
    def beyond_chance(self) -> bool:
        """Whether the masked probability lies outside the middle 95 % of the random draws."""
        after = self.comparison.masked.probabilities[self.control.label]
        return not self.control.low <= after <= self.control.high


def compare_masks(
    masks: Iterable[tuple[str, Mask]],
    model: Model | str = "mini",
    operator: str = "mask",
    draws: int = 20,
) -> list[Effect]:
    """Compare several named masks of one text, each with a control of its own size."""
    loaded = load_model(model)
    return [
        Effect(name, compare(m, loaded, operator), control(m, loaded, operator, draws))
        for name, m in masks
    ]
