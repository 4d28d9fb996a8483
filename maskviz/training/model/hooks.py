"""What happens between a network's core and its head while it trains.

Two things that Trainer knows nothing of ride along with a batch: `head_positions`, so that the
head of a masked language model is computed at the hidden tokens alone (a vocabulary of 16,000
costs as much as four layers of 256 channels), and `attention_matrix`, log M inside self-attention.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import CapabilityError


class CoreHooks:
    """Hooks on the part of a network that attends; without a batch's extras they do nothing."""

    def __init__(self, network: Any) -> None:
        encoder_decoder = network.config.is_encoder_decoder
        core = network.get_encoder() if encoder_decoder else network.base_model
        # A decoder's outputs stand for the targets, not for the inputs' places.
        self.sparse = not encoder_decoder and core is not network
        self._positions: Any = None
        self._matrix: Any = None
        core.register_forward_pre_hook(self._steer, with_kwargs=True)
        if self.sparse:
            core.register_forward_hook(self._pick)

    @contextmanager
    def fed(self, positions: Any, matrix: Any) -> Iterator[None]:
        """Use the extras of one batch while the block runs.

        positions: (k,) places in the flattened batch; matrix: (batch, 1, tokens, tokens), 0 or the
        lowest float.
        """
        self._positions, self._matrix = positions, matrix
        try:
            yield
        finally:
            self._positions = self._matrix = None

    def _steer(
        self, _core: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        if self._matrix is None:
            return None
        return arguments, {**keywords, "attention_mask": self._matrix}

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
    """Raise CapabilityError where the architecture takes no attention matrix."""
    import torch

    ids = torch.full((1, 4), network.config.eos_token_id or 0)
    extra = {"decoder_input_ids": ids} if network.config.is_encoder_decoder else {}
    training = network.training
    network.eval()
    outputs = []
    try:
        for matrix in (torch.zeros(4, 4), torch.full((4, 4), -1e4).fill_diagonal_(0.0)):
            with torch.no_grad(), hooks.fed(None, matrix[None, None]):
                core = network(input_ids=ids, output_hidden_states=True, **extra)
                states = core.get("hidden_states") or core.get("encoder_hidden_states")
                outputs.append(states[-1])
    except (RuntimeError, ValueError, IndexError) as error:
        raise CapabilityError(_no_matrix(family, str(error).splitlines()[0][:80])) from None
    finally:
        network.train(training)


def _no_matrix(family: str, why: str) -> str:
    return (
        f"The architecture {family!r} takes no attention matrix ({why}): use the operator "
        "'attention', or a model such as 'mini'."
    )
