"""What may follow a prompt, as tokens: choices, single tokens, answers.

Prompt and continuation are tokenised together and split by characters: a token belongs to the
continuation where it holds one of its characters ("Answer:\n\n" and "Yes" read alone have other
tokens than both together). The tokenizer's own mark of an end is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...errors import ParameterError
from ...models.model import Model
from ...text.alignment import Tokenised, tokenise
from ...text.words import is_unspaced

_PLACE = "{text}"
_STAND_IN = "text"  # read in the place of a text: what follows does not depend on it
ALL = 10**9  # tokens: nothing is cut


@dataclass(frozen=True)
class Template:
    """What stands before a text and behind it in a prompt.

    >>> Template.of("Review: {text}\\nSentiment:").behind
    '\\nSentiment:'
    """

    before: str = ""
    behind: str = ""

    @classmethod
    def of(cls, written: str) -> Template:
        """Read a template. Raises ParameterError where `{text}` does not stand in it once."""
        if written.count(_PLACE) != 1:
            raise ParameterError(
                f"The prompt {written[:60]!r} holds {_PLACE} {written.count(_PLACE)} times: write "
                f"it once, where the text is to stand, such as 'Review: {_PLACE}\\nSentiment:'."
            )
        before, _, behind = written.partition(_PLACE)
        return cls(before, behind)

    def around(self, text: str) -> str:
        """Return the prompt of a text; at its very end no white space is left of a text."""
        return self.before + (text + self.behind if self.behind else text.rstrip())


PLAIN = Template()  # the text alone


@dataclass(frozen=True)
class Tail:
    """What follows a prompt.

    text: the continuation as it is scored, with the space that joins it. joined: the same where its
    tokens are found together with the prompt's, empty where they are given. ids: the tokens behind
    those that all prompts share, of which the last `scored` are the continuation's own. pieces: the
    scored tokens as a person reads them.
    """

    text: str
    joined: str
    ids: tuple[int, ...]
    scored: int
    pieces: tuple[str, ...]

    @property
    def own(self) -> tuple[int, ...]:
        """The ids of the tokens that are scored."""
        return self.ids[len(self.ids) - self.scored :]


def joint(tokenizer: Any, prompt: str, continuation: str) -> Tokenised:
    """Return the tokens of both together, without what the tokenizer puts at the end."""
    read = tokenise(tokenizer, prompt + continuation, ALL)
    return first(read, len(read.input_ids) - len(_end_of(tokenizer, read)))


def first(read: Tokenised, count: int) -> Tokenised:
    """Return the first so many tokens of a text."""
    return replace(
        read,
        input_ids=read.input_ids[:count],
        tokens=read.tokens[:count],
        offsets=read.offsets[:count],
        typed=read.typed[:count],
        turns=read.turns[:count],
        truncated_at=None,
    )


def end_ids(tokenizer: Any) -> tuple[int, ...]:
    """Return the ids that the tokenizer puts at the end of a text."""
    return _end_of(tokenizer, tokenise(tokenizer, _STAND_IN, ALL))


def _end_of(tokenizer: Any, read: Tokenised) -> tuple[int, ...]:
    special = set(tokenizer.all_special_ids)
    count = len(read.input_ids)
    while count > 1 and _added(read, count - 1, special):
        count -= 1
    return read.input_ids[count:]


def _added(read: Tokenised, index: int, special: set[int]) -> bool:
    """Tell whether a token was put there by the tokenizer: it stands for no character."""
    nowhere = read.offsets[index] is None and read.typed[index] is None
    return nowhere and read.input_ids[index] in special


def joined(template: Template, continuation: str) -> str:
    """Return what is written behind a prompt: one space joins both unless either has it."""
    end = template.behind[-1:] or "x"
    if continuation[:1].isspace() or end.isspace() or is_unspaced(continuation[:1] or "x"):
        return continuation
    return " " + continuation


def tails_of(tokenizer: Any, template: Template, continuations: Sequence[str]) -> tuple[Tail, ...]:
    """Return the continuations as tokens behind a prompt.

    Raises ParameterError for an empty one, or one that has no token of its own.
    """
    for text in continuations:
        if not text.strip():
            raise ParameterError(
                "A choice, target or answer is empty: write at least one word, such as 'positive'."
            )
    written = [joined(template, text.rstrip()) for text in continuations]
    prompt = template.around(_STAND_IN)
    read = [joint(tokenizer, prompt, text) for text in written]
    splits = [_split(one, len(prompt)) for one in read]
    shared = _shared([one.input_ids[:split] for one, split in zip(read, splits, strict=True)])
    return tuple(
        _tail(text, one, split, shared)
        for text, one, split in zip(written, read, splits, strict=True)
    )


def _tail(text: str, read: Tokenised, split: int, shared: int) -> Tail:
    if split == len(read.input_ids):
        raise ParameterError(
            f"{text!r} has no token of its own behind this prompt: begin it otherwise, or end the "
            "prompt with a colon."
        )
    return Tail(
        text, text, read.input_ids[shared:], len(read.input_ids) - split, read.tokens[split:]
    )


def _split(read: Tokenised, end: int) -> int:
    """Return the first token that holds a character behind `end`."""
    places = [o or t for o, t in zip(read.offsets, read.typed, strict=True)]
    return next((i for i, p in enumerate(places) if p and p[1] > end), len(places))


def _shared(rows: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all rows begin with."""
    count = min(map(len, rows))
    return next((i for i in range(count) if len({row[i] for row in rows}) > 1), count)


def answer_tails(
    tokenizer: Any, template: Template, continuations: Sequence[str]
) -> tuple[Tail, ...]:
    """Return the continuations as the decoder of an encoder–decoder writes them, without an end."""
    return tuple(_written(tokenizer, text.strip()) for text in continuations)


def _written(tokenizer: Any, text: str) -> Tail:
    ids = tuple(tokenizer(text_target=text, add_special_tokens=False)["input_ids"])
    if not ids:
        raise ParameterError(
            "A choice or answer is empty: write at least one word, such as 'positive'."
        )
    return Tail(text, "", ids, len(ids), pieces_of(tokenizer, ids))


def known_ids(model: Model, tokens: Sequence[Any]) -> tuple[int, ...]:
    """Return the ids of tokens that are named. Raises ParameterError for what is none."""
    size = getattr(model.config.get_text_config(), "vocab_size", len(model.tokenizer))
    try:
        ids = tuple(map(int, tokens))
    except (TypeError, ValueError):
        ids = (-1,)
    if any(not 0 <= i < size for i in ids):
        raise ParameterError(
            f"tokens are {', '.join(map(repr, tokens))[:60]}: give ids from 0 to {size - 1:,}, as "
            f"the tokenizer of {model.name!r} has them."
        )
    return ids


def pieces_of(tokenizer: Any, ids: Sequence[int]) -> tuple[str, ...]:
    """Return tokens as a person reads them, line ends as ⏎.

    Where bytes make no character a token has its own name.
    """
    said = [tokenizer.decode([i], clean_up_tokenization_spaces=False) for i in ids]
    names = tokenizer.convert_ids_to_tokens(list(ids))
    return tuple(
        name if not text or "\ufffd" in text else text.replace("\n", "⏎")
        for text, name in zip(said, names, strict=True)
    )
