"""What several pages use: page, state, controls, strips."""
