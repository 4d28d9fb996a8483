"""See and change what a network computes: its attention, its gradients, its matrices."""
