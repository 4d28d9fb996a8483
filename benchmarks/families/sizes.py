"""How small an architecture is made: values by the names that configurations give them.

A width is 32, layers are 2, heads 4 (2 of keys and values), windows of attention 4 tokens wide;
what an architecture needs beside is listed under its name.
"""

from __future__ import annotations

from typing import Any

_NAMES = {
    32: """
    hidden_size d_model n_embd dim emb_dim embedding_size entity_emb_size input_embedding_size
    d_latents embedding_dim model_dim true_hidden_size word_embed_proj_dim prediction_head_size
    output_embedding_size pooler_hidden_size attention_hidden_size
    """,
    2: """
    num_hidden_layers n_layer n_layers num_layers encoder_layers decoder_layers
    num_decoder_layers num_encoder_layers num_blocks num_key_value_heads num_kv_heads
    num_experts_per_tok num_experts_per_token moe_topk moe_k top_k_experts
    """,
    4: """
    num_attention_heads n_head n_heads num_heads encoder_attention_heads decoder_attention_heads
    num_experts num_local_experts n_routed_experts moe_num_experts num_encoder_attention_heads
    num_decoder_attention_heads sliding_window local_attention n_mamba_heads mamba_n_heads
    linear_num_heads linear_num_value_heads linear_num_key_heads index_n_heads index_topk
    window_size sliding_window_size local_attention_window_len
    """,
    8: """
    head_dim d_kv d_head dim_head attention_head_size kv_lora_rank q_lora_rank v_head_dim
    qk_nope_head_dim qk_rope_head_dim linear_key_head_dim linear_value_head_dim linear_head_dim
    kv_channels mamba_d_state state_size mamba_d_head mamba_headdim index_head_dim adapter_rank
    hidden_size_per_layer_input o_lora_rank gated_norm_rank query_pre_attn_scalar swa_head_dim
    global_head_dim rotary_dim d_rel time_step_rank mamba_dt_rank attention_head_dim
    """,
    64: """
    intermediate_size d_ff ffn_dim hidden_dim encoder_ffn_dim decoder_ffn_dim d_inner
    feed_forward_size ffn_hidden_size dim_ff dff n_inner entity_vocab_size
    dense_intermediate_size
    """,
    16: """
    moe_intermediate_size shared_expert_intermediate_size expert_ffn_hidden_size expert_ffn_size
    shared_intermediate_size shared_experts_intermediate_size n_inner_experts
    """,
    1: """
    n_shared_experts num_shared_experts moe_num_shared_experts n_group topk_group
    first_k_dense_replace num_dense_layers mamba_n_groups n_groups mamba_ngroups
    moe_layer_start_index num_expert_group
    """,
    128: """
    max_position_embeddings n_positions n_ctx max_seq_len max_sequence_length
    original_max_position_embeddings rel_extent
    """,
}
SIZES = {name: size for size, names in _NAMES.items() for name in names.split()}
TOKENS = {
    "pad_token_id": 0,
    "unk_token_id": 1,
    "bos_token_id": 2,
    "cls_token_id": 2,
    "eos_token_id": 3,
    "sep_token_id": 3,
    "mask_token_id": 4,
    "forced_eos_token_id": 3,
    "forced_bos_token_id": None,
    "decoder_start_token_id": 2,
    "unk_index": 1,
    "mask_index": 4,
    "pad_index": 0,
    "bos_index": 2,
    "eos_index": 3,
    "eod_token_id": 3,
}
OWN: dict[str, dict[str, Any]] = {
    "mpt": {"n_heads": 4, "max_seq_len": 1100},
    "ctrl": {"dff": 64},
    "t5": {"decoder_start_token_id": 0},
    "reformer": {
        "attn_layers": ["local", "local"],
        "axial_pos_shape": [8, 16],
        "axial_pos_embds_dim": [16, 16],
        "local_attn_chunk_length": 32,
        "lsh_attn_chunk_length": 32,
        "is_decoder": False,
    },
    "funnel": {"block_sizes": [1, 1], "block_repeats": None, "num_decoder_layers": 1},
    "big_bird": {"attention_type": "original_full"},
    "bigbird_pegasus": {"attention_type": "original_full"},
    "longformer": {"attention_window": [4, 4], "max_position_embeddings": 1100},
    "led": {
        "attention_window": [4, 4],
        "max_encoder_position_embeddings": 1100,
        "max_decoder_position_embeddings": 1100,
    },
    "convbert": {"conv_kernel_size": 3, "head_ratio": 2},
    "nystromformer": {"num_landmarks": 64, "segment_means_seq_len": 64},
    "mobilebert": {
        "intra_bottleneck_size": 32,
        "num_feedforward_networks": 2,
        "embedding_size": 32,
    },
    "gpt_neo": {"attention_types": [[["global", "local"], 1]], "window_size": 4},
    "xmod": {"languages": ["en_XX"], "default_language": "en_XX"},
    "canine": {
        "max_position_embeddings": 1100,
        "num_hash_buckets": 2048,
        "local_transformer_stride": 16,
    },
    "doge": {"num_experts": 4, "num_experts_per_tok": 2, "keep_window_size": 128},
    "jamba": {
        "attn_layer_period": 2,
        "attn_layer_offset": 1,
        "expert_layer_period": 2,
        "expert_layer_offset": 1,
        "use_mamba_kernels": False,
        "num_experts": 2,
    },
    "gemma3_text": {"query_pre_attn_scalar": 8},
    "roc_bert": {
        "pronunciation_embed_dim": 32,
        "shape_embed_dim": 32,
        "pronunciation_vocab_size": 10,
        "shape_vocab_size": 10,
        "concat_input": True,
    },
    "smollm3": {"no_rope_layers": [1, 0]},
    "dbrx": {
        "attn_config": {"kv_n_heads": 2, "clip_qkv": 8, "rope_theta": 10000.0},
        "ffn_config": {
            "ffn_hidden_size": 64,
            "moe_num_experts": 4,
            "moe_top_k": 2,
            "hidden_size": 32,
        },
        "max_seq_len": 128,
    },
    "esm": {"position_embedding_type": "rotary", "token_dropout": False},
    "mra": {"block_per_row": 2},
    "luke": {"entity_vocab_size": 10},
    "xlnet": {"d_inner": 64},
    "opt": {"word_embed_proj_dim": 32},
    "rwkv": {"attention_hidden_size": 32, "intermediate_size": 64},
    "prophetnet": {"num_encoder_layers": 2, "num_decoder_layers": 2, "ngram": 2},
    "mvp": {"prompt_length": 4, "prompt_mid_dim": 8},
    "switch_transformers": {"num_sparse_encoder_layers": 1, "num_sparse_decoder_layers": 1},
    "nllb-moe": {"encoder_sparse_step": 2, "decoder_sparse_step": 2},
    "deepseek_v2": {"topk_method": "greedy", "num_experts_per_tok": 2},
    "longcat_flash": {"head_dim": 8, "num_layers": 1},
    "recurrent_gemma": {
        "num_hidden_layers": 3,
        "block_types": ["recurrent", "recurrent", "attention"],
        "lru_width": 32,
        "attention_window_size": 4,
    },
    "xlstm": {"hidden_size": 128, "embedding_dim": 128, "num_heads": 2},
    "qwen3_next": {"head_dim": 16},
    "qwen3_5_text": {"head_dim": 16},
    "qwen3_5_moe_text": {"head_dim": 16},
    "qwen4_exp_text": {
        "head_dim": 16,
        "indexer_n_heads": 2,
        "indexer_kv_heads": 1,
        "indexer_head_dim": 16,
        "indexer_budget": 8,
        "indexer_compress_ratio": 4,
        "output_gate_type": "sigmoid",
        "hc_lowrank": 8,
        "hc_count": 2,
        "layer_types": ["linear_attention", "indexed_attention"],
    },
    "gemma3n_text": {
        "num_kv_shared_layers": 0,
        "layer_types": ["sliding_attention", "full_attention"],
        "num_hidden_layers": 2,
        "intermediate_size": [64, 64],
        "activation_sparsity_pattern": [0.0, 0.0],
        "laurel_rank": 4,
        "altup_num_inputs": 2,
    },
    "granitemoehybrid": {
        "mamba_n_heads": 8,
        "mamba_d_head": 8,
        "layer_types": ["linear_attention", "full_attention"],
    },
    "bamba": {"mamba_n_heads": 8, "mamba_d_head": 8, "attn_layer_indices": [1]},
    "falcon_h1": {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_ssm": 64},
    "mamba2": {"num_heads": 8, "head_dim": 8, "n_groups": 1, "time_step_rank": 8},
    "esmc": {"num_key_value_heads": 4},
    "hunyuan_v1_dense": {"head_dim": 8},
    "hunyuan_v1_moe": {"head_dim": 8, "num_experts": 4, "moe_topk": 2},
    "ministral": {"head_dim": 8},
    "nemotron": {"head_dim": 8, "num_key_value_heads": 2},
    "zaya": {"num_experts_per_tok": 1},
    "lilt": {"hidden_size": 48, "num_attention_heads": 4, "channel_shrink_ratio": 2},
    "dots1": {"n_routed_experts": 4, "num_experts_per_tok": 2, "n_shared_experts": 1},
    "lfm2_moe": {
        "num_hidden_layers": 2,
        "layer_types": ["conv", "full_attention"],
        "num_dense_layers": 1,
    },
    "zamba": {
        "num_hidden_layers": 6,
        "layers_block_type": [
            "linear_attention",
            "linear_attention",
            "hybrid",
            "linear_attention",
            "hybrid",
            "linear_attention",
        ],
        "attention_head_dim": 16,
        "attention_hidden_size": 64,
        "n_mamba_heads": 2,
        "num_key_value_heads": 4,
    },
    "zamba2": {
        "num_hidden_layers": 4,
        "layers_block_type": ["mamba", "mamba", "hybrid", "mamba"],
        "hybrid_layer_ids": [2],
        "mamba_headdim": 8,
        "n_mamba_heads": 8,
        "num_key_value_heads": 4,
        "attention_head_dim": 16,
        "kv_channels": 8,
        "num_query_groups": 4,
        "attention_hidden_size": 64,
        "mamba_d_state": 8,
    },
    "cohere_compass_text": {
        "rope_parameters": {
            "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
            "full_attention": {"rope_type": "default", "rope_theta": 10000.0},
        }
    },
}
# Positions are counted from behind a padding index: three more than the tokens.
BEHIND_PADDING = {
    "camembert",
    "data2vec-text",
    "esm",
    "ibert",
    "jina_embeddings_v3",
    "lilt",
    "longformer",
    "luke",
    "markuplm",
    "mpnet",
    "roberta",
    "roberta-prelayernorm",
    "xlm-roberta",
    "xlm-roberta-xl",
    "xmod",
}
