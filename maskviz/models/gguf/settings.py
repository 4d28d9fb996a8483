"""The settings of a GGUF file as transformers has them, each of them accounted for.

transformers takes some settings over and passes the others by without a word: a scaled position
or a soft cap would then be missing, and every number wrong. So each setting of the architecture
that a network computes with is compared with the configuration and put in where it differs;
one that has no place there is refused by name. What the shapes of the weights say already
(`embedding_length`, `feed_forward_length`) is compared with the network's own shapes later.
"""

from __future__ import annotations

import math
from typing import Any

from ...errors import ModelError
from .header import Header

_SHAPES = (
    "vocab_size", "embedding_length", "feed_forward_length", "block_count", "context_length",
    "tensor_data_layout", "rope.scaling.finetuned",
)  # fmt: skip
# The names that configurations have for a setting, each in some architecture.
_PLACES = {
    "attention.head_count": ("num_attention_heads", "n_head"),
    "attention.head_count_kv": ("num_key_value_heads",),
    "attention.layer_norm_rms_epsilon": ("rms_norm_eps", "layer_norm_epsilon", "norm_eps"),
    "attention.layer_norm_epsilon": (
        "layer_norm_epsilon", "layer_norm_eps", "norm_epsilon", "norm_eps"
    ),
    "attn_logit_softcapping": ("attn_logit_softcapping",),
    "final_logit_softcapping": ("final_logit_softcapping",),
    "expert_count": ("num_experts", "num_local_experts"),
    "expert_used_count": ("num_experts_per_tok",),
    "expert_feed_forward_length": ("moe_intermediate_size",),
    "expert_shared_feed_forward_length": ("shared_expert_intermediate_size",),
    "expert_weights_norm": ("norm_topk_prob",),
    "use_parallel_residual": ("use_parallel_residual",),
    "shortconv.l_cache": ("conv_L_cache",),
}  # fmt: skip
_WINDOWED = ("mistral", "phi3", "starcoder2")  # every layer of theirs has the window
_LARGEST = {"gemma2": 46, "gemma3": 62}  # layers of the one that divides scores by another number


def settle(config: Any, header: Header) -> None:
    """Put the file's settings into a configuration. Raises ModelError for one with no place."""
    own = header.own()
    for name, value in own.items():
        if isinstance(value, list) and value and len(set(value)) == 1:
            value = value[0]
        if name in _SHAPES or name.startswith("rope."):
            continue
        if name in ("attention.key_length", "attention.value_length"):
            _head_size(config, header, name, int(value))
        elif name == "attention.sliding_window":
            _window(config, header, int(value))
        elif name == "attention.sliding_window_pattern":
            _pattern(config, header, value)
        elif name == "attention.causal" and value:
            continue
        elif not _put(config, _PLACES.get(name, ()), value) and value:
            raise refused(header, name, value)
    _rotation(config, header, own)
    _scores(config, own)
    if config.model_type == "gpt2":  # a table as long as the text may be
        config.n_positions = own.get("context_length", config.n_positions)


def _put(config: Any, names: tuple[str, ...], value: Any) -> bool:
    """Set the first of these names that a configuration has; return whether it has one."""
    for name in names:
        if hasattr(config, name):
            known = getattr(config, name)
            close = isinstance(known, float) and math.isclose(known, value, rel_tol=1e-6)
            if known != value and not close:
                setattr(config, name, value)
            return True
    return False


