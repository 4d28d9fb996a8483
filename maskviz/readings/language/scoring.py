"""Log-probabilities of what follows a prompt, token by token, as the network itself gives them.

The head that turns states into words runs where it is asked alone: over a vocabulary of 262,144
the words of one prompt of 1,000 tokens would take a gigabyte.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from ...errors import CapabilityError
from ...models.checks import demand, finding
from ...models.model import Model
from ..batches import Ids, Read, batch
from ..hiding import trimmed
from ..question import Question
from .tails import Tail, end_ids

Layer = tuple[Any, Any]  # keys and values
WAYS = ("generate", "translate", "fill")  # in which a model may be asked for its words
_WORTH = 128  # tokens that need not be read, from which a pass more pays


def way_of(model: Model) -> str:
    """Return how a model is asked for words. Raises CapabilityError where it has none to give."""
    way = next((name for name in WAYS if name in model.capabilities), None)
    if way is None:
        raise CapabilityError(
            f"The model {model.name!r} ({model.family}) gives no words: choose a language model, "
            "such as a decoder, or ask for its labels."
        )
    return way


def usual_question(model: Model) -> str:
    """Return what a model is asked where nothing is said: its labels, or a decoder's next token."""
    if "classify" not in model.capabilities and "generate" in model.capabilities:
        return "next"
    return "labels"


def log_probabilities(model: Model, reads: Sequence[Read], tails: Sequence[Tail]) -> Any:
    """Return ln p of each token of each tail behind each prompt, (texts, tails, longest).

    Behind the end of a tail stands 0. It has its gradient where one is asked for.
    """
    by = {"generate": _behind, "translate": _in_answer, "fill": _in_place}
    return by[way_of(model)](model, reads, tails)


def of_both(
    asked: Question,
    changed: Question | None,
    ask: Callable[[Model, Sequence[Read]], Any],
    plain: Read,
    masked: Read,
) -> Any:
    """Return `ask` of a plain and a masked text, (2, …), each of its own network.

    changed: the question to a network that was changed, which reads the second one.
    """
    import torch

    pairs = [(asked, [plain, masked])]
    if changed is not None:
        pairs = [(asked, [plain]), (changed, [masked])]
    found = []
    for question, reads in pairs:
        with question.model.running(), torch.inference_mode():
            found.append(ask(question.model, reads))
    return torch.cat(found)


def next_logits(model: Model, reads: Sequence[Read]) -> Any:
    """Return the logits of the token behind each prompt, (texts, vocabulary), of a decoder."""
    import torch

    reads = seen_last(model, reads)
    last = torch.tensor([[len(read.input_ids) - 1] for read in reads])
    return logits_at(model.network("generate"), batch(model, reads), last)[:, 0]


def seen_last(model: Model, reads: Sequence[Read]) -> Sequence[Read]:
    """Return prompts without the hidden tokens at their ends, which would speak for themselves."""
    import numpy as np

    if all(np.asarray(read.attention_mask)[-1] for read in reads) and not _hide(reads):
        return reads
    demand(model, "out of sight")
    return trimmed(
        [Ids(np.asarray(read.input_ids), np.asarray(read.attention_mask)) for read in reads]
    )


def checked(model: Model, reads: Sequence[Read]) -> Sequence[Read]:
    """Return the reads; what batches depend on is checked before they are shared.

    A check holds the model's lock, which threads that compute batches must not ask for.
    """
    if way_of(model) == "generate":
        finding(model, "shared beginnings")
    if _hide(reads):
        demand(model, "out of sight")
    return reads


def _hide(reads: Sequence[Read]) -> bool:
    import numpy as np

    return any((np.asarray(read.attention_mask) == 0).any() for read in reads)


def logits_at(network: Any, inputs: dict[str, Any], places: Any) -> Any:
    """Return the logits at `places` (rows, k) of a batch alone, (rows, k, vocabulary)."""
    with _passing(inputs) as (given, start), at_places(network, places - start) as caught:
        logits = network(**given).logits
    return logits if caught else _gathered(logits, places - start)


@dataclass
class Beginning:
    """What stands before the tokens that a pass is given.

    layers: keys and values of `start` tokens and more, (rows or 1, heads, tokens, width) each, none
    where all is read. keeps: whether the pass keeps its own. kept: those of all tokens, layer by
    layer, once it has run.
    """

    layers: Sequence[Layer]
    start: int
    keeps: bool
    kept: tuple[Layer, ...] = ()


@contextmanager
def begun(layers: Sequence[Layer], start: int, keeps: bool = False) -> Iterator[Beginning]:
    """Let this thread's passes begin behind the first `start` tokens of their rows.

    layers: the keys and values of these and more tokens, for all rows or for each. Without layers
    the passes read all.
    """
    before = getattr(_asked, "beginning", None)
    _asked.beginning = found = Beginning(layers, start, keeps)
    try:
        yield found
    finally:
        _asked.beginning = before


