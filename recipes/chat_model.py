"""The network `mini-chat`, a small Llama, its chat template, and the folder it is kept in.

Pre-norm layers, rotary positions, grouped keys, gated SiLU, one matrix for embeddings and output
(Touvron et al. 2023).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from chat_batches import Batch
from chat_data import ASSISTANT, BEGIN, END, PAD, SPECIAL_TOKENS, USER
from checksums import write_checksums
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

MAX_LENGTH = 512
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|' ~ message['role'] ~ '|>\\n' ~ message['content'] ~ '<|end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)


@dataclass(frozen=True)
class Size:
    """The size of the network."""

    layers: int = 5
    hidden: int = 192
    heads: int = 4
    key_heads: int = 2
    intermediate: int = 512


def build_config(vocab_size: int, size: Size) -> LlamaConfig:
    """The configuration of the whole network."""
    return LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=size.hidden,
        intermediate_size=size.intermediate,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.key_heads,
        max_position_embeddings=MAX_LENGTH,
        tie_word_embeddings=True,
        pad_token_id=PAD,
        bos_token_id=BEGIN,
        eos_token_id=END,
    )


class Chat(nn.Module):
    """The network with the losses it is trained on."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.llama = LlamaForCausalLM(config)
        # The plain softmax is faster backwards than CPU flash attention.
        self.llama.set_attn_implementation("eager")

    def losses(
        self, input_ids: Tensor, position_ids: Tensor, seen: Tensor, places: Tensor, labels: Tensor
    ) -> Tensor:
        """Cross-entropy (K,) at `places`; `seen` (B, 1, T, T) is added to the scores."""
        states = self.llama.model(
            input_ids=input_ids,
            position_ids=position_ids,
            attention_mask=seen,
            use_cache=False,
        ).last_hidden_state  # (B, T, d)
        states = states.flatten(0, 1).index_select(0, places)  # (K, d)
        logits = self.llama.lm_head(states)  # (K, V)
        return nn.functional.cross_entropy(logits.float(), labels, reduction="none")


def visible(batch: Batch) -> Tensor:
    """0 where a token may look, -inf elsewhere: its own document up to itself; (B, 1, T, T)."""
    same = batch.documents[:, :, None] == batch.documents[:, None, :]
    seen = same & torch.ones(same.shape[1:], dtype=torch.bool).tril()
    return torch.where(seen, 0.0, torch.finfo(torch.float32).min)[:, None]


def weights(model: LlamaForCausalLM) -> dict[str, Tensor]:
    """The weights in float16, the shared matrix once."""
    state = model.state_dict()
    if state.pop("lm_head.weight").data_ptr() != state["model.embed_tokens.weight"].data_ptr():
        raise RuntimeError("the output must share the embedding matrix, and does not")
    return {key: value.detach().cpu().half().contiguous() for key, value in state.items()}


def save_folder(model: LlamaForCausalLM, tokenizer: Tokenizer, out: Path) -> None:
    """Write config, weights, tokenizer and checksums, so that Auto classes load the folder."""
    out.mkdir(parents=True, exist_ok=True)
    config = model.config
    config.architectures = ["LlamaForCausalLM"]
    # Half precision on disk alone: on a CPU the model is to be loaded and run in float32.
    config.dtype = torch.float32
    config.save_pretrained(out)
    GenerationConfig(
        max_new_tokens=64, bos_token_id=BEGIN, eos_token_id=END, pad_token_id=PAD, do_sample=False
    ).save_pretrained(out)
    path = out / "model.safetensors"
    save_file(weights(model), path, metadata={"format": "pt"})
    path.chmod(0o644)
    save_tokenizer(tokenizer, out)
    write_checksums(out)


def save_tokenizer(tokenizer: Tokenizer, out: Path) -> None:
    """Write the tokenizer with its chat template."""
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=MAX_LENGTH,
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
        pad_token=SPECIAL_TOKENS[PAD],
        bos_token=SPECIAL_TOKENS[BEGIN],
        eos_token=SPECIAL_TOKENS[END],
        additional_special_tokens=[SPECIAL_TOKENS[USER], SPECIAL_TOKENS[ASSISTANT]],
    )
    fast.chat_template = CHAT_TEMPLATE
    fast.save_pretrained(out)
    # The class name that every version of transformers knows.
    path = out / "tokenizer_config.json"
    settings = json.loads(path.read_text()) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    settings.pop("backend", None)
    path.write_text(json.dumps(settings, indent=2) + "\n")
