"""Which architectures of transformers are tried, by the heads they have for text."""

from __future__ import annotations

from functools import lru_cache

HEADS = {"mlm": "fill", "cls": "classify", "clm": "generate", "s2s": "translate"}
_SOUND = """
    audioflamingo3 glmasr granite_speech granite_speech_plus moss_transcribe_diarize musicflamingo
    nemo_speechlm qwen2_audio qwen3_asr vibevoice_asr voxtral voxtral_realtime whisper musicgen
    musicgen_melody moshi phi4_multimodal dots3_note dots3_note_text
"""
_SIGHT = """
    modernvbert ultravbert layoutlmv2 layoutlmv3 git got_ocr2 fuyu emu3 mllama trocr gemma3 gemma3n
    gemma4 gemma4_unified llama4 qwen3_5 qwen3_5_moe qwen4_exp t5gemma2 perceiver neomme
"""
LEFT_OUT = {
    **dict.fromkeys(_SOUND.split(), "reads sound beside text"),
    **dict.fromkeys(_SIGHT.split(), "reads pictures beside text"),
    "mra": "without its CUDA kernel transformers' own attention is of zeros",
    "tapas": "reads a table beside the text",
    "gemma4_assistant": "drafts for another model and reads its states",
    "gemma4_unified_assistant": "drafts for another model and reads its states",
    "encoder-decoder": "is two other models",
    "blt": "reads bytes in patches that another model makes",
    "gpt-sw3": "is gpt2",
    "internlm3": "is llama",
    "iquestcoder": "is llama",
}


@lru_cache(maxsize=1)
def classes() -> dict[str, dict[str, str]]:
    """Return head → architecture → the name of its class in transformers."""
    from transformers.models.auto import modeling_auto as auto

    return {
        "mlm": dict(auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES),
        "cls": dict(auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES),
        "clm": dict(auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES),
        "s2s": dict(auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES),
    }


def architectures() -> list[str]:
    """Return the text architectures of the four mappings, by name."""
    return sorted({name for found in classes().values() for name in found} - LEFT_OUT.keys())


def heads_of(name: str) -> list[str]:
    """Return the heads of an architecture; of encoders' use as a decoder a variant tells."""
    found = [head for head in HEADS if name in classes()[head]]
    return [head for head in found if head != "clm" or not {"mlm", "s2s"} & set(found)]


def writes_only(name: str, head: str) -> bool:
    """Tell whether an architecture is a decoder, by its classes: its tokenizer has no mask."""
    known = classes()
    guesses = name in known["mlm"] or name in known["s2s"]
    return head in ("clm", "cls") and name in known["clm"] and not guesses
