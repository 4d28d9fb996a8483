"""Pairs of texts in one: `first [SEP] second`, with the model's own separator between."""

from __future__ import annotations

from ..errors import CapabilityError
from ..models.model import Model


def join_pair(first: str, second: str, model: Model) -> str:
    """Return two texts as one, with what the model's tokenizer puts between a pair.

    Raises CapabilityError where the tokenizer knows no separator.

    >>> from maskviz.models import load_model
    >>> join_pair("Is it warm?", "It is.", load_model("mini"))
    'Is it warm? [SEP] It is.'
    """
    separator = model.tokenizer.sep_token
    if separator is None:
        raise CapabilityError(
            f"The tokenizer of {model.name!r} has no separator for pairs: write one text."
        )
    with model.running():
        ids = model.tokenizer("a", "b")["input_ids"]
    between = ids.count(model.tokenizer.sep_token_id) - (ids[-1] == model.tokenizer.sep_token_id)
    return f"{first} {separator * max(1, between)} {second}"
