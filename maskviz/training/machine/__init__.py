"""What a run has: device, memory, cores, and the size of a model."""

__all__ = ["compiling", "device", "machine", "memory", "model_size"]
