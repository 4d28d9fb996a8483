"""Tiny models written as GGUF files by the package `gguf`, as llama.cpp's converter writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.tiny_models import tokenizer

TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SMALL = {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96,
    "max_position_embeddings": 128, "initializer_range": 0.3, "pad_token_id": 0,
    "bos_token_id": 2, "eos_token_id": 3,
}  # fmt: skip
# What each architecture's configuration needs beside that, by llama.cpp's name of it.
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {"num_key_value_heads": 2, "tie_word_embeddings": True}),
    "llama untied": ("llama", {"num_key_value_heads": 4, "rms_norm_eps": 1e-5}),
    "qwen2": ("qwen2", {"num_key_value_heads": 2, "rope_theta": 1_000_000.0}),
    "qwen3": ("qwen3", {"num_key_value_heads": 2, "head_dim": 32}),
    "gemma2": (
        "gemma2",
        {
            "num_key_value_heads": 2, "head_dim": 32, "query_pre_attn_scalar": 32,
            "sliding_window": 8, "final_logit_softcapping": 5.0, "attn_logit_softcapping": 3.0,
        },
    ),
    "gemma3": (
        "gemma3_text",
        {
            "num_key_value_heads": 1, "head_dim": 32, "query_pre_attn_scalar": 32,
            "sliding_window": 8,
        },
    ),
    "phi3": ("phi3", {"num_key_value_heads": 2}),
    "gpt2": ("gpt2", {}),
    "starcoder2": ("starcoder2", {"num_key_value_heads": 2, "rope_theta": 100_000.0}),
}  # fmt: skip


def network_of(kind: str, vocabulary: int, **more: Any) -> Any:
    """Return a tiny network, its weights drawn with a seed and all of them different from 0."""
    import torch
    import transformers

    family, own = KINDS[kind]
    given = {**SMALL, **own, **more, "vocab_size": vocabulary}
    torch.manual_seed(0)
    network = transformers.AutoModelForCausalLM.from_config(
        transformers.AutoConfig.for_model(family, **given)
    ).eval()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.dim() == 1:  # norms and biases are ones and zeros when they are new
                weight.add_(0.1 * torch.randn(weight.shape))
            elif family == "gpt2":
                weight.normal_(0, 0.3 if "wte" in name or "wpe" in name else 0.2)
    network.tie_weights()
    return network


def write(
    path: Path,
    kind: str = "llama",
    quantise: str = "F32",
    add: Any = None,
    pre: str = "",
    core: Any = None,
    **more: Any,
) -> Any:
    """Write a tiny model as a GGUF file; return the network that it must come out as.

    quantise: the type of its matrices, such as `Q8_0`. add: called with the writer before it
    writes, to say more than there is to say. core: a SentencePiece model in the place of the tiny
    byte-level tokenizer. more: for the configuration.
    """
    import gguf

    spm = core is not None
    core = tokenizer("bytes") if core is None else core
    network = network_of(kind, len(core), **more)
    name = KINDS[kind][0].removesuffix("_text")
    writer = gguf.GGUFWriter(path, name)
    _settings(writer, network.config, name)
    if spm:
        _pieces(writer, core)
    else:
        _vocabulary(writer, core, pre or ("qwen2" if name.startswith("qwen") else "gpt-2"))
    _weights(writer, network, name, quantise)
    if add is not None:
        add(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return network


def _settings(writer: Any, config: Any, name: str) -> None:
    writer.add_name("Tiny")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(getattr(config, "intermediate_size", None) or 4 * config.n_embd)
    writer.add_head_count(config.num_attention_heads)
    if name == "gpt2":
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        return
    writer.add_head_count_kv(config.num_key_value_heads)
    rope = config.rope_parameters
    writer.add_rope_freq_base(float(rope.get("full_attention", rope)["rope_theta"]))
    if name == "starcoder2":
        writer.add_layer_norm_eps(config.norm_epsilon)
    else:
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    if name in ("llama", "phi3"):
        writer.add_rope_dimension_count(size)
    if name.startswith(("gemma", "qwen3")):
        writer.add_key_length(size)
        writer.add_value_length(size)
    if name.startswith("gemma"):
        writer.add_sliding_window(config.sliding_window)
    if name == "gemma2":
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)


def _vocabulary(writer: Any, core: Any, pre: str) -> None:
    import json

    tokens = core.convert_ids_to_tokens(range(len(core)))
    said = json.loads(core.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in core.all_special_tokens else 1 for token in tokens])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in said])
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(3)
    writer.add_unk_token_id(1)
    writer.add_pad_token_id(0)
    writer.add_chat_template(TEMPLATE)


def _pieces(writer: Any, core: Any) -> None:
    every = range(len(core))
    kinds = ((core.is_unknown, 2), (core.is_control, 3), (core.is_byte, 6))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([core.id_to_piece(i) for i in every])
    writer.add_token_scores([core.get_score(i) for i in every])
    writer.add_token_types([next((k for is_one, k in kinds if is_one(i)), 1) for i in every])
    writer.add_bos_token_id(core.bos_id())
    writer.add_eos_token_id(core.eos_id())
    writer.add_unk_token_id(core.unk_id())
    writer.add_pad_token_id(core.pad_id())


def _weights(writer: Any, network: Any, name: str, quantise: str) -> None:
    """Add each weight under llama.cpp's name; set the network's own to what a type leaves of it."""
    import gguf
    import torch

    arch = next(key for key, value in gguf.MODEL_ARCH_NAMES.items() if value == name)
    names = gguf.get_tensor_name_map(arch, network.config.num_hidden_layers)
    kind = gguf.GGMLQuantizationType[quantise]
    for own, weight in network.named_parameters():
        values = _as_written(own, weight.detach().numpy(), network.config, name)
        base, _, ending = own.rpartition(".")
        there = names.get_name(base)
        assert there is not None, own
        if values.ndim == 1 or quantise == "F32":
            writer.add_tensor(f"{there}.{ending}", values.copy())
            continue
        packed = gguf.quants.quantize(values, kind)
        writer.add_tensor(f"{there}.{ending}", packed, raw_dtype=kind)
        left = _as_read(own, gguf.quants.dequantize(packed, kind), network.config, name)
        with torch.no_grad():
            weight.copy_(torch.from_numpy(left.copy()))


def _heads(own: str, config: Any, name: str) -> int:
    """Return the heads whose rows llama.cpp stores in pairs, 0 where it does not."""
    if name != "llama" or not own.endswith(("q_proj.weight", "k_proj.weight")):
        return 0
    return config.num_attention_heads if "q_proj" in own else config.num_key_value_heads


def _as_written(own: str, values: Any, config: Any, name: str) -> Any:
    if heads := _heads(own, config, name):
        rows = values.reshape(heads, 2, len(values) // heads // 2, -1)
        return rows.swapaxes(1, 2).reshape(values.shape)
    if name.startswith("gemma") and own.endswith("norm.weight"):
        return values + 1
    turned = name == "gpt2" and values.ndim == 2 and "wte" not in own and "wpe" not in own
    return values.T if turned else values


def _as_read(own: str, values: Any, config: Any, name: str) -> Any:
    if heads := _heads(own, config, name):
        rows = values.reshape(heads, len(values) // heads // 2, 2, -1)
        return rows.swapaxes(1, 2).reshape(values.shape)
    turned = name == "gpt2" and values.ndim == 2 and "wte" not in own and "wpe" not in own
    return values.T if turned else values
