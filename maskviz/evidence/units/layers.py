"""What each layer would answer, plain and masked: the lens put to a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...inside.lens import lens
from ...masks.mask import Mask
from ...masks.operators import apply
from ...models.model import Model
from ...readings.language.scoring import next_logits
from ...readings.language.tails import pieces_of
from ...readings.question import Question, Spec, asked
from .asking import put_to


@dataclass(frozen=True)
class LensRow:
    """What one layer would answer.

    layer: from 1, 0 what the first one reads. answer: the most probable output or token.
    probability, rank: of the target.
    """

    layer: int
    answer: str
    answer_probability: float
    probability: float
    rank: int


@dataclass(frozen=True)
class Lens:
    """What each layer would answer to a plain text, and to a masked one where one is given.

    target: what is spoken of, the plain text's own answer or what was asked for. of: how many
    outputs a rank is among.
    """

    model: str
    question: Spec
    target: str
    of: int
    plain: tuple[LensRow, ...]
    masked: tuple[LensRow, ...] = ()

    @property
    def settles(self) -> int:
        """The first layer from which on the target is the plain text's answer; past all: none."""
        late = [row.layer for row in self.plain if row.rank > 1]
        return max(late, default=-1) + 1

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready values."""
        return {
            "model": self.model,
            "question": self.question,
            "target": self.target,
            "outputs": self.of,
            "settles": self.settles,
            "plain": [vars(row) for row in self.plain],
            "masked": [vars(row) for row in self.masked],
        }


def layer_answers(
    text: str | Mask,
    model: Model | str | Question = "mini",
    operator: str = "mask",
    question: Spec = "labels",
) -> Lens:
    """Return what each layer would answer, by the model's own final norm and head.

    A mask is read under `operator`, beside the plain text. Raises CapabilityError where the layers
    cannot be kept.

    >>> layer_answers("A truly great film.").plain[-1].answer
    'positive'
    """
    mask = text if isinstance(text, Mask) else Mask(text)
    put = put_to(asked(model, question), mask.text)
    tokens = put.name == "next" and not put.given.get("against")
    reads = [apply(mask.text, "attention", put.model)]
    reads += [apply(mask, operator, put.model)] if mask.spans else []
    found = [_at_layers(put, read, tokens) for read in reads]
    target = _target(put, found[0][-1], tokens)
    rows = [_rows(put, one, target, tokens) for one in found]
    name = _name(put, target, tokens)
    return Lens(
        put.model.name, put.spec(), name, found[0].shape[-1], rows[0], rows[1] if rows[1:] else ()
    )


def _at_layers(put: Question, read: Any, tokens: bool) -> Any:
    """Return ln p of the outputs (of all tokens, where the next is asked for) at each layer."""
    import torch

    (ready,) = put.kind.prepare(put.model, [read])

    def run(count: int) -> Any:
        if tokens:
            return next_logits(put.model, [ready] * count)
        return put.ask([ready] * count)

    with put.model.running(), torch.inference_mode():
        return lens(put.model, put.network, run).double().cpu().numpy()


def _target(put: Question, logits: Any, tokens: bool) -> int:
    if not tokens:
        return put.subject(put.probabilities(logits))
    tails: Sequence[Any] = getattr(put.model, "tails", ())
    return int(tails[0].own[0]) if tails else int(logits.argmax())


def _name(put: Question, index: int, tokens: bool) -> str:
    return pieces_of(put.model.tokenizer, [index])[0] if tokens else put.outputs[index]


def _rows(put: Question, logits: Any, target: int, tokens: bool) -> tuple[LensRow, ...]:
    import numpy as np

    found = []
    for layer, row in enumerate(logits):
        p = np.exp(row - np.logaddexp.reduce(row)) if tokens else put.probabilities(row)
        best = int(p.argmax()) if tokens else put.answer(p)
        rank = 1 + int((p > p[target]).sum())
        found.append(
            LensRow(layer, _name(put, best, tokens), float(p[best]), float(p[target]), rank)
        )
    return tuple(found)
