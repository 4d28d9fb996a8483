"""What the decoder of an encoder–decoder reads: a text that is given, or the one it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import CapabilityError, TextError
from ..models.memory import remembered
from ..models.model import Model
from ..readings.batches import batch
from ..text.words import check_unicode
from .beginning import LONGEST as LOOKED_AT
from .beginning import read_beginning

LONGEST = 128  # tokens that are generated at most


@dataclass(frozen=True)
class Target:
    """The decoder's input, its start token first; every tuple has one item per token.

    words: the number of the word a token belongs to.
    """

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    special: tuple[bool, ...]
    words: tuple[int, ...]


def target_of(model: Model, text: str, given: str | None) -> Target:
    """Return the decoder's input for a given target, or for what the model writes for `text`.

    Raises CapabilityError where nothing is given and the model cannot write.
    """
    ids = _given(model, given) if given is not None else _written(model, text)
    # A vocabulary may be larger than its tokenizer's: such an id has no name.
    names = [name or "" for name in model.tokenizer.convert_ids_to_tokens(list(ids))]
    known = set(model.tokenizer.all_special_ids)
    special = tuple(i in known for i in ids)
    tokens = tuple(
        name if mark else model.tokenizer.decode([i]).strip() or name
        for i, name, mark in zip(ids, names, special, strict=True)
    )
    return Target(ids, tokens, special, _words(names, tokens, special))


def _words(names: Sequence[str], tokens: Sequence[str], special: Sequence[bool]) -> tuple[int, ...]:
    """Number the words: a token begins one where its piece says so, and where it is no letter."""
    pieces = any(name.startswith(("▁", "Ġ")) for name in names)
    numbers, word, last = [], -1, ""
    for name, token, mark in zip(names, tokens, special, strict=True):
        begins = name.startswith(("▁", "Ġ")) if pieces else not name.startswith("##")
        joined = token[:1].isalnum() and last[-1:].isalnum()
        word += mark or begins or not joined
        last = "" if mark else token
        numbers.append(word)
    return tuple(numbers)


def _start(model: Model) -> int:
    config = model.main_network().config
    for name in ("decoder_start_token_id", "bos_token_id", "pad_token_id"):
        if getattr(config, name, None) is not None:
            return int(getattr(config, name))
    raise CapabilityError(f"The model {model.name!r} names no token that its decoder starts with.")


def _given(model: Model, text: str) -> tuple[int, ...]:
    if not text.strip():
        raise TextError("The target is empty: give at least one word, or leave it out.")
    check_unicode(text)
    with model.running():
        ids = model.tokenizer(text_target=text, truncation=True, max_length=_most(model))
    return _without_end(model, (_start(model), *ids["input_ids"]))


def _most(model: Model) -> int:
    """Return how many tokens the decoder may read behind the one it starts with."""
    positions = (model.decoder_positions or model.max_length + 1) - 1
    return min(model.max_length, positions, LOOKED_AT)


@remembered(maxsize=64)
def _written(model: Model, text: str) -> tuple[int, ...]:
    import torch

    if "translate" not in model.capabilities:
        raise CapabilityError(
            f"The model {model.name!r} ({model.family}) cannot write: give a target."
        )
    network = model.network("translate")
    with model.running(), torch.inference_mode():
        ids = network.generate(
            **batch(model, [read_beginning(text, "mask", model)]),
            do_sample=False,
            num_beams=1,
            max_new_tokens=min(LONGEST, model.max_length - 1, _most(model)),
        )
    return _without_end(model, tuple(ids[0].tolist()))


def _without_end(model: Model, ids: tuple[int, ...]) -> tuple[int, ...]:
    """Leave out the end: nothing follows it, so the decoder never reads it."""
    ends = model.main_network().config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends, model.tokenizer.eos_token_id]
    return ids[:-1] if len(ids) > 1 and ids[-1] in ends else ids
