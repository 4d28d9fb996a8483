"""The names of transformers that load a model, imported together.

transformers fills itself while it is first imported, and a second thread that asks it meanwhile
misses names. Python lets that thread wait for a module of one's own, so whoever may be the first
to need transformers beside other threads imports this one before anything else of it.
"""

from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

HEADS = {
    "fill": AutoModelForMaskedLM,
    "classify": AutoModelForSequenceClassification,
    "generate": AutoModelForCausalLM,
    "translate": AutoModelForSeq2SeqLM,
    "encode": AutoModel,
    "picture": AutoModelForImageTextToText,  # of which the text part alone is asked
}

__all__ = ["HEADS", "AutoConfig", "AutoTokenizer"]
