"""What a run is asked for: RunSpec, its masks, and its TOML."""

__all__ = ["loss_spec", "mask_spec", "spec", "toml"]
