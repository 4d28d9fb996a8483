"""The network to tune: loaded, hooked, adapted, saved."""

__all__ = ["card", "encoder", "hooks", "lora", "network", "unseen"]
