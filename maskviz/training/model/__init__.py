"""The network to tune: loaded, hooked, adapted, saved."""

__all__ = [
    "card",
    "encoder",
    "hooks",
    "lora",
    "lora_check",
    "network",
    "packing",
    "trial",
    "unseen",
]