def head_size(config: Any) -> int:
    """Return how many channels a head has."""
    own = getattr(config, "head_dim", None)
    return int(own or config.hidden_size // config.num_attention_heads)


def _head_size(config: Any, header: Header, name: str, value: int) -> None:
    if head_size(config) == value:
        return
    if not hasattr(config, "head_dim"):
        raise refused(header, name, value)
    config.head_dim = value


def _window(config: Any, header: Header, value: int) -> None:
    kinds = getattr(config, "layer_types", None) or ()
    if value >= header.own().get("context_length", math.inf):
        return  # no text is longer
    if "sliding_attention" not in kinds and config.model_type not in _WINDOWED:
        raise refused(header, "attention.sliding_window", value)
    config.sliding_window = value


def _pattern(config: Any, header: Header, value: Any) -> None:
    """Compare which layers have the window: every one but each n-th, or as a list says."""
    kinds = getattr(config, "layer_types", None) or ()
    count = len(kinds)
    said = value if isinstance(value, list) else [bool((i + 1) % value) for i in range(count)]
    if list(map(bool, said)) != [kind == "sliding_attention" for kind in kinds]:
        raise refused(header, "attention.sliding_window_pattern", value)


def _scores(config: Any, own: dict[str, Any]) -> None:
    """Set what Gemma divides its scores by, which no file says: llama.cpp knows it by the size."""
    family = config.model_type.removesuffix("_text")
    if family in _LARGEST:
        alone = own.get("block_count") == _LARGEST[family]
        own_size = config.hidden_size // config.num_attention_heads
        config.query_pre_attn_scalar = own_size if alone else head_size(config)


# The original length matters to a scaling alone, and Phi 3 names it without one.
_ROPE = (
    "freq_base", "freq_base_swa", "dimension_count", "scaling.type", "scaling.factor",
    "scaling.finetuned", "scaling.original_context_length",
)  # fmt: skip


def _rotation(config: Any, header: Header, own: dict[str, Any]) -> None:
    """Set the base, the share and the scaling of rotary positions."""
    given = {name: value for name, value in own.items() if name.startswith("rope.")}
    rope = getattr(config, "rope_parameters", None)
    if not isinstance(rope, dict):
        if given:
            raise refused(header, *next(iter(given.items())))
        return
    parts = [part for part in rope.values() if isinstance(part, dict)] or [rope]
    whole = rope.get("full_attention", rope)
    for part in parts:  # llama.cpp's own default is 10,000 everywhere
        name = "rope.freq_base" if part is whole else "rope.freq_base_swa"
        part["rope_theta"] = float(given.get(name, 10_000.0))
    _rotated_share(config, header, given, whole)
    for name, value in given.items():
        if name.removeprefix("rope.") not in _ROPE and value:
            raise refused(header, name, value)
    _scaled(header, given, whole, head_size(config))
    config.rope_parameters = rope


def _rotated_share(config: Any, header: Header, given: dict[str, Any], rope: Any) -> None:
    size = head_size(config)
    rotated = given.get("rope.dimension_count", size)
    share = rope.get("partial_rotary_factor") or getattr(config, "partial_rotary_factor", None)
    if int(size * (share or 1.0)) == rotated:
        return
    if share is None:
        raise refused(header, "rope.dimension_count", rotated)
    rope["partial_rotary_factor"] = rotated / size


def _scaled(header: Header, given: dict[str, Any], rope: dict[str, Any], size: int) -> None:
    kind = given.get("rope.scaling.type", "none")
    factor = float(given.get("rope.scaling.factor", 1.0))
    if kind == "linear" and factor != 1:
        rope |= {"rope_type": "linear", "factor": factor}
    elif kind not in ("none", "linear"):
        raise refused(header, "rope.scaling.type", kind)
    elif kind == "none" and factor not in (0.0, 1.0):
        raise refused(header, "rope.scaling.factor", factor)
    if FACTORS in header.tensors:
        rope |= _llama3(header, rope["rope_theta"], size)


FACTORS = "rope_freqs.weight"  # by which Llama 3 divides each of its frequencies


def _llama3(header: Header, base: float, size: int) -> dict[str, Any]:
    """Return the scaling of Llama 3.1 and later, which a file holds as the factors it comes to.

    The factors are computed from the settings that all of these models have, and compared.
    """
    import numpy as np

    place = header.tensors[FACTORS]
    if place.kind != 0 or place.shape != (size // 2,):
        raise refused(header, FACTORS, place.shape)
    with header.path.open("rb") as file:
        file.seek(place.start)
        factors = np.frombuffer(file.read(place.size), "<f4").astype(float)
    factor, low, high, first = float(factors.max()), 1.0, 4.0, 8192
    waves = 2 * np.pi * base ** (np.arange(0, size, 2) / size)
    smooth = ((first / waves - low) / (high - low)).clip(0, 1)
    expected = 1 / ((1 - smooth) / factor + smooth)
    if not np.allclose(factors, expected, rtol=1e-3):
        raise refused(header, FACTORS, f"a scaling of up to {factor:.4g}")
    return {
        "rope_type": "llama3", "factor": factor, "low_freq_factor": low,
        "high_freq_factor": high, "original_max_position_embeddings": first,
    }  # fmt: skip


def refused(header: Header, name: str, value: object) -> ModelError:
    """Return the error that names a setting which would be passed by."""
    return ModelError(
        f"The GGUF file {header.path.name!r} says {name} is {str(value)[:40]}, which transformers "
        f"does not read for {header.architecture}, so that its numbers would be wrong: take the "
        "model's safetensors."
    )
