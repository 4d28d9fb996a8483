"""One text with and without a mask: what changes in the answer, and what chance would change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...errors import CapabilityError, MaskError, ParameterError
from ...masks.mask import Mask
from ...models.memory import remembered
from ...models.model import Model
from ...readings.heads import valued
from ...readings.labels import Prediction
from ...readings.question import Question, Spec, asked, json_of
from ...readings.windows import answers_of, checked_long, encodings_of, read
from ..chance.verdict import DRAWS, LEVEL, Control, beside_chance, by_effect, holm
from ..statistics import divergence

LEAST = 20  # other masks in a control, where one says how many
OPERATORS = ("mask", "delete", "pad", "attention", "infill")  # that a conclusion should survive


@dataclass(frozen=True)
class Comparison:
    """A model's answer to a question on the plain and on the masked text.

    delta: output → p(masked) − p(plain). delta_logit: the same of ln(p / (1 − p)). kl: KL(plain ‖
    masked) in nats (multi-label: the sum over labels), None for a regression.
    notice: a sentence where the text was cut or read in windows, else empty. subject: the output
    that was asked for, where it is not the answer. detail: what else the question says.
    """

    mask: Mask
    operator: str
    model: str
    original: Prediction
    masked: Prediction
    delta: dict[str, float]
    kl: float | None
    notice: str = ""
    delta_logit: dict[str, float] = field(default_factory=dict)
    question: str | dict[str, Any] = "labels"
    subject: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    head: str = "single"

    @property
    def valued(self) -> bool:
        """Whether the outputs are values without bounds, not probabilities."""
        return valued(self.head)

    @property
    def flip(self) -> bool:
        """Whether the answer changes: the label, or of a multi-label head the set of labels.

        Of an answer in words: whether the model writes other words, up to five tokens.
        """
        return bool(self.detail.get("flip", self.original.chosen != self.masked.chosen))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values; the keys are the command line's."""
        return {
            **self.mask.to_dict(),
            "masked_text": self.mask.masked_text(self.operator),
            "model": self.model,
            **json_of(self.question),
            **({} if self.question == "labels" else {"outputs": list(self.delta)}),
            **self.change(),
            "notice": self.notice,
        }

    def change(self) -> dict[str, Any]:
        """Return the answers and what changes, without the mask."""
        return {
            "operator": self.operator,
            "original": vars(self.original),
            "masked": vars(self.masked),
            "flip": self.flip,
            "delta": self.delta,
            "delta_logit": self.delta_logit,
            **{k: v for k, v in self.detail.items() if k not in ("kl", "flip")},
            "kl": self.kl,
        }


def compare(
    mask: Mask,
    model: Model | str | Question = "mini",
    operator: str = "mask",
    long: str = "cut",
    question: Spec = "labels",
) -> Comparison:
    """Ask about the text with and without the mask; `long` is `cut` or `windows`.

    `question` is what the model is asked, see `maskviz.readings.question`.

    >>> from maskviz import mask
    >>> compare(mask("A great film.", "pattern", pattern="great")).original.label
    'positive'
    """
    put = asked(model, question).about(mask.text)
    return replace(_compared(put, _Hidden(mask), operator, long), mask=mask)


@remembered(maxsize=64)
def _compared(question: Question, mask: _Hidden, operator: str, long: str) -> Comparison:
    checked_long(long)
    both = [(Mask(mask.mask.text), "attention"), (mask.mask, operator)]
    pieces = encodings_of(both, question.model, long)
    answers = answers_of(question, pieces)
    detail = question.detail(pieces[0][0], pieces[1][0])
    original, masked = answers.prediction(0), answers.prediction(1)
    p, q = answers.probabilities
    return Comparison(
        mask.mask,
        operator,
        question.model.name,
        original,
        masked,
        {k: masked.probabilities[k] - v for k, v in original.probabilities.items()},
        detail.get("kl", divergence(question.head, p, q)),
        answers.notices[0] or answers.notices[1],
        {k: masked.log_odds[k] - v for k, v in original.log_odds.items()},
        question.spec(),
        question.outputs[question.subject(p)] if question.has_subject else "",
        detail,
        question.head,
    )


def control(
    mask: Mask,
    model: Model | str | Question = "mini",
    operator: str = "mask",
    draws: int = DRAWS,
    long: str = "cut",
    question: Spec = "labels",
) -> Control:
    """Return the place of `mask` among other masks of its kind and size (`chance.reference`).

    Of at most 200 such masks all are asked, of more `draws`. Raises ParameterError for fewer than
    20 draws.
    """
    if draws < LEAST:
        raise ParameterError(f"{draws} random masks were asked for: the least is {LEAST}.")
    put = asked(model, question).about(mask.text)
    return _control(put, _Hidden(mask), operator, draws, long)


