"""What a model reads of a masked text, and how it lines up with the text and the plain tokens."""

from __future__ import annotations

from dataclasses import dataclass

from ..text.specials import specials_notice


@dataclass(frozen=True)
class Encoding:
    """One text as a model reads it; every tuple has one item per token, n in all.

    input_ids, attention_mask: what goes into the model.
    tokens: each token as a person reads it.
    offsets: (start, end) of the characters of the *original* text it stands for, None for
        special tokens.
    source: index of the same token in the plain encoding, None where there is none (a
        placeholder), so that plain and masked readings can be compared token by token.
    hidden: whether the token stands for hidden characters.
    special: whether it is one of the tokenizer's own ([CLS], [SEP], <s>).
    typed: (start, end) of those special tokens that the text itself spells, None for all others.
    truncated_at: first character the model does not read, or None.
    said: what a chat template does to the text, and which turns would be empty; else empty.
    """

    text: str
    operator: str
    input_ids: tuple[int, ...]
    attention_mask: tuple[int, ...]
    tokens: tuple[str, ...]
    offsets: tuple[tuple[int, int] | None, ...]
    source: tuple[int | None, ...]
    hidden: tuple[bool, ...]
    special: tuple[bool, ...]
    truncated_at: int | None = None
    typed: tuple[tuple[int, int] | None, ...] = ()
    said: str = ""

    def __len__(self) -> int:
        return len(self.input_ids)

    @property
    def notice(self) -> str:
        """What the model does not read as it was given: a text that is cut; else empty."""
        if self.truncated_at is None:
            return self.said
        return (
            f"The model reads the first {len(self):,} tokens: "
            f"{len(self.text) - self.truncated_at:,} of {len(self.text):,} characters at the end "
            "are left out."
        )

    @property
    def notices(self) -> str:
        """What a reader should know of the text: that it was cut, that it holds special tokens."""
        return " ".join(filter(None, (self.notice, self.spelled)))

    @property
    def spelled(self) -> str:
        """One sentence where the text holds special tokens, else empty."""
        return specials_notice(self.text[slice(*place)] for place in self.typed if place)