@contextmanager
def _passing(inputs: dict[str, Any]) -> Iterator[tuple[dict[str, Any], int]]:
    """Give what a network is to read behind what was read before, and of how many tokens that is.

    What the pass is to keep is kept at its end.
    """
    from transformers import DynamicCache

    beginning = getattr(_asked, "beginning", None)
    if beginning is None or not (beginning.layers or beginning.keeps):
        yield {**inputs, "use_cache": False}, 0
        return
    start, rows = beginning.start, len(inputs["input_ids"])
    cache = DynamicCache()
    for i, layer in enumerate(beginning.layers):
        cache.update(*(_for_rows(part[:, :, :start], rows) for part in layer), i)
    rest = {n: t if n == "attention_mask" else t[:, start:] for n, t in inputs.items()}
    yield {**rest, "past_key_values": cache, "use_cache": True}, start
    if beginning.keeps:
        layers: list[Any] = list(cache.layers)
        beginning.kept = tuple((layer.keys, layer.values) for layer in layers)


def _for_rows(part: Any, rows: int) -> Any:
    """Return keys or values of one prompt, or of several, for all rows: those of each in a line."""
    if len(part) == 1:
        return part.expand(rows, -1, -1, -1)
    return part.repeat_interleave(rows // len(part), 0)


@contextmanager
def at_places(network: Any, places: Any) -> Iterator[list[bool]]:
    """Let the head see the states at `places` (rows, k) alone; nothing is caught where none is.

    The head is one for all threads, so that what it is asked is each thread's own.
    """
    caught: list[bool] = []
    head = network.get_output_embeddings()
    if head is not None and head not in _watched:
        with _watching:
            if head not in _watched:
                _watched[head] = head.register_forward_pre_hook(_asked_alone)
    _asked.now = (places, caught)
    try:
        yield caught
    finally:
        _asked.now = None


_watched: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()  # head → its hook
_watching = threading.Lock()
_asked = threading.local()


def asked_places() -> Any:
    """Return the places (rows, k) at which the words of this thread's pass are asked, or None."""
    now = getattr(_asked, "now", None)
    return None if now is None else now[0]


def _asked_alone(_head: Any, inputs: Any) -> Any:
    now = getattr(_asked, "now", None)
    if now is None or now[1]:  # a copy of a network has its head's hook twice
        return None
    places, caught = now
    caught.append(True)
    return (_gathered(inputs[0], places), *inputs[1:])


def _gathered(states: Any, places: Any) -> Any:
    """Return states (rows, tokens, width) at `places` (rows, k), a tensor (rows, k, width)."""
    at = places.to(states.device)[..., None].expand(-1, -1, states.shape[-1])
    return states.gather(1, at)


def _behind(model: Model, reads: Sequence[Read], tails: Sequence[Tail]) -> Any:
    """Score tails behind a decoder's prompts; single tokens share the prompt's one pass."""
    import torch

    if all(len(tail.ids) == 1 for tail in tails):
        ids = torch.tensor([tail.ids[0] for tail in tails])
        said = next_logits(model, reads).float().log_softmax(-1)
        return said[:, ids.to(said.device)][..., None]
    reads = seen_last(model, reads)
    rows = [_longer(read, tail.ids[:-1]) for read in reads for tail in tails]
    places = [_places(read, tail) for read in reads for tail in tails]
    at = _columns(places)
    with _read_once(model, reads, len(tails)):
        logits = logits_at(model.network("generate"), batch(model, rows), at)
    found = _of_own(logits, [tail for _ in reads for tail in tails], at.shape[1])
    return found.view(len(reads), len(tails), -1)


@contextmanager
def _read_once(model: Model, reads: Sequence[Read], times: int) -> Iterator[None]:
    """Let prompts that are read so many times, one behind the other, be read once.

    Up to where the shortest of them ends; what follows is each row's own. Where a network is
    changed at some places, or its gradient is asked for, every row is read whole.
    """
    import numpy as np
    import torch

    before: Beginning = getattr(_asked, "beginning", None) or Beginning((), 0, False)
    end = min(len(read.input_ids) for read in reads) - 1
    saved = (times - 1) * len(reads) * (end - before.start)
    whole = model.bare.original is not None or torch.is_grad_enabled()
    if saved < _WORTH or whole or not finding(model, "shared beginnings").passed:
        yield
        return
    rows = [
        Ids(np.asarray(read.input_ids)[:end], np.asarray(read.attention_mask)[:end])
        for read in reads
    ]
    last = torch.full((len(rows), 1), end - 1)
    with begun(before.layers, before.start, keeps=True) as first:
        logits_at(model.network("generate"), batch(model, rows), last)
    with begun(first.kept, end, keeps=before.keeps) as rest:
        yield
    before.kept = rest.kept


def log_softmax_behind(model: Model, reads: Sequence[Read], tail: Tail) -> Any:
    """Return ln p of the whole vocabulary where each token of a tail is read.

    A tensor (texts, tokens, vocabulary), of a decoder or an encoder–decoder.
    """
    if way_of(model) == "translate":
        return _answer_logits(model, reads, [tail]).float().log_softmax(-1)
    reads = seen_last(model, reads)
    rows = [_longer(read, tail.ids[:-1]) for read in reads]
    at = _columns([_places(read, tail) for read in reads])
    return logits_at(model.network("generate"), batch(model, rows), at).float().log_softmax(-1)


def _columns(places: Sequence[Sequence[int]]) -> Any:
    """Return places of unequal number as a tensor (rows, longest); the last one is repeated."""
    import torch

    longest = max(map(len, places))
    return torch.tensor([[*p, *[p[-1]] * (longest - len(p))] for p in places])


def _longer(read: Read, ids: Sequence[int]) -> Ids:
    import numpy as np  # a row that is laid out when it is read is no tuple

    own, seen = (np.asarray(part).tolist() for part in (read.input_ids, read.attention_mask))
    return Ids((*own, *ids), (*seen, *(1,) * len(ids)))


def _places(read: Read, tail: Tail) -> list[int]:
    """Return where each scored token is read: at the token before it."""
    end = len(read.input_ids) + len(tail.ids)
    return list(range(end - tail.scored - 1, end - 1))


def _of_own(logits: Any, tails: Sequence[Tail], longest: int) -> Any:
    """Return ln p of each row's own tokens from logits (rows, longest, vocabulary)."""
    import torch

    ids = torch.zeros((len(tails), longest), dtype=torch.long, device=logits.device)
    kept = torch.zeros((len(tails), longest), dtype=torch.bool, device=logits.device)
    for i, tail in enumerate(tails):
        ids[i, : tail.scored] = torch.tensor(tail.own)
        kept[i, : tail.scored] = True
    said = logits.float()
    own = said.gather(-1, ids[..., None])[..., 0] - said.logsumexp(-1)
    return own.where(kept, torch.zeros_like(own))


def _in_answer(model: Model, reads: Sequence[Read], tails: Sequence[Tail]) -> Any:
    """Score what the decoder of an encoder–decoder writes, given its tokens before."""
    logits = _answer_logits(model, reads, tails)
    found = _of_own(logits, list(tails) * len(reads), logits.shape[1])
    return found.view(len(reads), len(tails), -1)


def _answer_logits(model: Model, reads: Sequence[Read], tails: Sequence[Tail]) -> Any:
    """Return logits (texts · tails, longest, vocabulary) of an encoder–decoder."""
    import torch

    start = model.config.decoder_start_token_id
    if _hide(reads):
        demand(model, "out of sight")
    longest = max(tail.scored for tail in tails)
    written = [[start, *tail.own[:-1], *[start] * (longest - tail.scored)] for tail in tails]
    inputs = batch(model, [read for read in reads for _ in tails])
    decoder = torch.tensor(written * len(reads), device=inputs["input_ids"].device)
    network = model.network("translate")
    return network(**inputs, decoder_input_ids=decoder, use_cache=False).logits


def _in_place(model: Model, reads: Sequence[Read], tails: Sequence[Tail]) -> Any:
    """Score choices in the masked places of a masked language model, one after the other.

    All places of a choice are masked at first; each token stands there once it was scored, so that
    the sum is that of a chain (Kauf & Ivanova 2023, https://arxiv.org/abs/2305.10588).
    """
    import torch

    longest = max(tail.scored for tail in tails)
    own = [tail for _ in reads for tail in tails]
    steps = []
    for step in range(longest):
        rows = [_masked(model, read, tail, step) for read in reads for tail in tails]
        at = torch.tensor(
            [
                [len(read.input_ids) + len(tail.ids) - tail.scored + min(step, tail.scored - 1)]
                for read in reads
                for tail in tails
            ]
        )
        said = logits_at(model.network("fill"), batch(model, rows), at)[:, 0].float()
        ids = torch.tensor([t.own[min(step, t.scored - 1)] for t in own], device=said.device)
        found = said.gather(-1, ids[:, None])[:, 0] - said.logsumexp(-1)
        there = torch.tensor([step < tail.scored for tail in own], device=said.device)
        steps.append(found.where(there, torch.zeros_like(found)))
    return torch.stack(steps, 1).view(len(reads), len(tails), longest)


def _masked(model: Model, read: Read, tail: Tail, step: int) -> Ids:
    """Return a prompt with a choice behind it, masked from its token `step` on, and its end."""
    mask = model.mask_token_id
    if mask is None:
        raise CapabilityError(f"The model {model.name!r} has no mask token to ask at.")
    lead, own = tail.ids[: len(tail.ids) - tail.scored], tail.own
    masked = (*own[:step], *[mask] * max(0, tail.scored - step))
    return _longer(read, (*lead, *masked, *end_ids(model.tokenizer)))
