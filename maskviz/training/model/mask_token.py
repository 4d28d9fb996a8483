"""A mask token that a decoder learns: one row more in its table of words.

No decoder is trained with one, so that `mask` has nothing to put in a word's place. In a run of
the task causal the token is learned with the rest. A word hidden so in what the model *reads* is
still predicted from the place before it: masked thought (arXiv:2403.02178) hides part of the answer
and learns the whole of it. What the run saves says that the token is learned.
"""

from __future__ import annotations

import copy
from typing import Any

from ...models.abilities import LEARNED
from ..spec.spec import CAUSAL, RunSpec

TOKEN = "<mask>"  # noqa: S105 - where a tokenizer names none


def learning_mask(spec: RunSpec, model: Any) -> Any:
    """Return the model of a run, with a mask token to learn where a decoder's words become one.

    model: `maskviz.models.Model`, shared and left as it is.
    """
    masks = (spec.masking, spec.evaluated_mask)
    asked = any(mask.active and mask.operator in ("mask", "corrupt") for mask in masks)
    if spec.task != CAUSAL or not asked or model.mask_token_id is not None:
        return model
    tokenizer, config = copy.deepcopy(model.tokenizer), copy.deepcopy(model.config)
    if tokenizer.mask_token is None:
        tokenizer.add_special_tokens({"mask_token": TOKEN})
    setattr(config, LEARNED, True)
    return type(model)(model.name, model.path, config, tokenizer, model.capabilities, model.notice)


def give_mask(network: Any, model: Any) -> None:
    """Give a network the row of its model's mask token, the mean of all others to begin with."""
    import torch

    if not getattr(model.config, LEARNED, False) or getattr(network.config, LEARNED, False):
        return
    token = model.mask_token_id
    if token >= network.get_input_embeddings().num_embeddings:
        network.resize_token_embeddings(token + 1, mean_resizing=False)
    with torch.no_grad():
        for table in (network.get_input_embeddings(), network.get_output_embeddings()):
            for weights in filter(lambda w: w is not None, (table.weight, _bias(table))):
                weights[token] = weights[:token].mean(0)
    setattr(network.config, LEARNED, True)


def _bias(table: Any) -> Any:
    return getattr(table, "bias", None)
