"""The check of where an answer is read: which tokens' last states the labels depend on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from ...errors import CapabilityError
from ...models.checks import Finding, check
from ...models.model import Model
from ..core import core_of
from ..places import layers_of
from .probe import SMALL, Probe, apart, probe


@check(
    "readout",
    "At which tokens the answer is read: another last state there moves it.",
    "It is not known at which tokens {name!r} ({family}) reads its answer ({said}): choose "
    "occlusion or gradient-input.",
    lambda model: "classify" in model.capabilities and not model.config.is_encoder_decoder,
)
def readout(model: Model) -> Finding:
    """Find at which tokens a classifier reads its answer.

    The value has `places`, counted from 0 at the start and from −1 at the end, and `between`, the
    first and the last of a run whose middle is the text, or None.
    """
    network, read = model.network("classify"), probe(model)
    with model.lock:
        moved = _moved(network, read.ids)
    return _finding(moved, read)


def _moved(network: Any, ids: Sequence[int]) -> set[int]:
    """Return the places at which another last state moves the answer: one row of a batch each."""
    import torch

    count, calls = len(ids), 0
    rows = torch.tensor([ids] * (count + 1), device=network.device)
    seen = torch.ones_like(rows)

    def counted(output: Any) -> None:
        nonlocal calls
        calls += 1

    def turned(output: Any) -> Any:
        nonlocal calls
        calls -= 1
        return None if calls else _turned(output, count)

    with torch.inference_mode():
        with _layers(network, counted):
            network(input_ids=rows, attention_mask=seen)
        with _layers(network, turned):
            logits = network(input_ids=rows, attention_mask=seen).logits.float()
    return {i for i in range(count) if apart(logits[i], logits[count]) > SMALL}


@contextmanager
def _layers(network: Any, met: Callable[[Any], Any]) -> Iterator[None]:
    """Hand the output of each layer to `met`, which may put another in its place."""
    with ExitStack() as hooks:
        for layer in layers_of(core_of(network)):
            handle = layer.register_forward_hook(lambda _layer, _given, output: met(output))
            hooks.callback(handle.remove)
        yield


def _turned(output: Any, count: int) -> Any:
    """Return states in which row i of the batch has that of token i turned round."""
    import torch

    several = type(output) in (list, tuple)
    changed = output[0] if several else output
    if not isinstance(changed, torch.Tensor) or count not in changed.shape[:2]:
        raise CapabilityError("its last layer does not put out a state for each token")
    changed = changed.clone()
    rows = changed if changed.shape[1] == count else changed.transpose(0, 1)  # XLNet's come second
    for i in range(count):
        rows[i, i] = rows[i, i].flip(-1)
    return type(output)([changed, *output[1:]]) if several else changed


def _finding(moved: set[int], read: Probe) -> Finding:
    count = len(read.ids)
    between, rest = _run(moved, read), moved
    if between:
        rest = moved - set(range(between[0], between[1] + count + 1))
    middle = read.words[len(read.words) // 3 : -len(read.words) // 3]
    if not moved or rest & set(middle):
        return Finding(False, f"{len(moved)} of {count} places move it")
    places = sorted(i if i < count // 2 else i - count for i in rest)
    return Finding(True, _said(places, between), {"places": places, "between": between})


def _run(moved: set[int], read: Probe) -> list[int] | None:
    """Return the first and the last of the places around all words that are read without a gap."""
    if not moved.issuperset(read.words):
        return None
    first, last = read.words[0], read.words[-1]
    while first - 1 in moved:
        first -= 1
    while last + 1 in moved:
        last += 1
    return [first, last - len(read.ids)]


def _said(places: list[int], between: list[int] | None) -> str:
    named = {0: "the first token", -1: "the last token"}
    parts = [named.get(i, f"token {i + 1}" if i >= 0 else f"token {i}") for i in places]
    if between:
        whole = between == [0, -1]
        parts.append("all tokens" if whole else "the tokens between the special ones")
    return f"the answer is read at {' and '.join(parts)}"
