"""The network to tune: loaded, hooked, adapted, saved."""

__all__ = [
    "card",
    "encoder",
    "heads",
    "hooks",
    "lora",
    "lora_check",
    "mask_token",
    "network",
    "packing",
    "trial",
    "unseen",
]
