"""Settings under which an architecture behaves otherwise than its tiny model does.

Published configurations scaled down, their shapes kept: heads that are no power of two and share
keys, head widths that are no share of the states', ALiBi, sinks, soft caps, windows in some layers
and not in others, decoders that look both ways. Named after what was published so.
"""

from __future__ import annotations

from typing import Any

_WINDOWS_OF_FIVE = ["sliding_attention"] * 5 + ["full_attention"]
_BUCKETS = {
    "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8,
    "norm_rel_ebd": "layer_norm", "share_att_key": True, "max_relative_positions": -1,
    "position_biased_input": False, "type_vocab_size": 0,
}  # fmt: skip


def _heads(count: int, keys: int, each: int, width: int = 0) -> dict[str, Any]:
    """Return so many heads, of them sharing keys, each so wide; states are as wide as all heads."""
    found = {"num_attention_heads": count, "num_key_value_heads": keys}
    return {**found, "hidden_size": width or count * each, "head_dim": each}


# (name, architecture, head, settings)
VARIANTS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("BERT as a decoder", "bert", "clm", {"is_decoder": True}),
    ("RoBERTa as a decoder", "roberta", "clm", {"is_decoder": True}),
    ("Reformer as a decoder", "reformer", "clm", {"is_decoder": True}),
    ("EmbeddingGemma", "gemma3_text", "cls", {"use_bidirectional_attention": True}),
    ("BigBird in blocks", "big_bird", "cls",
     {"attention_type": "block_sparse", "block_size": 2, "num_random_blocks": 1}),
    ("T5, ids without a token", "t5", "s2s", {"spare": 300}),
    ("BERT, ids without a token", "bert", "mlm", {"spare": 50}),
    ("Llama, ids without a token", "llama", "clm", {"spare": 50}),
    ("SmolLM2-135M", "llama", "clm", {**_heads(9, 3, 8), "tie_word_embeddings": True}),
    ("SmolLM2-135M, labels", "llama", "cls", _heads(9, 3, 8)),
    ("Llama 3.2 1B", "llama", "clm",
     {"rope_parameters": {"rope_type": "llama3", "rope_theta": 5e5, "factor": 32.0,
                          "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                          "original_max_position_embeddings": 64}}),
    ("Qwen2.5-0.5B", "qwen2", "clm", {**_heads(7, 1, 8), "tie_word_embeddings": True}),
    ("Qwen2.5-0.5B, labels", "qwen2", "cls", _heads(7, 1, 8)),
    ("Qwen3-0.6B", "qwen3", "clm", _heads(4, 2, 16, 32)),
    ("Qwen3-0.6B, labels", "qwen3", "cls", _heads(4, 2, 16, 32)),
    ("Gemma 3 270M", "gemma3_text", "clm",
     {**_heads(4, 1, 16, 40), "query_pre_attn_scalar": 16, "num_hidden_layers": 6,
      "layer_types": _WINDOWS_OF_FIVE, "tie_word_embeddings": True}),
    ("Gemma 2 2B", "gemma2", "clm",
     {"attn_logit_softcapping": 5.0, "final_logit_softcapping": 3.0, "query_pre_attn_scalar": 16}),
    ("Gemma 2 2B, labels", "gemma2", "cls",
     {"attn_logit_softcapping": 5.0, "final_logit_softcapping": 3.0}),
    ("gpt-oss-20b", "gpt_oss", "clm",
     {**_heads(8, 1, 8, 36), "num_hidden_layers": 4,
      "layer_types": ["sliding_attention", "full_attention"] * 2}),
    ("Mistral 7B v0.3", "mistral", "clm", {"sliding_window": None}),
    ("Phi-3-mini", "phi3", "clm", {"sliding_window": 4, "num_key_value_heads": 4}),
    ("Phi-2", "phi", "cls", {"partial_rotary_factor": 0.5, "qk_layernorm": True}),
    ("OLMo 3", "olmo3", "clm",
     {"num_hidden_layers": 4, "layer_types": ["sliding_attention"] * 3 + ["full_attention"]}),
    ("SmolLM3", "smollm3", "cls", {"num_hidden_layers": 4, "no_rope_layers": [1, 1, 1, 0],
      "layer_types": ["full_attention"] * 4}),
    ("BLOOM, six heads", "bloom", "cls", {"hidden_size": 48, "n_head": 6}),
    ("MPT, six heads", "mpt", "clm", {"d_model": 48, "n_heads": 6, "max_seq_len": 1100}),
    ("Falcon-RW-1B", "falcon", "cls",
     {"alibi": True, "multi_query": False, "parallel_attn": False, "bias": True,
      "num_kv_heads": 4}),
    ("Falcon-7B", "falcon", "clm", {"multi_query": True, "parallel_attn": True}),
    ("Falcon-40B", "falcon", "clm", {"new_decoder_architecture": True, "num_kv_heads": 2}),
    ("StarCoder", "gpt_bigcode", "clm", {"multi_query": True}),
    ("OPT-350M", "opt", "clm", {"word_embed_proj_dim": 16, "do_layer_norm_before": False}),
    ("ModernBERT-base, mean", "modernbert", "cls",
     {"num_hidden_layers": 4, "layer_types": ["full_attention", *["sliding_attention"] * 2,
                                              "full_attention"], "classifier_pooling": "mean"}),
    ("EuroBERT-210M, mean", "eurobert", "cls", {"classifier_pooling": "mean"}),
    ("DeBERTa v3", "deberta-v2", "cls", _BUCKETS),
    ("DeBERTa v3, guesses", "deberta-v2", "mlm", _BUCKETS),
    ("DeBERTa v1", "deberta", "cls",
     {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False,
      "max_relative_positions": -1, "type_vocab_size": 0}),
    ("ALBERT-base-v2", "albert", "cls",
     {"embedding_size": 16, "num_hidden_layers": 4, "num_hidden_groups": 1}),
    ("ELECTRA-small", "electra", "mlm", {"embedding_size": 16}),
    ("ESM-2", "esm", "mlm", {"token_dropout": True, "emb_layer_norm_before": False}),
    ("Flan-T5", "t5", "s2s",
     {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "decoder_start_token_id": 0,
      "num_heads": 6, "d_kv": 8}),
    ("BART, layers of two lengths", "bart", "s2s",
     {"encoder_layers": 3, "decoder_layers": 1, "num_hidden_layers": 3}),
    ("Marian opus-mt", "marian", "s2s",
     {"static_position_embeddings": True, "scale_embedding": True, "encoder_layers": 3}),
]  # fmt: skip
