"""Tiny random models of every architecture family, built with a seed: nothing is downloaded."""

from __future__ import annotations

from pathlib import Path

CORPUS = [
    "The quick brown fox jumps over the lazy dog, and Anna of Paris sees it.",
    "He didn't like the film: a truly dull, slow and empty story!",
    "She loved every minute of this great, funny and warm picture (2003).",
    "Naïve café élan 我们 喜欢 电影 שלום עולם مرحبا 🙂 e-mail a@b.org",
]
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 66,
}


def tokenizer(kind: str):
    """Return a small fast tokenizer: `wordpiece`, `bytes` (byte-level BPE) or `unigram`."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    if kind == "wordpiece":
        core = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=_SPECIAL)
        core.decoder = decoders.WordPiece()
    elif kind == "bytes":
        core = Tokenizer(models.BPE())
        core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=_SPECIAL,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        )
        core.decoder = decoders.ByteLevel()
    else:
        core = Tokenizer(models.Unigram())
        core.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=200, special_tokens=_SPECIAL, unk_token="[UNK]"
        )
        core.decoder = decoders.Metaspace()
    core.train_from_iterator(CORPUS * 5, trainer)
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(t, core.token_to_id(t)) for t in ("[CLS]", "[SEP]")],
    )
    return wrapped(core)


def wrapped(core):
    """Return a tokenizer of the library `tokenizers` as transformers takes it."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=64,
    )


def _bert(t, **more):
    from transformers import BertConfig

    return BertConfig(vocab_size=len(t), **_SMALL, **more)


def _modernbert(t, **more):
    from transformers import ModernBertConfig

    return ModernBertConfig(
        vocab_size=len(t),
        **_SMALL,
        global_attn_every_n_layers=1,
        pad_token_id=0,
        cls_token_id=2,
        sep_token_id=3,
        bos_token_id=2,
        eos_token_id=3,
        classifier_pooling="mean",
        **more,
    )


def _roberta(t, **more):
    from transformers import RobertaConfig

    return RobertaConfig(vocab_size=len(t), pad_token_id=0, **_SMALL, **more)


def _distilbert(t, **more):
    from transformers import DistilBertConfig

    return DistilBertConfig(vocab_size=len(t), dim=16, n_layers=2, n_heads=2, hidden_dim=32, **more)


def _gpt2(t, **more):
    from transformers import GPT2Config

    return GPT2Config(
        vocab_size=len(t),
        n_embd=16,
        n_layer=2,
        n_head=2,
        n_positions=64,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
        **more,
    )


def _t5(t, **more):
    from transformers import T5Config

    return T5Config(
        vocab_size=len(t),
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=2,
        num_heads=2,
        decoder_start_token_id=0,
        eos_token_id=t.sep_token_id,
        pad_token_id=0,
        **more,
    )


def _albert(t, **more):
    from transformers import AlbertConfig

    return AlbertConfig(vocab_size=len(t), embedding_size=16, **_SMALL, **more)


def _electra(t, **more):
    from transformers import ElectraConfig

    return ElectraConfig(vocab_size=len(t), embedding_size=16, **_SMALL, **more)


def _deberta(t, **more):
    from transformers import DebertaConfig

    return DebertaConfig(
        vocab_size=len(t), relative_attention=True, pos_att_type="c2p|p2c", **_SMALL, **more
    )


def _deberta_v2(t, **more):
    from transformers import DebertaV2Config

    return DebertaV2Config(
        vocab_size=len(t), relative_attention=True, pos_att_type="c2p|p2c", **_SMALL, **more
    )


def _xlm_roberta(t, **more):
    from transformers import XLMRobertaConfig

    return XLMRobertaConfig(vocab_size=len(t), pad_token_id=0, **_SMALL, **more)


def _llama(t, **more):
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=len(t),
        num_key_value_heads=1,  # two query heads share one key head
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
        **_SMALL,
        **more,
    )


def _bart(t, kind="BartConfig", **more):
    import transformers

    return getattr(transformers, kind)(
        vocab_size=len(t),
        d_model=16,
        encoder_layers=2,
        decoder_layers=3,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=66,
        init_std=0.5,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
        decoder_start_token_id=3 if kind == "BartConfig" else 0,
        forced_eos_token_id=3,
        **more,
    )


def _marian(t, **more):
    return _bart(t, "MarianConfig", **more)


def _decoder(kind: str):
    def config(t, **more):
        import transformers

        given = {
            "num_key_value_heads": 1,
            "head_dim": 8,
            "sliding_window": 4,
            "initializer_range": 0.5,
        }
        return getattr(transformers, kind)(
            vocab_size=len(t), pad_token_id=0, bos_token_id=2, eos_token_id=3,
            **{**_SMALL, **given, **more},
        )  # fmt: skip

    return config


