"""Decoders of many families, with what their configurations need beside the usual names."""

DECODERS = {
    "llama": {"num_key_value_heads": 1},
    "mistral": {"num_key_value_heads": 1, "sliding_window": 6},
    "qwen2": {"num_key_value_heads": 2},
    "gemma2": {"num_key_value_heads": 1, "head_dim": 8, "sliding_window": 6,
               "final_logit_softcapping": 2.0},
    "gemma3_text": {"num_key_value_heads": 1, "head_dim": 8, "sliding_window": 6},
    "gpt2": {"n_positions": 66, "n_embd": 16, "n_layer": 2, "n_head": 2},
    "gpt_neox": {},
    "opt": {"ffn_dim": 32, "word_embed_proj_dim": 16},
    "bloom": {"n_layer": 2, "n_head": 2},
    "olmo2": {"num_key_value_heads": 2},
    "cohere": {"num_key_value_heads": 2, "logit_scale": 0.25},
    "phi": {},
}  # fmt: skip
