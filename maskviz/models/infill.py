"""The model's own text in the place of what is hidden.

Encoders predict all hidden tokens at once, then hide the least certain ones again and predict
them anew, fewer each time (mask-predict, Ghazvininejad et al. 2019,
https://arxiv.org/abs/1904.09324). T5-like models write what stands for each sentinel (Raffel et
al. 2020, https://arxiv.org/abs/1910.10683, section 3.1.4).
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import CapabilityError
from ..text.alignment import Tokenised
from .fills import word_probabilities
from .model import Model

ITERATIONS = 10  # at most; the paper's longer setting, with fewer a sentence comes out in pieces
_LONGEST = 3  # a T5-like model may write this many times the tokens that are hidden


def guesses_for(
    model: Model, plain: Tokenised, runs: Sequence[Sequence[int]]
) -> dict[int, tuple[int, ...]]:
    """Return the ids for each run of hidden tokens, by the index of its first token.

    Raises CapabilityError for a model that neither fills nor writes sentinels.
    """
    if not runs:
        return {}
    if "fill" in model.capabilities:
        ids = _mask_predict(model, plain, [i for run in runs for i in run])
        return {run[0]: tuple(ids[i] for i in run) for run in runs}
    if "translate" in model.capabilities and _sentinel(model, 0) is not None:
        return _by_sentinel(model, plain, runs)
    raise CapabilityError(
        f"The model {model.name!r} ({model.family}) cannot fill what is hidden: "
        "use the operator delete, placeholder or attention."
    )


def _mask_predict(model: Model, plain: Tokenised, hidden: Sequence[int]) -> dict[int, int]:
    """Return token index → id after as many rounds as tokens are hidden, ITERATIONS at most."""
    ids, certain = list(plain.input_ids), dict.fromkeys(hidden, 0.0)
    rounds = min(ITERATIONS, len(hidden))
    for done in range(rounds):
        count = len(hidden) * (rounds - done) // rounds
        again = sorted(hidden, key=lambda i: certain[i])[:count]
        for i in again:
            ids[i] = model.tokenizer.mask_token_id
        best = word_probabilities(model, ids, plain.input_ids).max(-1)
        for i in again:
            ids[i], certain[i] = int(best.indices[i]), float(best.values[i])
    return {i: ids[i] for i in hidden}


def _sentinel(model: Model, number: int) -> int | None:
    token = model.tokenizer.convert_tokens_to_ids(f"<extra_id_{number}>")
    return None if token in (None, model.tokenizer.unk_token_id) else token


def _by_sentinel(
    model: Model, plain: Tokenised, runs: Sequence[Sequence[int]]
) -> dict[int, tuple[int, ...]]:
    """Ask for all runs at once; a run the model does not write stays empty."""
    import torch

    sentinels = [_sentinel(model, n) for n in range(len(runs))]
    if None in sentinels:
        raise CapabilityError(
            f"The mask has {len(runs)} spans and the model {model.name!r} knows "
            f"{sentinels.index(None)} sentinels: hide fewer, longer spans."
        )
    network = model.network("translate")
    with model.lock, torch.inference_mode():
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


def _with_sentinels(plain: Tokenised, runs: Sequence[Sequence[int]], sentinels: list) -> list[int]:
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
