"""The names of transformers that load a model, imported together.

transformers fills itself while it is first imported, and a second thread that asks it meanwhile
misses names. Python lets that thread wait for a module of one's own, so whoever may be the first
to need transformers beside other threads imports this one before anything else of it.
"""

from typing import Any

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


def _without_scipy() -> None:
    """Load the losses of object detectors, which nothing here trains, without scipy.optimize.

    transformers imports them with its first model, and scipy for them takes a third of a second.
    """
    import transformers.utils

    utils: Any = transformers.utils  # its names are not exported, its models ask them all the same
    asked = utils.is_scipy_available
    utils.is_scipy_available = lambda: False
    try:
        from transformers.loss import loss_utils  # noqa: F401 - imports them all
    finally:
        utils.is_scipy_available = asked


_without_scipy()

HEADS = {
    "fill": AutoModelForMaskedLM,
    "classify": AutoModelForSequenceClassification,
    "generate": AutoModelForCausalLM,
    "translate": AutoModelForSeq2SeqLM,
    "encode": AutoModel,
    "picture": AutoModelForImageTextToText,  # of which the text part alone is asked
}

__all__ = ["HEADS", "AutoConfig", "AutoTokenizer"]