def _encoder(kind: str, **given):
    def config(t, **more):
        import transformers

        return getattr(transformers, kind)(vocab_size=len(t), **{**_SMALL, **given, **more})

    return config


def _switch_transformers(t, **more):
    from transformers import SwitchTransformersConfig

    return SwitchTransformersConfig(
        vocab_size=len(t), d_model=16, d_kv=8, d_ff=32, num_layers=2, num_decoder_layers=2,
        num_heads=2, num_experts=2, num_sparse_encoder_layers=1, num_sparse_decoder_layers=1,
        pad_token_id=0, eos_token_id=3, decoder_start_token_id=0, **more,
    )  # fmt: skip


_TOKENIZER = {
    "xlm-roberta": "unigram",
    "llama": "bytes",
    "mistral": "bytes",
    "gemma3_text": "bytes",
    "gpt_oss": "bytes",
    "switch_transformers": "unigram",
    "bart": "bytes",
    "marian": "unigram",
    "gpt2": "bytes",
    "roberta": "bytes",
    "t5": "unigram",
}
_CONFIG = {
    "bert": _bert,
    "modernbert": _modernbert,
    "roberta": _roberta,
    "distilbert": _distilbert,
    "gpt2": _gpt2,
    "t5": _t5,
    "albert": _albert,
    "electra": _electra,
    "deberta": _deberta,
    "deberta-v2": _deberta_v2,
    "xlm-roberta": _xlm_roberta,
    "llama": _llama,
    "bart": _bart,
    "marian": _marian,
}
ALL_FAMILIES = tuple(_CONFIG)
_CONFIG |= {  # whose ways of attending are their own: windows, sinks, 0/1 masks, none at all
    "mistral": _decoder("MistralConfig"),
    "gemma3_text": _decoder("Gemma3TextConfig"),
    "gpt_oss": _decoder("GptOssConfig"),
    "layoutlm": _encoder("LayoutLMConfig"),
    "fnet": _encoder("FNetConfig"),
    "convbert": _encoder("ConvBertConfig", embedding_size=16, head_ratio=1, conv_kernel_size=3),
    "longformer": _encoder("LongformerConfig", attention_window=[4, 4]),
    "switch_transformers": _switch_transformers,
}
FAMILIES = ALL_FAMILIES[:6]  # what the tests of all that is not attention go through


def tokenizer_of(family: str) -> str:
    """Return the kind of tokenizer a family has."""
    return _TOKENIZER.get(family, "wordpiece")


def build(
    family: str, folder: Path, head: str = "SequenceClassification", tok=None, **more
) -> Path:
    """Write a tiny model of `family` with the given head into `folder`.

    The weights are the same each time. The tokenizer is trained anew, and its vocabulary may
    differ between processes, unless one is given as `tok`.
    """
    import torch
    import transformers

    torch.manual_seed(0)
    tok = tokenizer(tokenizer_of(family)) if tok is None else tok
    decodes = ("gpt2", "llama", "mistral", "gemma3_text", "gpt_oss")
    if family in ("t5", "marian", "switch_transformers", *decodes):
        tok.mask_token = None
    if family == "t5":
        tok.add_tokens([f"<extra_id_{n}>" for n in range(4)])
    config = _CONFIG[family](tok, **more)
    network = getattr(transformers, f"AutoModelFor{head}").from_config(config)
    network.save_pretrained(folder)
    tok.save_pretrained(folder)
    return folder


def build_any(
    family: str, folder: Path, head: str = "SequenceClassification", kind="wordpiece", **given
) -> Path:
    """Write a tiny model of any architecture of transformers; weights are wide, attention peaked.

    given: what its configuration needs beside or instead of the usual names; None leaves one out.
    """
    import torch
    import transformers

    torch.manual_seed(0)
    tok = tokenizer(kind)
    special = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    known = {"vocab_size": len(tok), "num_labels": 3, **special, **_SMALL}
    known = {name: value for name, value in {**known, **given}.items() if value is not None}
    config = transformers.AutoConfig.for_model(family, **known)
    network = getattr(transformers, f"AutoModelFor{head}").from_config(config)
    with torch.no_grad():
        for weights in network.parameters():
            if weights.dim() == 2:
                weights.normal_(0, 0.6 if len(weights) > 100 else 1.2 / weights.shape[1] ** 0.5)
    network.tie_weights()
    network.save_pretrained(folder)
    tok.save_pretrained(folder)
    return folder
