"""The attention of a long text, some queries at a time: no layer's weights lie in memory whole.

torch's fused attention reads queries, keys and a mask and never lays its weights out. Who watches
it go by multiplies them again, of the layers that are wanted and a few rows at once. Whether that
gives the weights of a network's own eager attention is checked once a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

from ..masks.encoding import Encoding
from ..models.linear import looking_elsewhere
from ..models.model import Model
from ..readings.batches import batch
from .calls import attention_calls
from .core import core_of
from .places import placing
from .tape import Enough, modules_of, parts_of

Take = Callable[[int, int, Any], None]  # layer, first query, weights (heads, queries, keys)
_CELLS = 1 << 24  # weights at a time, over all heads: 64 MB


def attention_by_query(
    model: Model, encoding: Encoding, take: Take, layers: range | None = None
) -> None:
    """Read a text once; call `take(layer, first, weights)` for each group of its queries, in order.

    weights: float32 (heads, queries, keys), rows sum to 1. layers: only these, by number. Calls
    nothing for a layer that computes its attention in another way.
    """
    import torch

    network = model.main_network()
    with model.running(), torch.inference_mode(), fused(network):
        given = batch(model, [encoding])
        run_by_query(network, parts_of(model)[0], lambda: core_of(network)(**given), take, layers)


def run_by_query(
    network: Any, part: str, run: Callable[[], Any], take: Take, layers: range | None = None
) -> None:
    """Run a pass under watch; what is called and with what is as `attention_by_query` has it."""

    def entered(layer: int) -> None:
        if layers is not None and layer >= layers.stop:
            raise Enough

    with suppress(Enough), placing(modules_of(network, part), entered) as places:

        def seen(query: Any, key: Any, mask: Any, causal: bool, scale: float | None) -> None:
            side, layer = places.now()
            if side is None or (layers is not None and layer not in layers):
                return
            for first, weights in _rows(query, key, mask, causal, scale):
                take(layer, first, weights)

        with looking_elsewhere(), _mode()(seen):
            run()


@contextmanager
def fused(network: Any) -> Iterator[None]:
    """Run with torch's fused attention; a network that has none goes on with its own."""
    before = network.config._attn_implementation
    changed = before != "sdpa"
    if changed:
        try:
            network.set_attn_implementation("sdpa")
        except ValueError:  # the architecture has none
            changed = False
    try:
        yield
    finally:
        if changed:
            network.set_attn_implementation(before)


def _rows(
    query: Any, key: Any, mask: Any, causal: bool, scale: float | None
) -> Iterator[tuple[int, Any]]:
    """Yield (first query, weights (heads, queries, keys)) of one attention over one text."""
    import torch

    heads, count, width = query.shape[-3:]
    keys = key.shape[-2]
    query, key = query.reshape(heads, count, width), key.reshape(-1, keys, width)
    towards = key.repeat_interleave(heads // len(key), 0).transpose(-1, -2)
    by = width**-0.5 if scale is None else scale
    mask = None if mask is None else mask.expand(1, mask.shape[1], count, keys)[0]
    place = torch.arange(keys, device=query.device)
    size = max(1, _CELLS // (heads * keys))
    for first in range(0, count, size):
        scores = (query[:, first : first + size] @ towards).float() * by
        if causal:
            own = torch.arange(first, min(first + size, count), device=query.device)
            scores = scores.masked_fill(place > own[:, None], -torch.inf)
        if mask is not None:
            part = mask[:, first : first + size]
            scores = (
                scores.masked_fill(~part, -torch.inf)
                if part.dtype == torch.bool
                else (scores + part)
            )
        yield first, scores.softmax(-1).nan_to_num_(0)


@lru_cache(maxsize=1)
def _mode() -> Any:
    from torch.overrides import TorchFunctionMode

    calls = attention_calls()

    class Seeing(TorchFunctionMode):
        def __init__(self, seen: Callable[..., None]) -> None:
            super().__init__()
            self.seen = seen

        def __torch_function__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            if func is calls.fused:
                names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")
                given = {**dict(zip(names, args, strict=False)), **kwargs}
                self.seen(
                    given["query"], given["key"], given.get("attn_mask"),
                    bool(given.get("is_causal")), given.get("scale"),
                )  # fmt: skip
            return func(*args, **kwargs)

    return Seeing
