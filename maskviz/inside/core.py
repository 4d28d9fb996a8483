"""The part of a network that reads a text, and which way its tokens look."""

from __future__ import annotations

from typing import Any


def core_of(network: Any) -> Any:
    """Return the part of a network that attends: without its head, of two parts the encoder."""
    return network.get_encoder() if network.config.is_encoder_decoder else network.base_model
