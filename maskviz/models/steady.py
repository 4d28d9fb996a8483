"""Networks that would change by what they have read are kept as they were loaded.

BigBird goes over to full attention at its first short text and stays there, so that a long text
would be answered by what was asked before. Here it goes back to its blocks wherever they fit.
"""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


def steady(network: T) -> T:
    """Let a network attend in its blocks again at each text that is long enough; return it."""
    from transformers import PreTrainedModel

    for part in getattr(network, "modules", list)():
        named = isinstance(part, PreTrainedModel) and hasattr(part, "set_attention_type")
        if named and part.attention_type == part.config.attention_type:  # a decoder's may differ
            part.register_forward_pre_hook(_back_to_blocks, with_kwargs=True)
    return network


def _back_to_blocks(part: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    given = (*args[:1], kwargs.get("input_ids"), kwargs.get("inputs_embeds"))
    length = next(one.shape[1] for one in given if one is not None)
    config = part.config
    fits = length > (5 + 2 * config.num_random_blocks) * config.block_size  # as it counts itself
    if fits and part.attention_type != config.attention_type:
        part.set_attention_type(config.attention_type)
