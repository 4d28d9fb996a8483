"""What a language model is asked: which choice, which next token, how probable an answer."""

__all__ = ["answering", "choices", "following", "prompt", "scoring", "tails"]
