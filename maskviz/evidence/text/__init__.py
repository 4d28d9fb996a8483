"""One text with and without a mask: what changes, and what chance would change."""
