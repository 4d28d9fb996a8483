"""The parts of `benchmarks/architectures.py`: tiny models, their own passes, checks, a table."""
