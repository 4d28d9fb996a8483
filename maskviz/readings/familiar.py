"""Whether a model's vocabulary knows the words of a text."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter

from ..models.model import Model
from ..text.words import character_offsets

_WORDS = 5  # of fewer words nothing is said
_SHARE = 0.5  # from this share of words on; one in four of English prose is no word of `mini`
_LETTERS = 1000  # a smaller vocabulary is one of letters or bytes: it cuts every word


def unfamiliar(text: str, model: Model) -> str:
    """Return a sentence where most words of a text are not in the model's vocabulary, else "".

    A word is known if it is one token, and not the unknown token; in scripts without spaces, where
    vocabularies hold characters, a character is. What the model does not read is not counted.
    """
    plain = model.tokenise(text)
    words = character_offsets(text)
    starts = [start for start, _ in words]
    unknown = model.tokenizer.unk_token_id
    pieces: Counter[int] = Counter()
    for token, offset in zip(plain.input_ids, plain.offsets, strict=True):
        if offset is None:
            continue
        first, last = bisect_right(starts, offset[0]) - 1, bisect_right(starts, offset[1] - 1) - 1
        for i in range(max(first, 0), last + 1):
            if offset[0] < words[i][1]:
                pieces[i] += 2 if token == unknown else 1
    cut = sum(count > 1 for count in pieces.values())
    if len(pieces) < _WORDS or cut < _SHARE * len(pieces) or model.tokenizer.vocab_size < _LETTERS:
        return ""
    return (
        f"{model.name} knows {len(pieces) - cut:,} of these {len(pieces):,} words and reads the "
        "others in pieces or not at all, as in a language or a field it was not trained on: "
        "expect little of its guesses and answers, or choose another model."
    )