@remembered(maxsize=1024)
def _control(question: Question, mask: _Hidden, operator: str, draws: int, long: str) -> Control:
    known = _compared(question, mask, operator, long)
    return beside_chance(question, mask.mask, operator, draws, long, (known.original, known.masked))


@dataclass(frozen=True)
class _Hidden:
    """A mask as a key: also by what its spans are called, which `placeholder` writes, and by the
    seed, from which `corrupt` draws.
    """

    mask: Mask

    @property
    def _key(self) -> tuple[Any, ...]:
        spans = tuple((s.start, s.end, s.label) for s in self.mask.spans)
        return self.mask.text, spans, self.mask.seed, by_effect(self.mask)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hidden) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@dataclass(frozen=True)
class Effect:
    """What one mask changes, beside what other masks of its kind and size change.

    p_adjusted: the control's p-value among the other verdicts that stand beside it (Holm), None
    where there is no verdict.
    """

    name: str
    comparison: Comparison
    control: Control
    p_adjusted: float | None = None

    @property
    def beyond_chance(self) -> bool | None:
        """Whether the mask changes more than others of its set; None where it cannot be told."""
        return None if self.p_adjusted is None else self.p_adjusted <= LEVEL

    @property
    def conclusion(self) -> str:
        """What one may say: `flips`, `lowers`, `raises`, `as chance`, `no verdict`, or `hides
        nothing`.
        """
        if not self.comparison.mask.spans:
            return "hides nothing"
        if self.beyond_chance is None:
            return "no verdict"
        if not self.beyond_chance:
            return "as chance"
        if self.comparison.flip:
            return "flips"
        return "lowers" if self.comparison.delta[self.control.label] < 0 else "raises"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values, without the text."""
        return {
            "strategy": self.name,
            "realised_ratio": self.comparison.mask.realised_ratio,
            **self.comparison.change(),
            "control": self.control.to_dict(),
            "p_adjusted": self.p_adjusted,
            "beyond_chance": self.beyond_chance,
            "conclusion": self.conclusion,
        }


@dataclass(frozen=True)
class Sensitivity:
    """Whether what a mask shows depends on how it reaches the model.

    conclusions: operator → the effect's conclusion there.
    """

    name: str
    conclusions: dict[str, str]

    @property
    def survives(self) -> bool:
        """Whether every operator leads to the same conclusion."""
        return len(set(self.conclusions.values())) == 1

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        return {"conclusions": self.conclusions, "survives": self.survives}


def compare_masks(
    masks: Iterable[tuple[str, Mask]],
    model: Model | str | Question = "mini",
    operators: str | Sequence[str] = "mask",
    draws: int = DRAWS,
    long: str = "cut",
    question: Spec = "labels",
) -> list[Effect]:
    """Compare several named masks of one text under each operator, each with its own control.

    Of several operators, those that the model cannot do, or that leave nothing of the text, are
    left out; `operators_left_out` says why. A single one raises its error.
    """
    put, single = asked(model, question), isinstance(operators, str)
    named = [operators] if isinstance(operators, str) else list(operators)
    effects = []
    for name, chosen in masks:
        for operator in named:
            try:
                compared = compare(chosen, put, operator, long)
                chance = control(chosen, put, operator, draws, long)
            except (CapabilityError, MaskError):
                if single or len(named) == 1:
                    raise
                continue
            effects.append(Effect(name, compared, chance))
    return _beside_each_other(effects)


def _beside_each_other(effects: Sequence[Effect]) -> list[Effect]:
    """Return the effects with p-values that allow for how many stand on one screen."""
    known = [e.control.p_value if e.control.tells else None for e in effects]
    return [replace(e, p_adjusted=p) for e, p in zip(effects, holm(known), strict=True)]


def operators_left_out(
    mask: Mask,
    model: Model | str | Question,
    operators: Iterable[str],
    long: str = "cut",
    question: Spec = "labels",
) -> list[str]:
    """Return one sentence for each operator that cannot be compared on this mask."""
    put, reasons = asked(model, question).about(mask.text), []
    for operator in operators:
        try:
            read(put, [(mask, operator)], long)
        except (CapabilityError, MaskError) as error:
            reasons.append(f"{operator} is left out: {error}")
    return reasons


def put_again(comparison: Comparison) -> Spec:
    """Return the question of a comparison as it is put to another model: with the same answer.

    Tokens are a model's own, so that they are left out.
    """
    given = comparison.question
    if isinstance(given, str):
        return given
    return {name: value for name, value in given.items() if name != "tokens"}


def sensitivity(effects: Iterable[Effect]) -> dict[str, Sensitivity]:
    """Say for each mask, by name, whether its conclusion survives every operator."""
    found: dict[str, dict[str, str]] = {}
    for effect in effects:
        found.setdefault(effect.name, {})[effect.comparison.operator] = effect.conclusion
    return {name: Sensitivity(name, conclusions) for name, conclusions in found.items()}
