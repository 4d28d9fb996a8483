"""A score per word from attention: how much of what the answer is read from rests on it."""

from __future__ import annotations

from typing import Any

from ..errors import TextError, UnknownNameError
from ..inside.beginning import read_beginning
from ..inside.record import record
from ..inside.tape import parts_of
from ..masks.encoding import Encoding
from ..masks.mask import Mask
from ..models.checks import demand
from ..models.memory import remembered
from ..models.model import Model, load_model
from .methods import METHODS, flow_from, with_residual


def word_scores(
    text: str, model: Model | str = "mini", method: str = "rollout"
) -> tuple[float, ...]:
    """Score each word of `Mask(text).words` by the attention it gets; words not read have 0.

    The queries are the tokens the answer is read at: of a classifier those that the check
    `readout` finds (the first, the last, all alike), of another decoder the last, else all. A
    word's score is the sum over its tokens. Of maps for each layer the last counts, of `mean` and
    `norm` the mean over the layers. Of a long text the first 1,024 tokens are read. Raises
    UnknownNameError for the method, TextError for a text without words, CapabilityError where it
    is not known at which tokens the answer is read.

    >>> scores = word_scores("A truly great film.", method="relevance")
    >>> len(scores)
    4
    """
    if method not in METHODS:
        raise UnknownNameError.of("attention method", method, METHODS)
    return _word_scores(load_model(model), text, method)


@remembered(maxsize=256)
def _word_scores(model: Model, text: str, method: str) -> tuple[float, ...]:
    words = Mask(text).words
    if not words:
        raise TextError("The text has no words to score: enter at least one word.")
    encoding = read_beginning(text, "mask", model)
    shares = token_scores(model, encoding, method)
    totals = [0.0] * len(words)
    starts = [start for start, _ in words]
    for offset, share in zip(encoding.offsets, shares, strict=True):
        at = _word_at(starts, words, offset)
        if at is not None:
            totals[at] += float(share)
    return tuple(totals)


def token_scores(model: Model, encoding: Encoding, method: str) -> Any:
    """Return the attention that each token gets from where the answer is read, (tokens,)."""
    import numpy as np

    chosen = METHODS[method]
    found = record(model, encoding, parts_of(model)[0], needs=chosen.needs)
    read_from = readout(model, len(encoding))
    if method == "flow":
        return flow_from([with_residual(layer)[0] for layer in found], read_from)
    maps = [np.asarray(one, float).mean(0) for one in chosen.function(found)]
    whole = np.mean(maps, axis=0) if method in ("mean", "norm") else maps[-1]
    return read_from @ whole


def readout(model: Model, count: int) -> Any:
    """Return how much each of `count` tokens has in the answer, (tokens,), summing to 1.

    Raises CapabilityError where it is not known at which tokens a classifier reads its answer.
    """
    import numpy as np

    if "classify" in model.capabilities and not model.config.is_encoder_decoder:
        read = _read_at(demand(model, "readout").value, count)
    elif parts_of(model)[0] == "decoder":
        read = np.eye(count)[-1]
    else:
        read = np.ones(count)
    return read / read.sum()


def _read_at(found: dict[str, Any], count: int) -> Any:
    """Return 1 at the places that the check `readout` found, in a text of `count` tokens."""
    import numpy as np

    read = np.zeros(count)
    if found["between"]:
        first, last = found["between"]
        read[first : count + last + 1] = 1
    read[[max(-count, min(i, count - 1)) for i in found["places"]]] = 1
    return read


def _word_at(starts: list[int], words: Any, offset: tuple[int, int] | None) -> int | None:
    """Return the word that a token belongs to, or None for special tokens and punctuation."""
    from bisect import bisect_right

    if offset is None or offset[0] == offset[1]:
        return None
    at = bisect_right(starts, offset[0]) - 1
    return at if at >= 0 and offset[0] < words[at][1] else None
