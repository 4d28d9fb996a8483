"""The model's own text in the place of what is hidden.

Encoders predict all hidden tokens at once, then hide the least certain ones again and predict
them anew, fewer each time (mask-predict, Ghazvininejad et al. 2019,
https://arxiv.org/abs/1904.09324). T5-like models write what stands for each sentinel (Raffel et
al. 2020, https://arxiv.org/abs/1910.10683, section 3.1.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import CapabilityError
from ..masks.operators import Guesses, Hidden, Piece, Runs, operator
from ..models.model import Model
from ..text.alignment import Tokenised
from .fills import Places, words_at

ITERATIONS = 10  # at most; the paper's longer setting, with fewer a sentence comes out in pieces
_LONGEST = 3  # a T5-like model may write this many times the tokens that are hidden


def guesses_for(model: Model, texts: Sequence[tuple[Tokenised, Runs]]) -> list[Guesses]:
    """Return for each text the ids for each run of hidden tokens, by the index of its first token.

    Raises CapabilityError for a model that neither fills nor writes sentinels.
    """
    if not any(runs for _, runs in texts):
        return [{} for _ in texts]
    if "fill" in model.capabilities:
        filled = _mask_predict(model, [_Filling.of(plain, runs) for plain, runs in texts])
        return [
            {run[0]: tuple(ids[i] for i in run) for run in runs}
            for (_, runs), ids in zip(texts, filled, strict=True)
        ]
    if "translate" in model.capabilities and _sentinel(model, 0) is not None:
        return [_by_sentinel(model, plain, runs) if runs else {} for plain, runs in texts]
    raise CapabilityError(
        f"The model {model.name!r} ({model.family}) cannot fill what is hidden: "
        "use the operator delete, placeholder or attention."
    )


@operator("infill", "Replaces what is hidden by the model's own guesses.", guesses_for)
def _infill(model: Model, plain: Tokenised, hidden: Hidden) -> list[Piece]:
    """Take the guesses; they may be fewer or more than the tokens."""
    shown = model.tokenizer.convert_ids_to_tokens(list(hidden.guess))
    same = len(hidden.guess) == len(hidden.indices)
    sources = hidden.indices if same else (None,) * len(hidden.guess)
    return [(i, t, s, 1) for i, t, s in zip(hidden.guess, shown, sources, strict=True)]


@dataclass
class _Filling:
    """A text on its way: its ids now, and how certain the model is of each hidden one."""

    ids: list[int]
    originals: Sequence[int]
    certain: dict[int, float]
    done: int = 0

    @classmethod
    def of(cls, plain: Tokenised, runs: Runs) -> _Filling:
        hidden = dict.fromkeys((i for run in runs for i in run), 0.0)
        return cls(list(plain.input_ids), plain.input_ids, hidden)

    @property
    def rounds(self) -> int:
        return min(ITERATIONS, len(self.certain))

    def hide_again(self, mask_id: int) -> Places:
        """Hide the least certain ids, fewer from round to round."""
        count = len(self.certain) * (self.rounds - self.done) // self.rounds
        again = sorted(self.certain, key=self.certain.__getitem__)[:count]
        for i in again:
            self.ids[i] = mask_id
        return Places(self.ids, self.originals, again)

    def take(self, places: Sequence[int], best: Any) -> None:
        """Take the best guess for each place."""
        for i, token, value in zip(
            places, best.indices.tolist(), best.values.tolist(), strict=True
        ):
            self.ids[i], self.certain[i] = token, value
        self.done += 1


def _mask_predict(model: Model, texts: Sequence[_Filling]) -> list[list[int]]:
    """Return each text's ids after as many rounds as it has hidden tokens, ITERATIONS at most.

    A round of all texts goes together.
    """
    token = model.mask_token_id
    assert token is not None, "a model that fills has a mask token"
    while going := [text for text in texts if text.done < text.rounds]:
        asked = [text.hide_again(token) for text in going]
        best = words_at(model, asked, lambda found: found.max(-1))
        for text, one, found in zip(going, asked, best, strict=True):
            text.take(one.places, found)
    return [text.ids for text in texts]


def _sentinel(model: Model, number: int) -> int | None:
    token = model.tokenizer.convert_tokens_to_ids(f"<extra_id_{number}>")
    return None if token in (None, model.tokenizer.unk_token_id) else token


def _by_sentinel(
    model: Model, plain: Tokenised, runs: Sequence[Sequence[int]]
) -> dict[int, tuple[int, ...]]:
    """Ask for all runs at once; a run the model does not write stays empty."""
    import torch

    sentinels = _sentinels(model, len(runs))
    network = model.network("translate")
    with model.running(), torch.inference_mode():
        source = torch.tensor([_with_sentinels(plain, runs, sentinels)], device=network.device)
        written = network.generate(
            source, do_sample=False, max_new_tokens=_LONGEST * sum(map(len, runs)) + len(runs) + 1
        )[0].tolist()
    # One sentinel more ends the last answer.
    stops = {*sentinels, _sentinel(model, len(runs)), *model.tokenizer.all_special_ids}
    return {
        run[0]: tuple(_behind(written, sentinel, stops))
        for run, sentinel in zip(runs, sentinels, strict=True)
    }


def _sentinels(model: Model, count: int) -> list[int]:
    found: list[int] = []
    for number in range(count):
        token = _sentinel(model, number)
        if token is None:
            raise CapabilityError(
                f"The mask has {count} spans and the model {model.name!r} knows "
                f"{number} sentinels: hide fewer, longer spans."
            )
        found.append(token)
    return found


def _with_sentinels(
    plain: Tokenised, runs: Sequence[Sequence[int]], sentinels: list[int]
) -> list[int]:
    first = {run[0]: sentinel for run, sentinel in zip(runs, sentinels, strict=True)}
    hidden = {i for run in runs for i in run}
    return [
        first.get(i, token)
        for i, token in enumerate(plain.input_ids)
        if i in first or i not in hidden
    ]


def _behind(written: list[int], sentinel: int, stops: set[int | None]) -> list[int]:
    """Return what was written behind one sentinel, up to the next sentinel or special token."""
    if sentinel not in written:
        return []
    start = written.index(sentinel) + 1
    end = next((i for i in range(start, len(written)) if written[i] in stops), len(written))
    return written[start:end]
