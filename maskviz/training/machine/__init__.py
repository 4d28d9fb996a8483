"""What a run has: device, memory, cores, and the size of a model."""
