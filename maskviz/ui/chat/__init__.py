"""The Chat page: a conversation, what is hidden in it, and two answers side by side."""

__all__ = ["answers", "beside", "cards", "choices", "given", "hidden", "reading"]
