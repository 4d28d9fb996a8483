"""How long a text a model takes: what its positions, its tokenizer or the memory allow.

A configuration names a number of positions, and most models have as many. Where a table of
learned positions has a padding index, as RoBERTa's, the first position stands behind it, so that
a few rows of the table are never used; the table itself is looked at, whatever the architecture.
Models with relative positions alone, such as T5 and XLNet, end where their tokenizer says, or
where the attention of a layer would no longer fit the memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .auto import HEADS
from .memory import free_at_first, tensor_shapes

_READ = ("max_position_embeddings", "max_encoder_position_embeddings", "max_seq_len")
_WRITTEN = ("max_position_embeddings", "max_decoder_position_embeddings")
_REAL = 10**20  # a tokenizer that knows no limit says 10³⁰
_SHARE = 4  # of the free memory, for the attention of a layer
_COPIES = 6  # of its scores in float32: by content, by position, masked, after the softmax, …
_LEAST, _MOST = 1024, 131_072


@dataclass(frozen=True)
class Limit:
    """The most tokens a text may have, special ones included, and what says so.

    by: `positions`, `tokenizer` or `memory`.
    """

    tokens: int
    by: str


def limit_of(config: Any, tokenizer: Any, path: str, head: str) -> Limit:
    """Return the limit of a model at `path` that is loaded with this head."""
    found = []
    if positions := positions_of(config, _READ, "encoder"):
        found.append(Limit(positions - _unused(config, positions, path, head), "positions"))
    if tokenizer.model_max_length < _REAL:
        found.append(Limit(int(tokenizer.model_max_length), "tokenizer"))
    return min(found, key=lambda limit: limit.tokens) if found else _by_memory(config)


def written_limit(config: Any) -> int | None:
    """Return how many positions a decoder has, the one it starts from included; None for any."""
    return positions_of(config, _WRITTEN, "decoder")


def positions_of(config: Any, names: tuple[str, ...], part: str) -> int | None:
    """Return the number of positions that a configuration names for a part, None where none."""
    own = _part(config, part)
    said = (getattr(own, name, None) for name in names)
    return next((int(number) for number in said if number and number > 0), None)


def _part(config: Any, part: str) -> Any:
    """Return the settings of what reads (`encoder`) or writes (`decoder`) the text."""
    nested = getattr(config, part, None)
    if hasattr(nested, "model_type"):
        return nested
    try:
        return config.get_text_config()
    except ValueError:  # a model of several texts, as some that speak: what it says of itself
        return config


def _unused(config: Any, positions: int, path: str, head: str) -> int:
    """Return how many of the positions no token can have: those up to a padding index."""
    padding = getattr(_part(config, "encoder"), "pad_token_id", None)
    # A table may be that much larger on purpose, so that all positions are used (FSMT's).
    rows = range(positions, positions + (padding or 0) + 1)
    if padding is None or not _may_have_table(path, rows):
        return 0
    try:
        layers = _layers(config, head)
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError, ImportError):
        return padding + 1  # what cannot be built says why when it is loaded
    tables = (
        (len(layer.weight), layer.padding_idx)
        for layer in layers
        if getattr(layer, "padding_idx", None) is not None and hasattr(layer, "weight")
    )
    ends = [count - index - 1 for count, index in tables if count in rows]
    return positions - min([positions, *ends])


def _may_have_table(path: str, rows: range) -> bool:
    """Tell from the weights' headers whether there may be learned positions: most need no look."""
    files = list(Path(path).glob("*.safetensors"))
    shapes = [shape for file in files for shape in tensor_shapes(file).values()]
    return not shapes or any(len(shape) == 2 and shape[0] in rows for shape in shapes)


def _layers(config: Any, head: str) -> list[Any]:
    """Return the layers of what reads the text, without weights; the words' own table left out."""
    import torch

    with torch.device("meta"):
        network = HEADS[head].from_config(config, trust_remote_code=False)
    reads = network.get_encoder() if config.is_encoder_decoder else network
    words = {id(network.get_input_embeddings()), id(reads.get_input_embeddings())}
    return [layer for layer in reads.modules() if id(layer) not in words]


def _by_memory(config: Any) -> Limit:
    """Return a power of two whose attention, of all heads of a layer, fits the memory."""
    heads = getattr(_part(config, "encoder"), "num_attention_heads", None)
    if not isinstance(heads, int):  # nothing grows with the square of the text
        return Limit(_MOST, "memory")
    pairs = free_at_first() / _SHARE / (4 * _COPIES * heads)
    tokens = 1 << max(0, int(pairs**0.5).bit_length() - 1)
    return Limit(max(_LEAST, min(_MOST, tokens)), "memory")
