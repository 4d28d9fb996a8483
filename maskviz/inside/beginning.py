"""The beginning of a text, as far as the attention of all heads is looked at.

A model's answer is computed without its attention ever being laid out; looked at, it grows with
the square of the text: 1,024 tokens in 12 layers of 12 heads are 300 MB.
"""

from __future__ import annotations

from ..masks.encoding import Encoding
from ..masks.mask import Mask
from ..masks.operators import apply
from ..models.model import Model

LONGEST = 1024  # tokens


def read_beginning(text: Mask | str, operator: str, model: Model) -> Encoding:
    """Return what a model reads of a masked text, cut to what all heads are looked at for."""
    return apply(text, operator, model, longest=LONGEST)


def beginning_notice(
    encoding: Encoding, model: Model, what: str = "Attention", longest: int = LONGEST
) -> str:
    """Say how much of a text is looked at, and how much of it the model itself takes.

    Empty where it is the whole text. longest: the tokens that are looked at.
    """
    if encoding.truncated_at is None or model.max_length <= longest:
        return encoding.notice
    plain = model.tokenise(encoding.text)
    whole = "" if plain.truncated_at is None else "more than "
    return (
        f"{what} is shown over the first {longest:,} of {whole}{len(plain.input_ids):,} tokens, "
        f"up to character {encoding.truncated_at:,} of {len(encoding.text):,}: {model.name} itself "
        f"{model.takes.replace('takes', f'takes {model.max_length:,}')}."
    )
