"""A tiny chat model: a decoder whose tokenizer has marks of turns and a chat template."""

from __future__ import annotations

from pathlib import Path

from tests.tiny_decoders import DECODERS
from tests.tiny_models import tokenizer

MARKS = ("<|start|>", "<|end|>")
TEMPLATE = (
    "{% for m in messages %}<|start|>{{ m.role }}\n{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)


def chat_tokenizer(template: str = TEMPLATE, tok=None):
    """Return a byte-level tokenizer with marks of turns and a template."""
    tok = tokenizer("bytes") if tok is None else tok
    tok.add_special_tokens({"additional_special_tokens": list(MARKS)})
    tok.mask_token = None
    tok.eos_token = tok.sep_token
    tok.bos_token = tok.cls_token
    tok.model_max_length = 512
    tok.chat_template = template
    return tok


def chat_model(folder: Path, family: str = "llama", template: str = TEMPLATE, tok=None) -> str:
    """Write a tiny chat model of a family into a folder; the weights are the same each time."""
    import torch
    import transformers

    torch.manual_seed(0)
    tok = chat_tokenizer(template, tok)
    given = {
        "vocab_size": len(tok), "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3,
        "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 32, "max_position_embeddings": 512,
    }  # fmt: skip
    config = transformers.AutoConfig.for_model(family, **{**given, **DECODERS[family]})
    network = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for weights in network.parameters():
            if weights.dim() == 2:
                weights.normal_(0, 0.6 if len(weights) > 100 else 1.2 / weights.shape[1] ** 0.5)
    network.tie_weights()
    network.save_pretrained(folder)
    tok.save_pretrained(folder)
    return str(folder)
