"""Rows, their targets, their masks, and batches of them."""
