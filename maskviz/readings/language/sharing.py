"""Variants of one prompt, each read from where it parts from the plain one.

No token of a decoder looks ahead: what stands before the first hidden word is the same in every
variant, its keys and values too. They are computed once. Whether a network gives the same answers
that way is checked once a model (`shared beginnings`); where not, every variant is read whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ...models.checks import finding
from ...models.model import Model, device
from .. import side_by_side
from ..batches import Ids, Read
from ..question import Question, in_batches
from .scoring import Layer, at_places, begun, way_of

_FEWEST = 3  # variants for which the plain text is read apart
_ROWS, _TOKENS = 8, 1536  # of a group at most: variants, and tokens that are new
_PASS = 1e8  # weights times tokens that are multiplied in the time that a pass takes beside
_BYTES = 512_000_000  # of keys and values that the variants of a group may take


@dataclass(frozen=True)
class Beginning:
    """A prompt that was read: its ids, what of it was seen, and each layer's keys and values."""

    ids: Any  # int64 (tokens,)
    seen: Any
    layers: tuple[Layer, ...]

    def shared(self, ids: Any, seen: Any) -> int:
        """Return how many tokens another prompt begins with alike, its last one left out."""
        import numpy as np

        count = min(len(self.ids), len(ids) - 1)
        same = (self.ids[:count] == ids[:count]) & (self.seen[:count] == seen[:count])
        return count if same.all() else int(np.argmin(same))

    def bytes_of(self, tokens: int) -> int:
        """Return what the keys and values of so many tokens take."""
        each = sum(part[:, :, :1].nbytes for layer in self.layers for part in layer)
        return each * tokens


def shared_answers(question: Question, reads: Sequence[Read], batch_size: int | None) -> Any:
    """Return the logits (texts, outputs) of many texts; variants share the plain one's beginning.

    A plain text stands before its variants, or was asked the last time.
    """
    import numpy as np

    model = question.model
    if batch_size or way_of(model) != "generate" or not _may_share(model):
        return in_batches(question, reads, batch_size)
    found = np.zeros((len(reads), len(question.outputs)))
    alone = []
    for plain, rows in _families(reads):
        family = [_row(reads[i]) for i in rows]
        start = _read_before(model, plain, family)
        if start is None:
            alone += rows
            continue
        for which, answers in _of_family(question, start, family):
            found[[rows[i] for i in which]] = answers
    if alone:
        found[alone] = in_batches(question, [reads[i] for i in alone], None)
    return found


def _may_share(model: Model) -> bool:
    return finding(model, "shared beginnings").passed


def _row(read: Read) -> Ids:
    """Return a prompt as arrays, without the hidden tokens at its end."""
    import numpy as np

    ids, seen = np.asarray(read.input_ids), np.asarray(read.attention_mask)
    end = int(seen.nonzero()[0][-1]) + 1
    return Ids(ids[:end], seen[:end])


def _families(reads: Sequence[Read]) -> Iterator[tuple[Read | None, list[int]]]:
    """Yield each plain text with the numbers of those that follow it; None where none was there."""
    plain: Read | None = None
    rows: list[int] = []
    for i, read in enumerate(reads):
        if _plain(read):
            if rows:
                yield plain, rows
            plain, rows = read, []
        rows.append(i)
    if rows:
        yield plain, rows


def _plain(read: Read) -> bool:
    import numpy as np

    hidden = getattr(read, "hidden", None)
    return bool(np.asarray(read.attention_mask).all()) if hidden is None else not any(hidden)


def _read_before(model: Model, plain: Read | None, family: Sequence[Ids]) -> Beginning | None:
    """Return the beginning that a family shares: the one that was read last, or a new one."""
    kept: Beginning | None = model.bare.memos.get(_read_before)
    total = sum(len(row.input_ids) for row in family)
    if kept is not None and sum(kept.shared(*_pair(row)) for row in family) > 0.25 * total:
        return kept
    if plain is None or len(family) < _FEWEST - 1:
        return None
    model.bare.memos[_read_before] = kept = _begin(model, _row(plain))
    return kept


def _pair(row: Ids) -> tuple[Any, Any]:
    return row.input_ids, row.attention_mask


def _begin(model: Model, row: Ids) -> Beginning:
    import torch

    with model.running(), torch.inference_mode():
        layers = layers_of(model.network("generate"), row)
    return Beginning(row.input_ids, row.attention_mask, layers)


def layers_of(network: Any, row: Ids) -> tuple[Layer, ...]:
    """Return the keys and values of a prompt, each (1, heads, tokens, width), layer by layer."""
    import torch
    from transformers import DynamicCache

    ids, seen = (torch.tensor(part)[None].to(network.device) for part in _pair(row))
    places = torch.zeros((1, 1), dtype=torch.long)
    cache = DynamicCache()
    with at_places(network, places):
        network(input_ids=ids, attention_mask=seen, past_key_values=cache, use_cache=True)
    kept: list[Any] = list(cache.layers)
    return tuple((layer.keys, layer.values) for layer in kept)


def _of_family(
    question: Question, start: Beginning, family: Sequence[Ids]
) -> Iterator[tuple[list[int], Any]]:
    """Yield the numbers of the variants of each group with their logits."""
    import torch

    shared = [start.shared(*_pair(row)) for row in family]
    groups = _groups(question, start, family, shared)

    def answer(rows: list[int]) -> Any:
        with torch.inference_mode(), begun(start.layers, min(shared[i] for i in rows)):
            return question.ask([family[i] for i in rows]).double().cpu().numpy()

    longest = [max(len(family[i].input_ids) for i in rows) for rows in groups]
    found = side_by_side.answers(question.model, answer, groups, longest)
    yield from zip(groups, found, strict=True)


def _groups(
    question: Question, start: Beginning, family: Sequence[Ids], shared: Sequence[int]
) -> list[list[int]]:
    """Share variants out into groups so that the fewest tokens are read.

    A group begins where its first variant parts from the plain text, and is as long as its longest
    one; each pass costs as much as some tokens beside. The best way to cut the sorted variants into
    groups is found place by place.
    """
    lengths = [len(row.input_ids) for row in family]
    order = sorted(range(len(family)), key=lambda i: (shared[i], lengths[i]))
    tail = max((len(t.ids) for t in getattr(question.model, "tails", ())), default=0)
    most = _ROWS if device() == "cpu" else 8 * _ROWS
    best: list[tuple[float, int]] = [(0.0, 0)]  # the cost of the first variants, their last cut
    for end in range(1, len(order) + 1):
        longest, found = 0, (float("inf"), end - 1)
        for begin in range(end - 1, max(-1, end - 1 - most), -1):
            count, longest = end - begin, max(longest, lengths[order[begin]])
            new = count * (longest - shared[order[begin]] + tail)
            if count > 1 and (new > _TOKENS or start.bytes_of(count * longest) > _BYTES):
                break
            found = min(found, (best[begin][0] + new + _pass_in_tokens(question.network), begin))
        best.append(found)
    cuts = [len(order)]
    while cuts[-1]:
        cuts.append(best[cuts[-1]][1])
    return [order[b:e] for e, b in pairwise(cuts)][::-1]


def _pass_in_tokens(network: Any) -> float:
    """Return how many tokens cost as much as one more pass, in which all weights are fetched."""
    return 24 + _PASS / network.num_parameters()
