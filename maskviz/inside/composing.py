"""Compose an attention matrix with whatever mask an architecture has of its own.

A mask handed to a network replaces what it would have built: its causal triangle, its sliding
windows, its chunks. Here the network builds all of that itself, at the length of this text, and
the matrix is laid over the scores where every eager attention ends, softmax(scores) · values, or
over the mask of torch's fused attention. M binary, 1 = may attend: the scores become scores where
M = 1 and −∞ where M = 0, so that each layer attends by its own mask *and* by M. Position biases,
sinks, soft caps and indexers stay as they are, and a matrix of ones changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from ..errors import CapabilityError
from .calls import attention_calls
from .core import core_of


@contextmanager
def composed(network: Any, allowed: Any, met: list[int] | None = None) -> Iterator[None]:
    """Lay a matrix over every attention of the part that reads the text while the block runs.

    allowed: bool (tokens, tokens), or (batch, 1 or heads, tokens, tokens); a float one may attend
    where it is 0. met: gets the number of attentions the matrix was laid over in each pass. Raises
    CapabilityError where it attends otherwise than from token to token.
    """
    entered: list[Any] = []

    def enter(*_: Any) -> None:
        entered.append(laying(network, allowed))
        entered[-1].__enter__()

    def leave(*_: Any) -> None:
        if entered:
            mode = entered.pop()
            mode.__exit__(None, None, None)
            if met is not None:
                met.append(mode.met)

    core = core_of(network)
    handles = (
        core.register_forward_pre_hook(enter),
        core.register_forward_hook(leave, always_call=True),
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def laying(network: Any, allowed: Any) -> Any:
    """Return the block in which a matrix is laid over whatever a part of `network` computes."""
    import torch

    matrix = torch.as_tensor(allowed, device=network.device)
    matrix = matrix if matrix.dtype == torch.bool else matrix >= 0
    matrix = matrix.reshape((1,) * (4 - matrix.dim()) + matrix.shape)
    heads = getattr(network.config, "num_attention_heads", None)
    return _mode()(matrix, heads if isinstance(heads, int) else None, network.config.model_type)


@lru_cache(maxsize=1)
def _mode() -> Any:
    import torch
    from torch.overrides import TorchFunctionMode

    calls = attention_calls()

    class Laying(TorchFunctionMode):
        def __init__(self, matrix: Any, heads: int | None, family: str) -> None:
            super().__init__()
            self.matrix, self.heads, self.family, self.met = matrix, heads, family, 0

        def __torch_function__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            if func in calls.softmaxes and _over_the_last(args, kwargs):
                scores = args[0] if args else kwargs.pop("input")
                args = (self.over(scores), *args[1:])
            elif func is calls.fused:
                args, kwargs = self.masked(*args, **kwargs)
            return func(*args, **kwargs)

        def over(self, scores: Any) -> Any:
            """Return scores that end in (queries, keys) under the matrix; others as they are."""
            matrix = _fitting(self.matrix, scores, self.heads, self.family)
            if matrix is None:
                return scores
            self.met += 1
            return _cut(scores, matrix)

        def masked(
            self, query: Any, key: Any, value: Any, attn_mask: Any = None,
            dropout_p: float = 0.0, is_causal: bool = False, **more: Any,
        ) -> tuple[tuple[Any, ...], dict[str, Any]]:  # fmt: skip
            """Return the arguments of fused attention with the matrix in its mask."""
            shape = (*(1,) * (query.dim() - 2), query.shape[-2], key.shape[-2])
            scores = query.new_zeros(shape)
            if is_causal:
                ahead = torch.ones(shape[-2:], dtype=torch.bool, device=query.device).triu(1)
                scores = scores.masked_fill(ahead, -torch.inf)
            if attn_mask is not None:
                if attn_mask.dtype == torch.bool:
                    scores = scores.masked_fill(~attn_mask, -torch.inf)
                else:
                    scores = scores + attn_mask
            return (query, key, value, self.over(scores), dropout_p, False), more

    return Laying


def _over_the_last(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Tell whether a softmax runs over the last dimension, as that over the keys does."""
    scores = args[0] if args else kwargs["input"]
    dim = args[1] if len(args) > 1 else kwargs.get("dim")
    return dim in (-1, scores.dim() - 1)


def refused(family: str, why: str) -> CapabilityError:
    """Return the error of an architecture that no matrix can be laid over."""
    return CapabilityError(
        f"The architecture {family!r} takes no attention matrix ({why}): use the operator "
        "attention, or a model such as 'mini'."
    )


def _fitting(matrix: Any, scores: Any, heads: int | None, family: str) -> Any:
    """Return the matrix in the shape of the scores; None where these are no attention.

    Scores are (batch, heads, queries, keys) or (batch · heads, queries, keys), with one key more
    where heads have a sink of their own. Routers of experts softmax over (tokens, experts).
    """
    from torch.nn import functional

    count, batch = matrix.shape[-1], matrix.shape[0]
    if scores.dim() < 3 or (scores.dim() == 3 and heads not in (None, 1) and len(scores) % heads):
        return None
    extra = scores.shape[-1] - count
    if scores.shape[-2] != count or extra not in (0, 1) or scores.dim() > 4:
        if scores.dim() == 3:
            return None
        raise refused(
            family,
            f"it attends from {scores.shape[-2]} to {scores.shape[-1]} places where the text has "
            f"{count} tokens",
        )
    matrix = functional.pad(matrix, (0, extra), value=True) if extra else matrix
    if scores.dim() == 4:
        return matrix
    return matrix.expand(batch, len(scores) // batch, -1, -1).flatten(0, 1)


def _cut(scores: Any, matrix: Any) -> Any:
    """Return the scores with −∞ where the matrix is 0.

    A row of which the network's own mask leaves nothing that the matrix allows attends to its own
    token: there is no softmax over nothing.
    """
    import torch

    floor = torch.finfo(scores.dtype).min / 2  # an architecture's own mask lies below
    found = scores.masked_fill(~matrix, -torch.inf)
    lost = (scores > floor).any(-1, keepdim=True) & ~(found > floor).any(-1, keepdim=True)
    own = torch.eye(*scores.shape[-2:], dtype=torch.bool, device=scores.device)
    return found.masked_fill(lost & ~own, -torch.inf).masked_fill(lost & own, 0.0)
