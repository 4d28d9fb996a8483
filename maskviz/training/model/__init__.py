"""The network to tune: loaded, hooked, adapted, saved."""

__all__ = [
    "card",
    "encoder",
    "heads",
    "hooks",
    "lora",
    "lora_check",
    "network",
    "packing",
    "trial",
    "unseen",
]
