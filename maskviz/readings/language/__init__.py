"""What a language model is asked: which choice, which next token, how probable an answer."""

from .scoring import usual_question

__all__ = [
    "answering",
    "asking",
    "choices",
    "conversing",
    "following",
    "positions",
    "prompt",
    "scoring",
    "sharing",
    "tails",
    "usual_question",
    "writing",
]
