"""Write a tiny random model of an architecture, with a tokenizer of the kind it has."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

from . import roster
from .sizes import BEHIND_PADDING, OWN, SIZES, TOKENS

TEXT = "Anna of Paris loved this great film. The brown fox saw a dull and slow story."
HIDDEN = "dull"
CORPUS = [
    TEXT,
    "The quick brown fox jumps over the lazy dog, and Anna of Paris sees it.",
    "He liked the film: a truly dull, slow and empty story!",
    "She loved every minute of this great, funny and warm picture.",
    "dull slow great warm story film",
]
MOST = 6e6  # parameters: beyond, a size is not one that is known here
_SPECIAL = ["<pad>", "<unk>", "<s>", "</s>", "<mask>"]
_BYTES = """
    roberta longformer bart led mvp plbart ibert data2vec-text roberta-prelayernorm deberta
    modernbert luke blenderbot blenderbot-small bigbird_pegasus eurobert ultrabert
"""
_PIECES = """
    t5 mt5 umt5 longt5 switch_transformers xlm-roberta xlm-roberta-xl camembert mbart pegasus
    pegasus_x marian m2m_100 nllb-moe big_bird rembert deberta-v2 albert xlnet fnet reformer
    t5gemma xmod jina_embeddings_v3 seamless_m4t seamless_m4t_v2 gemma gemma2 gemma3_text
"""
_END = "t5 mt5 umt5 longt5 switch_transformers marian t5gemma"  # and no mask token


def tokenizer_for(name: str, writes: bool) -> Any:
    """Return a tokenizer of the kind an architecture has; that of a decoder has no mask token."""
    kind = "words"
    if name in _PIECES.split():
        kind = "pieces"
    elif writes or name in _BYTES.split():
        kind = "bytes"
    ends = name in _END.split()
    begins = not (ends or name in ("pegasus", "pegasus_x"))
    around = "<s> $A" if writes else "<s> $A </s>" if begins else "$A </s>"
    return _tokenizer(kind, not writes and not ends, around)


@lru_cache
def _tokenizer(kind: str, mask: bool, around: str) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    if kind == "words":
        core = Tokenizer(models.WordPiece(unk_token=_SPECIAL[1]))
        core.pre_tokenizer, core.decoder = pre_tokenizers.BertPreTokenizer(), decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=_SPECIAL)
    elif kind == "bytes":
        core = Tokenizer(models.BPE())
        core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        core.decoder = decoders.ByteLevel()
        letters = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=600, special_tokens=_SPECIAL, initial_alphabet=letters
        )
    else:
        core = Tokenizer(models.Unigram())
        core.pre_tokenizer, core.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=300, special_tokens=_SPECIAL, unk_token=_SPECIAL[1]
        )
    core.train_from_iterator(CORPUS * 8, trainer)
    ends = [(token, core.token_to_id(token)) for token in ("<s>", "</s>")]
    core.post_processor = processors.TemplateProcessing(single=around, special_tokens=ends)
    names = {"pad": "<pad>", "unk": "<unk>", "bos": "<s>", "eos": "</s>", "cls": "<s>"}
    given = {f"{name}_token": token for name, token in {**names, "sep": "</s>"}.items()}
    given |= {"mask_token": "<mask>"} if mask else {}
    return PreTrainedTokenizerFast(tokenizer_object=core, model_max_length=100, **given)


def configuration(name: str, size: int, **given: Any) -> Any:
    """Return a tiny configuration of an architecture over a vocabulary of `size`."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    kind = CONFIG_MAPPING[name]
    if name == "t5gemma":
        return _t5gemma(kind, size)
    values = kind().to_dict()
    types = list(dict.fromkeys(values.get("layer_types") or []))
    types = types * 2 if len(types) == 1 else types
    layers = len(types) or 2
    found = _small(values, layers)
    for names in ("layer_types", "mlp_layer_types"):
        if isinstance(values.get(names), list) and values[names]:
            distinct = list(dict.fromkeys(values[names]))
            found[names] = (distinct * layers)[:layers]
    if "kv_lora_rank" in values:  # latent attention: every head has keys of its own
        found["num_key_value_heads"] = 4
        found.pop("head_dim", None)
        found.pop("qk_head_dim", None)
    for key in {"vocab_size", "vocab_size_per_layer_input"} & values.keys():
        found[key] = size
    if name in BEHIND_PADDING:
        found["max_position_embeddings"] = 131
    return kind(**{**found, **OWN.get(name, {}), **given})


def _small(values: dict[str, Any], layers: int) -> dict[str, Any]:
    """Return the small values of what a configuration has, by the names it gives them."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if key in TOKENS:
            found[key] = TOKENS[key]
        elif key in SIZES and not isinstance(value, list | dict | str | bool | None):
            counts = SIZES[key] == 2 and "layer" in key
            found[key] = layers if counts else SIZES[key]
    return found


def _t5gemma(kind: Any, size: int) -> Any:
    special = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    one = {
        "vocab_size": size, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "sliding_window": 4,
        "max_position_embeddings": 128, "query_pre_attn_scalar": 8, **special,
    }  # fmt: skip
    decoder = {**one, "is_decoder": True}
    return kind(encoder=one, decoder=decoder, vocab_size=size, decoder_start_token_id=2, **special)


def build(
    name: str,
    head: str,
    folder: Path,
    labels: int = 3,
    kind: str = "",
    spare: int = 0,
    **given: Any,
) -> tuple[Any, Any]:
    """Write a tiny model of an architecture; return its class and its tokenizer.

    Weights are drawn wide, so that attention is peaked and answers differ. kind: a problem type of
    transformers. spare: ids of the vocabulary that are no token. given: more of its configuration.
    """
    import torch
    import transformers

    torch.manual_seed(0)
    cls = getattr(transformers, roster.classes()[head][name])
    tokenizer = tokenizer_for(name, roster.writes_only(name, head))
    config = configuration(name, len(tokenizer) + spare, **given)
    if head == "cls":
        config.num_labels, config.problem_type = labels, kind or None
    if config.is_encoder_decoder and getattr(config, "decoder_start_token_id", None) is None:
        config.decoder_start_token_id = 2
    if isinstance(getattr(config, "initializer_range", None), float):
        config.initializer_range = 0.2
    with torch.device("meta"):
        size = sum(weights.numel() for weights in cls(config).parameters())
    if size > MOST:
        raise ValueError(f"{name} would have {size / 1e6:.0f} million parameters: name its sizes.")
    network = cls(config)
    _draw(network)
    network.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return cls, tokenizer


def _draw(network: Any) -> None:
    """Draw a network's weights wide, from one seed."""
    import torch

    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weights in network.named_parameters():
            if weights.dim() == 2 and weights.is_floating_point() and "A_log" not in name:
                table = weights.shape[0] >= 100 and weights.shape[1] <= 64
                wide = 0.6 if table else 1.2 / math.sqrt(weights.shape[1])
                weights.copy_(torch.randn(weights.shape, generator=rng) * wide)
            elif weights.dim() == 3 and "conv" not in name:
                weights.copy_(torch.randn(weights.shape, generator=rng) * 0.25)
        for module in network.modules():
            padding = getattr(module, "padding_idx", None)
            if isinstance(module, torch.nn.Embedding) and padding is not None:
                module.weight[padding].zero_()
    network.tie_weights()
