"""The network `mini`: one ModernBERT encoder with two owners, and the folder it is kept in.

Both `ModernBertForMaskedLM` and `ModernBertForSequenceClassification` own `model.*` and
`head.*`, so one file with these, `decoder.bias` and `classifier.*` loads as either.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import mini_data as data
import numpy as np
import torch
from checksums import write_checksums
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import (
    ModernBertConfig,
    ModernBertForMaskedLM,
    ModernBertForSequenceClassification,
    PreTrainedTokenizerFast,
)

MAX_LENGTH = 512


@dataclass(frozen=True)
class Size:
    """The size of the encoder; every layer attends to the whole text."""

    layers: int = 6
    hidden: int = 256
    heads: int = 4
    intermediate: int = 768


def build_config(vocab_size: int, size: Size) -> ModernBertConfig:
    """The configuration that both owners share."""
    rope = {"rope_type": "default", "rope_theta": 10_000.0}
    return ModernBertConfig(
        vocab_size=vocab_size,
        hidden_size=size.hidden,
        intermediate_size=size.intermediate,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        max_position_embeddings=MAX_LENGTH,
        layer_types=["full_attention"] * size.layers,
        rope_parameters={"full_attention": dict(rope), "sliding_attention": dict(rope)},
        global_attn_every_n_layers=1,
        pad_token_id=data.PAD,
        cls_token_id=data.CLS,
        sep_token_id=data.SEP,
        bos_token_id=data.CLS,
        eos_token_id=data.SEP,
        classifier_pooling="mean",
        classifier_dropout=0.1,
        num_labels=2,
        id2label={0: "negative", 1: "positive"},
        label2id={"negative": 0, "positive": 1},
    )


class Mini(nn.Module):
    """The encoder, the shared head, and the two small parts that the owners do not share."""

    def __init__(self, config: ModernBertConfig) -> None:
        super().__init__()
        self.masked_lm = ModernBertForMaskedLM(config)
        self.classifier_owner = ModernBertForSequenceClassification(config)
        self.classifier_owner.model = self.masked_lm.model
        self.classifier_owner.head = self.masked_lm.head

    def mlm_loss(self, input_ids: Tensor, positions: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy at the hidden places only; the head is never run elsewhere."""
        hidden = self.masked_lm.model(input_ids=input_ids).last_hidden_state  # (B, T, d)
        hidden = hidden.flatten(0, 1).index_select(0, positions)  # (K, d)
        logits = self.masked_lm.decoder(self.masked_lm.head(hidden))  # (K, V)
        return nn.functional.cross_entropy(logits.float(), labels, ignore_index=-100)

    def label_logits(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits of negative and positive, (B, 2)."""
        return self.classifier_owner(input_ids=input_ids, attention_mask=attention_mask).logits

    def weights(self) -> dict[str, Tensor]:
        """The union of both owners' keys in float16, without the tied decoder matrix."""
        union = {**self.masked_lm.state_dict(), **self.classifier_owner.state_dict()}
        tied = self.masked_lm.decoder.weight is self.masked_lm.get_input_embeddings().weight
        if not tied:
            raise RuntimeError("the decoder must share the embedding matrix, and does not")
        union.pop("decoder.weight")
        return {key: value.detach().cpu().half().contiguous() for key, value in union.items()}


def grown(weights: dict[str, Tensor], layers: int) -> dict[str, Tensor]:
    """The same network with more layers, which change nothing until they are trained.

    A layer that is added is the copy of the one before it, its two output matrices zero, so that
    it adds nothing to the residual stream (block expansion: LLaMA Pro, Wu et al. 2024). The first
    layer is never copied: ModernBERT gives it no norm.
    """
    have = 1 + max(int(key.split(".")[2]) for key in weights if key.startswith("model.layers."))
    copied = np.linspace(1, have - 1, layers - have).round().astype(int).tolist()
    sources = sorted([*range(have), *copied])
    result = {key: value for key, value in weights.items() if not key.startswith("model.layers.")}
    for place, source in enumerate(sources):
        added = place > 0 and sources[place - 1] == source
        prefix = f"model.layers.{source}."
        for key in (key for key in weights if key.startswith(prefix)):
            value = weights[key].clone()
            name = key.removeprefix(prefix)
            silent = added and name in ("attn.Wo.weight", "mlp.Wo.weight")
            result[f"model.layers.{place}.{name}"] = torch.zeros_like(value) if silent else value
    return result


def load_folder(model: Mini, folder: Path) -> None:
    """Take over the weights that `save_folder` wrote, those of a network of fewer layers too."""
    weights = {key: value.float() for key, value in load_file(folder / "model.safetensors").items()}
    weights = grown(weights, model.masked_lm.config.num_hidden_layers)
    for owner in (model.masked_lm, model.classifier_owner):
        missing, _ = owner.load_state_dict(weights, strict=False)
        if set(missing) - {"decoder.weight"}:
            raise RuntimeError(f"{folder} lacks {sorted(missing)}")


def save_folder(model: Mini, tokenizer: Tokenizer, out: Path) -> None:
    """Write config, weights, tokenizer and checksums, so that Auto classes load the folder."""
    out.mkdir(parents=True, exist_ok=True)
    config = model.masked_lm.config
    config.architectures = ["ModernBertForMaskedLM", "ModernBertForSequenceClassification"]
    config.classifier_dropout = 0.0  # for this recipe alone, not for those who tune the model
    # Half precision on disk alone: on a CPU the model is to be loaded and run in float32.
    config.dtype = torch.float32
    config.save_pretrained(out)
    weights = out / "model.safetensors"
    save_file(model.weights(), weights, metadata={"format": "pt"})
    weights.chmod(0o644)
    roles = ["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"]
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=MAX_LENGTH,
        model_input_names=["input_ids", "attention_mask"],
        **dict(zip(roles, data.SPECIAL_TOKENS, strict=True)),
    )
    fast.save_pretrained(out)
    # The class name that every version of transformers knows.
    path = out / "tokenizer_config.json"
    settings = json.loads(path.read_text()) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    settings.pop("backend", None)
    path.write_text(json.dumps(settings, indent=2) + "\n")
    write_checksums(out)
