"""A network compiled for batches of a few fixed shapes.

`torch.compile` fuses what a layer does to each number; on a GPU it records a CUDA graph for every
shape it meets, so that a step is launched at once instead of kernel by kernel. A small network on
a fast GPU waits for its launches most of the time. For there to be few shapes, rows are padded to
one of eight lengths; the padding costs less than a launch.

The code is made once for all shapes, which takes about half a minute before the first step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_LENGTHS = 8  # to which rows are padded, and shares of a batch's places that may be hidden
_BACKEND = "inductor"


@dataclass(frozen=True)
class Lengths:
    """Eight lengths at most, in equal steps up to the longest row of all.

    >>> lengths = Lengths.up_to(100)
    >>> lengths(3), lengths(20), lengths(100)
    (16, 32, 100)
    """

    step: int
    longest: int

    @classmethod
    def up_to(cls, longest: int) -> Lengths:
        """Return lengths that are multiples of 8, which matrix units like; but for the longest."""
        return cls(rounded(-(-longest // _LENGTHS), 8), longest)

    def __call__(self, tokens: int) -> int:
        """Return the length to which a batch is padded whose longest row has `tokens`."""
        return max(tokens, min(self.longest, rounded(tokens, self.step)))


def places(hidden: int, of: int) -> int:
    """Return how many places a head computes where `hidden` are due: so many eighths of all."""
    return min(of, rounded(hidden, max(1, of // _LENGTHS)))


def rounded(count: int, step: int) -> int:
    """Return the next multiple of `step`."""
    return -(-count // step) * step


class Compiled:
    """Calls a network as compiled; as it is, for good, once the compiler could not take it.

    graphs: record CUDA graphs where the network is on a GPU. `say` is told why it stays as it is.
    """

    def __init__(self, network: Any, graphs: bool, say: Callable[[str], None]) -> None:
        import torch

        self.network = network
        self.graphs = graphs and next(network.parameters()).is_cuda
        self.say = say
        torch.compiler.reset()  # what was compiled for runs before counts against torch's limit
        self._compiled: Callable[..., Any] | None = torch.compile(
            network,
            dynamic=True,
            backend=_BACKEND,
            mode="reduce-overhead" if self.graphs else None,
        )

    def __call__(self, **inputs: Any) -> Any:
        """Return the network's outputs; inputs: its keyword arguments."""
        if self._compiled is None:
            return self.network(**inputs)
        import torch
        from torch._dynamo.exc import TorchDynamoException

        if self.graphs:  # what the last step gave may be overwritten
            torch.compiler.cudagraph_mark_step_begin()
        try:
            return self._compiled(**inputs)
        except TorchDynamoException as error:
            cause = str(getattr(error, "inner_exception", error))
            why = (cause.strip().splitlines() or [type(error).__name__])[0][:160]
            self.say(f"The compiler cannot take this network ({why}): it trains as it is.")
            self._compiled = None
            return self.network(**inputs)
