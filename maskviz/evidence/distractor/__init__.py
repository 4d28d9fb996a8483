"""The planted distractor: does hiding what misleads keep a model from it?"""

__all__ = ["experiment", "interference", "own", "result", "words"]
