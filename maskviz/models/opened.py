"""Networks whose attention can be computed in the open, as eager attention does.

Most architectures switch their attention when asked to. One that keeps what it was loaded with
(Falcon) is loaded eager, where it answers the same then: Falcon's own eager attention adds ALiBi
twice, so that with ALiBi it stays as it was, and does not show its attention.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .raised import from_architecture

_TOKENS = 12  # that are read to compare
_CLOSE = 1e-4  # of the largest state


def opened(load: Callable[..., Any]) -> Any:
    """Return the network that `load` gives, loaded anew where it ignores the switch to eager.

    load: takes the options of `from_pretrained`.
    """
    network = load()
    if switches(network):
        return network
    eager = load(attn_implementation="eager")
    try:
        return eager if _same(network.eval(), eager.eval()) else network
    except Exception as error:
        if not from_architecture(error):
            raise
        return network


def switches(network: Any) -> bool:
    """Tell whether a network attends eagerly when it is asked to; it is left as it was."""
    before = network.config._attn_implementation
    if before == "eager":
        return True
    network.set_attn_implementation("eager")
    switched = network.config._attn_implementation == "eager"
    network.set_attn_implementation(before)
    return bool(switched)


def _same(one: Any, other: Any) -> bool:
    """Tell whether two networks make the same of a few tokens."""
    a, b = _states(one), _states(other)
    return bool((a - b).abs().max() <= _CLOSE * a.abs().max())


def _states(network: Any) -> Any:
    import torch

    core = network.get_encoder() if network.config.is_encoder_decoder else network.base_model
    size = core.get_input_embeddings().num_embeddings
    ids = torch.arange(1, size, max(1, size // _TOKENS))[None, :_TOKENS]
    with torch.inference_mode():
        return core(input_ids=ids, attention_mask=torch.ones_like(ids))[0].float()
