"""What a run is asked for: RunSpec, its masks, and its TOML."""

__all__ = ["mask_spec", "spec", "toml"]
