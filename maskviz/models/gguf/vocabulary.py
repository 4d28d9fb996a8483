"""The tokenizer of a GGUF file, with all that llama.cpp knows of it by name.

A file names how its text is split before the merges (`tokenizer.ggml.pre`). transformers knows
some of the names and splits by GPT-2's rule for all others, so that digits or words may come out
in other pieces than the model learned. Here each name is one whose rule is known, or is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import ModelError
from .header import Header

# By llama.cpp's list: whose text is split as GPT-2's, and whose digits stand alone before that.
_AS_GPT2 = (
    "gpt-2", "phi-2", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "jina-v1-en",
    "jina-v2-code", "roberta-bpe", "mpt", "olmo", "jais", "trillion", "granite-docling",
    "gigachat", "a.x-4.0", "mellum", "modern-bert",
)  # fmt: skip
_DIGITS_ALONE = (
    "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b",
)  # fmt: skip
_COMPOSED = ("qwen2", "qwen35", "deepseek-r1-qwen")  # their tokenizers compose letters (NFC)
_WHOLE_WORDS = (  # of Llama 3: a word of the vocabulary is not merged anew, and a text has a start
    "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
)  # fmt: skip


def tokenizer_of(header: Header, read: Any) -> Any:
    """Return the tokenizer that transformers read, with what the file says beside it.

    Raises ModelError where the file names a way to split text that is not known.
    """
    settings = header.settings
    kind, pre = settings.get("tokenizer.ggml.model"), settings.get("tokenizer.ggml.pre", "")
    if kind == "gpt2":
        _split(header, read.backend_tokenizer, pre)
    elif kind == "llama" and not header.architecture.startswith("gemma"):
        _space_before(read.backend_tokenizer, settings.get("tokenizer.ggml.add_space_prefix", True))
    starts = settings.get("tokenizer.ggml.add_bos_token", kind == "llama" or pre in _WHOLE_WORDS)
    ends = settings.get("tokenizer.ggml.add_eos_token", False)
    return _plain(header, read, bool(starts), bool(ends))


def _plain(header: Header, read: Any, starts: bool, ends: bool) -> Any:
    """Return a tokenizer of no architecture's own class: those build their rules anew."""
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    core = read.backend_tokenizer
    bos = read.bos_token if starts else None
    eos = read.eos_token if ends else None
    around = [name for name in (bos, "$A", eos) if name]
    pair = [
        name for name in (bos, "$A:0", eos, bos and f"{bos}:1", "$B:1", eos and f"{eos}:1") if name
    ]
    core.post_processor = processors.TemplateProcessing(
        single=around,
        pair=pair,
        special_tokens=[(name, core.token_to_id(name)) for name in (bos, eos) if name],
    )
    names = ("bos_token", "eos_token", "unk_token", "pad_token")
    longest = header.own().get("context_length")
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        chat_template=read.chat_template,
        clean_up_tokenization_spaces=False,
        **({"model_max_length": int(longest)} if longest else {}),
        **{name: getattr(read, name) for name in names if getattr(read, name) is not None},
    )


def _split(header: Header, core: Any, pre: str) -> None:
    """Set how byte-level text is split before it is merged."""
    from tokenizers import normalizers, pre_tokenizers
    from transformers.integrations.gguf import gguf_tokenizer_mapping as known

    if pre in _DIGITS_ALONE:
        core.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False),
            ]
        )
    elif pre not in (*_AS_GPT2, *known.GGUF_PRE_TOKENIZER_SPLITS) and (
        pre or header.architecture != "gpt2"
    ):
        raise ModelError(
            f"The GGUF file {header.path.name!r} splits text by {pre or 'no rule it names'!r}, "
            "which is not known here, so that its tokens would be others: take the model's "
            "safetensors."
        )
    if pre in _COMPOSED:
        core.normalizer = normalizers.NFC()
    if pre in _WHOLE_WORDS:
        core.model.ignore_merges = True


def _space_before(core: Any, wanted: bool) -> None:
    """Set whether a text of SentencePiece begins with a space that nobody wrote.

    Where it does, it does so before a space that somebody wrote, too.
    """
    from tokenizers import decoders, normalizers

    space = normalizers.Replace(" ", "\u2581")
    begin = [normalizers.Prepend("\u2581")] if wanted else []
    core.normalizer, core.pre_tokenizer = normalizers.Sequence([*begin, space]), None
    end = [decoders.Strip(" ", 1, 0)] if wanted else []
    plain = [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    core.decoder = decoders.Sequence([*plain, *end])


_SAMPLES = (
    "The year 2003, it's naïve: don't!", "  two  spaces\n\n\tand a tab ", "我们喜欢电影 🙂 שלום",
    "e\u0301le\u0301phant <b>&amp;</b> 12345 x=10**-3", "a",
)  # fmt: skip


def kept(tokenizer: Any, folder: Path, header: Header) -> None:
    """Save a tokenizer; raises ModelError where it is another one when it is loaded again."""
    from ..auto import AutoTokenizer

    tokenizer.save_pretrained(folder)
    again = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    for text in _SAMPLES:
        if tokenizer(text)["input_ids"] != again(text)["input_ids"]:
            raise ModelError(
                f"The tokenizer of the GGUF file {header.path.name!r} ({header.architecture}) "
                "cannot be kept: take the model's safetensors."
            )
