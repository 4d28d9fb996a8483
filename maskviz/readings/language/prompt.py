"""A text within a prompt: what a language model reads before it answers.

The prompt's own words are never masked, scored or counted: to every kind of evidence they are what
special tokens are. A text that is too long is cut itself; what stands behind it stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...errors import MaskError, ParameterError
from ...models.model import Model, size_of_tokens
from ...text.alignment import Tokenised, tokenise
from .tails import ALL, PLAIN, Tail, Template, first, joint

_ROUNDS = 8  # of cutting: a text that is cut may be tokenised otherwise at its new end


@dataclass(frozen=True, eq=False)
class Framed(Model):
    """A model that reads each text within a template; what it is asked follows behind.

    template: what stands around the text. tails: what may follow, see `Tail`; the room that the
    longest takes, or `room` tokens, is kept free. ended: whether the tokenizer's own mark of an end
    stays, as where an encoder reads the prompt. whole: the model itself.
    """

    template: Template = PLAIN
    tails: tuple[Tail, ...] = ()
    ended: bool = False
    room: int = 0
    whole: Model | None = None

    @property
    def bare(self) -> Model:
        """The model without the prompt."""
        return self.whole or self

    @property
    def readable(self) -> int:
        """The tokens that a prompt may have: what follows it is kept free."""
        return self.max_length - max([self.room, *(len(tail.ids) for tail in self.tails)])

    def network(self, capability: str) -> Any:
        """Return the network of the model itself."""
        return self.bare.network(capability)

    def tokenise(self, text: str, longest: int | None = None) -> Tokenised:
        """Return the tokens of the whole prompt, those of `text` alone at character offsets.

        Raises ParameterError where the prompt leaves no room for a text, MaskError for an empty
        prompt.
        """
        most = min(self.readable, longest or self.readable)
        key = (text, most, self.template, self.tails[:1], self.ended)
        if (found := self.read.find(key, size_of_tokens)) is None:
            with self.lock:
                found = _framed(self, text, most)
            self.read.put(key, found, size_of_tokens)
        return found


def framed(
    model: Model,
    template: Template,
    tails: tuple[Tail, ...] = (),
    ended: bool = False,
    room: int = 0,
) -> Framed:
    """Return the model behind the prompt."""
    own = {name: getattr(model, name) for name in ("name", "path", "config", "tokenizer")}
    return Framed(
        **own,
        capabilities=model.capabilities,
        lock=model.lock,
        read=model.read,
        around=model.around,
        original=model.original,
        template=template,
        tails=tails,
        ended=ended,
        room=room,
        whole=model.bare,
    )


def _framed(model: Framed, text: str, most: int) -> Tokenised:
    """Tokenise the prompt, its text cut until all fits."""
    if most < 1:
        raise ParameterError(
            f"What is asked takes {model.max_length - model.readable:,} tokens, and the model "
            f"{model.name!r} takes {model.max_length:,} in all: shorten it."
        )
    kept = text
    for _ in range(_ROUNDS):
        found = _whole(model, kept)
        over = len(found.input_ids) - most
        if over <= 0:
            cut = len(kept) if len(kept) < len(text) else None
            return replace(found, text=text, truncated_at=cut)
        starts = [place[0] for place in found.offsets if place is not None]
        if over >= len(starts):
            raise ParameterError(
                f"The prompt leaves no room for the text: without it, it takes "
                f"{len(found.input_ids) - len(starts):,} of the {most:,} tokens that the model "
                f"{model.name!r} takes before its answer: shorten the prompt or the answer."
            )
        kept = kept[: starts[len(starts) - over]].rstrip()
    raise ParameterError(f"The text cannot be cut to {most:,} tokens: shorten it.")


def _whole(model: Framed, text: str) -> Tokenised:
    """Return the prompt's tokens, as they are where the first answer follows."""
    start = len(model.template.before)
    prompt = model.template.around(text)
    read = _prompt_tokens(model, prompt)
    places = [_within(place, start, start + len(text)) for place in read.offsets]
    if not read.input_ids:
        raise MaskError("The prompt is empty to the model: enter a text or a prompt.")
    return Tokenised(
        text, read.input_ids, read.tokens, tuple(places),
        tuple(_within(place, start, start + len(text)) for place in read.typed),
    )  # fmt: skip


def _prompt_tokens(model: Framed, prompt: str) -> Tokenised:
    """Return the tokens of a prompt as they stand before an answer.

    Where the answer would merge with the last word (no space between them), the prompt is read
    alone, as it is when a model goes on writing.
    """
    if model.ended:
        return tokenise(model.tokenizer, prompt, ALL)
    alone = joint(model.tokenizer, prompt, "")
    if not model.tails or not model.tails[0].joined:
        return alone
    tail = model.tails[0]
    together = joint(model.tokenizer, prompt, tail.joined)
    before = len(together.input_ids) - len(tail.ids)
    ends = [place[1] for place in together.offsets[:before] if place is not None]
    if together.input_ids[before:] == tail.ids and max(ends, default=0) <= len(prompt):
        return first(together, before)
    if len(tail.ids) > tail.scored:
        raise ParameterError(
            f"The end of the prompt is read otherwise before {tail.text!r} than before the other "
            "choices: end the prompt with a colon, or begin all choices alike."
        )
    return alone


def _within(place: tuple[int, int] | None, start: int, end: int) -> tuple[int, int] | None:
    """Return a token's characters within the text, None where it has none of them."""
    if place is None or place[0] >= end or place[1] <= start:
        return None
    return max(place[0], start) - start, min(place[1], end) - start
