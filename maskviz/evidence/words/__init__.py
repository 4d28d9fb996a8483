"""A score for each word, the ways to make one, and how far each is to be believed."""

__all__ = [
    "answer",
    "attribution",
    "faithfulness",
    "keyness",
    "methods",
    "plausibility",
    "rationales",
    "staged",
    "turns",
    "worth",
]
