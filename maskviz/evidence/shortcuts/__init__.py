"""What a model leans on in a file: found on one half of its rows, measured on the other."""

__all__ = ["candidates", "measured", "result", "search", "signs", "work"]
