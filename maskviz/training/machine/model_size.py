"""The size of a model, and of texts in its tokens, from files alone: no torch is imported."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...models.locate import folder_of
from ...models.memory import tensor_shapes


@dataclass(frozen=True)
class Shape:
    """The size of a model: all weights, those outside the embedding table, layers and width.

    layers: of encoder and decoder together; vocabulary: tokens a head gives a figure for; family:
    the architecture by transformers' name; inner: channels inside the MLP of a layer.
    """

    weights: int
    dense: int
    layers: int
    width: int
    vocabulary: int = 0
    family: str = ""
    inner: int = 0


@lru_cache(maxsize=16)
def model_shape(name: str) -> Shape | None:
    """Read a model's size from its files' headers, or None where they are not here."""
    folder = folder_of(name)
    if folder is None:
        return None
    sizes: dict[str, int] = {}
    for path in folder.glob("*.safetensors"):
        sizes |= tensor_sizes(path)
    if not sizes:
        return None
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    table = max((n for key, n in sizes.items() if "embed" in key), default=0)
    weights = sum(sizes.values())
    width = _first(config, "hidden_size", "n_embd", "dim", "d_model") or 768
    vocabulary = config.get("vocab_size") or 0
    family = config.get("model_type", "")
    wide = ("intermediate_size", "n_inner", "hidden_dim", "d_ff", "encoder_ffn_dim")
    inner = _first(config, *wide) or 4 * width
    dense = max(weights - table, 1)
    return Shape(weights, dense, _layers(config), width, vocabulary, family, inner)


def _layers(config: Mapping[str, Any]) -> int:
    """Return the layers by any of the names that architectures have for them."""
    names = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers")
    layers = _first(config, *names) or 12
    if config.get("is_encoder_decoder"):
        layers += _first(config, "num_decoder_layers", "decoder_layers") or layers
    return layers


def _first(config: Mapping[str, Any], *names: str) -> int:
    return next((int(config[name]) for name in names if config.get(name)), 0)


def tensor_sizes(path: Path) -> dict[str, int]:
    """Return the number of values of each tensor, from the file's header alone."""
    return {name: math.prod(shape) for name, shape in tensor_shapes(path).items()}


def token_lengths(model: str, texts: Sequence[str], limit: int) -> list[int]:
    """Return the tokens of each text, at most `limit` and what the model takes.

    Four characters a token where there is no tokenizer yet.
    """
    folder = folder_of(model)
    limit = min(limit, _longest(folder)) if folder else limit
    if folder is None or not (folder / "tokenizer.json").is_file():
        return [min(limit, len(text) // 4 + 2) for text in texts]
    encodings = _tokenizer(str(folder)).encode_batch([text[: limit * 20] for text in texts])
    return [min(limit, len(encoding.ids)) for encoding in encodings]


def _longest(folder: Path) -> int:
    """Return the longest input in tokens, as `maskviz.models.Model.max_length` does when loaded.

    From the files alone the first positions of RoBERTa, which no token has, cannot be told: it may
    be a token or two more.
    """
    config, tokenizer = (_read(folder / f"{name}.json") for name in ("config", "tokenizer_config"))
    text = config.get("text_config") or config.get("encoder") or config
    names = ["max_position_embeddings", "max_encoder_position_embeddings", "max_seq_len"]
    if not any("relative_attention" in key for key in text):  # T5's `n_positions` limits nothing
        names.append("n_positions")
    limits = [_first(text, *names), tokenizer.get("model_max_length") or 0]
    return min((int(limit) for limit in limits if limit and limit > 0), default=sys.maxsize)


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


@lru_cache(maxsize=4)
def _tokenizer(folder: str) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
