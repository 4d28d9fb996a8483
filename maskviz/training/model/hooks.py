"""What happens between a network's core and its head while it trains.

Two things that Trainer knows nothing of ride along with a batch: `head_positions`, so that the
head of a masked language model is computed at the hidden tokens alone (a vocabulary of 16,000
costs as much as four layers of 256 channels), and `attention_matrix`, M inside self-attention.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from ...inside.checks.masks import heeds
from ...inside.checks.probe import probe_of
from ...inside.composing import composed, laying, refused
from ...inside.core import core_of
from ...models.raised import from_architecture
from .packing import Packing


class CoreHooks:
    """Hooks on the part of a network that attends; without a batch's extras they do nothing.

    unseen: what is made of a batch so that hidden words are out of sight, see `unseen`. places:
    whether a decoder is told the places of its tokens; packing: whether it keeps rows apart.
    """

    def __init__(self, network: Any) -> None:
        core = core_of(network)
        # A decoder's outputs stand for the targets, not for the inputs' places.
        self.sparse = not network.config.is_encoder_decoder and core is not network
        self.unseen: Callable[[dict[str, Any]], dict[str, Any]] = lambda batch: batch
        self.places = False
        self.packing = Packing(False)
        self._positions: Any = None
        self._matrix: Any = None
        self._network = network
        if self.sparse:
            core.register_forward_hook(self._pick)

    @contextmanager
    def fed(self, positions: Any, matrix: Any) -> Iterator[None]:
        """Use the extras of one batch while the block runs.

        positions: (k,) places in the flattened batch; matrix: bool (batch, 1, tokens, tokens), or
        float and 0 where a token may attend.
        """
        self._positions, self._matrix = positions, matrix
        try:
            with nullcontext() if matrix is None else self._under(matrix):
                yield
        finally:
            self._positions = self._matrix = None

    def _under(self, matrix: Any) -> AbstractContextManager[Any]:
        """Return the block that lays a matrix over the core; it begins outside of compiled code."""
        laid = composed if self._network.config.is_encoder_decoder else laying
        return laid(self._network, matrix)

    def require_picks(self, network: Any) -> None:
        """Find out whether the head is computed at given places alone, and where to hook for it.

        Some networks ask their decoder, not the core that holds it; where neither is asked, the
        head is computed everywhere.
        """
        if not self.sparse or self._picks(network):
            return
        network.get_decoder().register_forward_hook(self._pick)
        self.sparse = self._picks(network)

    def _picks(self, network: Any) -> bool:
        import torch

        ids = torch.tensor([[1, 2, 3]], device=network.device)
        training = network.training
        network.eval()
        try:
            with torch.inference_mode(), self.fed(torch.tensor([1]), None):
                return network(input_ids=ids, use_cache=False).logits.shape[1] == 1
        finally:
            network.train(training)

    def again(self) -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
        """Return the blocks of a layer's pass and of the one on the way back, for checkpoints."""
        if self._matrix is None:
            return nullcontext(), nullcontext()
        return nullcontext(), laying(self._network, self._matrix)

    def _pick(self, _core: Any, _arguments: tuple[Any, ...], output: Any) -> Any:
        if self._positions is None:
            return None
        hidden = output[0]  # (batch, tokens, channels)
        picked = hidden.reshape(-1, hidden.shape[-1])[self._positions][None]  # (1, k, channels)
        if isinstance(output, tuple):
            return (picked, *output[1:])
        output["last_hidden_state"] = picked
        return output


def require_matrix(network: Any, hooks: CoreHooks, family: str) -> None:
    """Raise CapabilityError where the architecture does not heed an attention matrix."""
    training = network.training
    network.eval()
    try:
        with hooks.fed(None, None):
            found = heeds(network, probe_of(network))
    except Exception as error:
        if not from_architecture(error):
            raise
        raise refused(family, f"{type(error).__name__}: {str(error).strip()[:80]}") from error
    finally:
        network.train(training)
    if not found.passed:
        raise refused(family, found.said)
