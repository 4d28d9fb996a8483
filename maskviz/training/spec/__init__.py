"""What a run is asked for: RunSpec, its masks, and its TOML."""
