"""The network `mini-translate`, a small T5 (v1.1), and the folder it is kept in.

Pre-norm layers, relative positions, gated GELU, one matrix for both languages' embeddings and
the output (Raffel et al. 2020; Shazeer 2020).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from checksums import write_checksums
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import GenerationConfig, PreTrainedTokenizerFast, T5Config
from transformers import T5ForConditionalGeneration as T5
from translate_batches import PairBatch
from translate_data import EOS, PAD, SPECIAL_TOKENS

MAX_LENGTH = 128


@dataclass(frozen=True)
class Size:
    """The size of encoder and decoder."""

    encoder_layers: int = 3
    decoder_layers: int = 2
    hidden: int = 192
    heads: int = 4
    intermediate: int = 384


def build_config(vocab_size: int, size: Size, dropout: float = 0.0) -> T5Config:
    """The configuration of the whole network."""
    return T5Config(
        vocab_size=vocab_size,
        d_model=size.hidden,
        d_kv=size.hidden // size.heads,
        d_ff=size.intermediate,
        num_layers=size.encoder_layers,
        num_decoder_layers=size.decoder_layers,
        num_heads=size.heads,
        relative_attention_num_buckets=32,
        relative_attention_max_distance=64,
        dropout_rate=dropout,
        feed_forward_proj="gated-gelu",
        pad_token_id=PAD,
        eos_token_id=EOS,
        decoder_start_token_id=PAD,
    )


class Translator(nn.Module):
    """The network with the loss it is trained on."""

    def __init__(self, config: T5Config, smoothing: float = 0.1) -> None:
        super().__init__()
        self.t5, self.smoothing = T5(config), smoothing

    def start_from(self, vectors: Tensor) -> None:
        """Put starting vectors (V, d) into the shared matrix, and let cross attention copy them.

        Value and output of each cross attention begin as a rotation and its inverse, so that what
        is attended to arrives as it is: from the start, near the translation of the source word.
        """
        with torch.no_grad():
            self.t5.shared.weight.copy_(vectors)
            for block in self.t5.get_decoder().block:
                attention = block.layer[1].EncDecAttention
                nn.init.orthogonal_(attention.v.weight)
                attention.o.weight.copy_(attention.v.weight.T)

    def loss(self, batch: PairBatch) -> Tensor:
        """Cross-entropy per target token, with smoothed labels while training."""
        encoder, decoder = self.t5.get_encoder(), self.t5.get_decoder()
        source = encoder(input_ids=batch.input_ids, attention_mask=batch.attention_mask)
        states = decoder(
            input_ids=batch.decoder_input_ids,
            encoder_hidden_states=source.last_hidden_state,
            encoder_attention_mask=batch.attention_mask,
            use_cache=False,
        ).last_hidden_state  # (B, T, d)
        labels = batch.labels.flatten()
        places = (labels >= 0).nonzero().flatten()  # the output is computed nowhere else
        states = states.flatten(0, 1).index_select(0, places) * self.t5.model_dim**-0.5
        logits = self.t5.lm_head(states)  # (K, V)
        return nn.functional.cross_entropy(
            logits.float(),
            labels.index_select(0, places),
            label_smoothing=self.smoothing if self.training else 0.0,
        )


def weights(model: T5) -> dict[str, Tensor]:
    """The weights in float16, the shared matrix once."""
    state = model.state_dict()
    shared = state["shared.weight"]
    tied = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight")
    for key in tied:
        if state.pop(key).data_ptr() != shared.data_ptr():
            raise RuntimeError(f"{key} must share the embedding matrix, and does not")
    return {key: value.detach().cpu().half().contiguous() for key, value in state.items()}


def save_folder(model: T5, tokenizer: Tokenizer, out: Path) -> None:
    """Write config, weights, tokenizer and checksums, so that Auto classes load the folder."""
    out.mkdir(parents=True, exist_ok=True)
    config = model.config
    config.architectures = ["T5ForConditionalGeneration"]
    # Half precision on disk alone: on a CPU the model is to be loaded and run in float32.
    config.dtype = torch.float32
    config.save_pretrained(out)
    GenerationConfig(
        num_beams=4,
        max_new_tokens=MAX_LENGTH,
        pad_token_id=PAD,
        eos_token_id=EOS,
        decoder_start_token_id=PAD,
    ).save_pretrained(out)
    path = out / "model.safetensors"
    save_file(weights(model), path, metadata={"format": "pt"})
    path.chmod(0o644)
    roles = ["pad_token", "eos_token", "unk_token", "mask_token"]
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=MAX_LENGTH,
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
        **dict(zip(roles, SPECIAL_TOKENS, strict=True)),
    )
    fast.save_pretrained(out)
    # The class name that every version of transformers knows.
    path = out / "tokenizer_config.json"
    settings = json.loads(path.read_text()) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    settings.pop("backend", None)
    path.write_text(json.dumps(settings, indent=2) + "\n")
    write_checksums(out)
