"""A loss mask as weights of tokens: what a model's template makes of it.

A character of a content has the weight that the mask gives it. What the template writes inside a
turn of the assistant's (the marks of a thought, the frame of a tool's call) is learned as the
characters on both sides are, the lesser of the two; the end mark has the weight of the turn's end.
All else, the headers, the prompts, what stands behind an end mark, is never learned. A token counts
that lies wholly in what is learned, white space aside; one that lies over its border is counted
and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...models.chat import Rendering, read_tokens
from ...models.chat.own import Stretch, own_stretches, turns_of
from ...text.alignment import Tokenised
from .loss_mask import LossMask


@dataclass(frozen=True)
class Learned:
    """A conversation as a model reads it, and what of it is learned.

    weights: (n,) of each token of `plain`. places: (n,) its characters of `text`, the rendering.
    straddling: how many tokens lie over the border of what is learned, and are not. unended: turns
    that are learned and have no end mark. unsaid: turns of which the template writes nothing, so
    that to learn them is to learn to say nothing. ends: of each turn the weight of its end mark, 0
    where it has none; None for a turn of which nothing is learned, and for others' turns.
    """

    plain: Tokenised
    weights: tuple[float, ...]
    places: tuple[tuple[int, int], ...]
    straddling: int = 0
    unended: tuple[int, ...] = ()
    unsaid: tuple[int, ...] = ()
    ends: tuple[float | None, ...] = ()
    text: str = ""

    @property
    def count(self) -> int:
        """How many tokens are learned."""
        return sum(weight > 0 for weight in self.weights)


def learned(tokenizer: Any, rendering: Rendering, mask: LossMask, name: str) -> Learned:
    """Resolve a loss mask by the tokenizer's own template.

    name: of the model, for sentences. Raises CapabilityError where a turn cannot be told apart
    from what others say.
    """
    return weighed(tokenizer, rendering, own_stretches(tokenizer, rendering, name), mask, name)


def weighed(
    tokenizer: Any, rendering: Rendering, stretches: Sequence[Stretch], mask: LossMask, name: str
) -> Learned:
    """Return the tokens of a rendering with their weights; stretches: what the model writes."""
    plain, places = read_tokens(tokenizer, rendering, name)
    weights, loose = character_weights(rendering, stretches, mask)
    found = [token_weight(weights, loose, start, end) for start, end in places]
    over = (
        weight == 0 and any(weights[start:end])
        for weight, (start, end) in zip(found, places, strict=True)
    )
    taught = [s for s in stretches if any(weights[s.start : s.end]) or mask.end_of_turn[s.turn]]
    unended = (s.turn for s in taught if s.mark == s.end)
    unsaid = (s.turn for s in taught if not rendering.text[s.start : s.mark].strip())
    ends: list[float | None] = [None] * len(mask.end_of_turn)
    for s in taught:
        ends[s.turn] = mask.end_of_turn[s.turn] if s.mark < s.end else 0.0
    return Learned(
        plain, tuple(found), tuple(places), sum(over), tuple(unended), tuple(unsaid), tuple(ends),
        rendering.text,
    )  # fmt: skip


def character_weights(
    rendering: Rendering, stretches: Sequence[Stretch], mask: LossMask
) -> tuple[list[float], list[bool]]:
    """Return the weight of each character of a rendering, and which are white space of contents.

    Such white space, and that inside a turn of the model's, decides nothing about a token that
    holds other characters.
    """
    text, owner, own = rendering.text, rendering.owner, mask.weights
    weights = [own[i] if i >= 0 else 0.0 for i in owner]
    loose = [i >= 0 and c.isspace() for i, c in zip(owner, text, strict=True)]
    turns = turns_of(rendering)
    for stretch in stretches:
        _write(weights, turns, stretch, mask.end_of_turn[stretch.turn])
        for place in range(stretch.start, stretch.mark):
            loose[place] = text[place].isspace()
    return weights, loose


def _write(weights: list[float], turns: Sequence[int], stretch: Stretch, end: float) -> None:
    """Give the template's characters of a turn their weights, and none to what its prompt says."""
    first = next((p for p in range(stretch.start) if turns[p] == stretch.turn), stretch.start)
    weights[first : stretch.start] = [0.0] * (stretch.start - first)
    inside = range(stretch.start, stretch.mark)
    own = [p for p in inside if turns[p] == stretch.turn]
    for before, behind in zip([None, *own], [*own, None], strict=True):
        gap = range(
            stretch.start if before is None else before + 1,
            stretch.mark if behind is None else behind,
        )
        if gap:
            sides = [weights[p] for p in (before, behind) if p is not None]
            weights[gap.start : gap.stop] = [min(sides, default=end)] * len(gap)
    weights[stretch.mark : stretch.end] = [end] * (stretch.end - stretch.mark)


def token_weight(weights: Sequence[float], loose: Sequence[bool], start: int, end: int) -> float:
    """Return the weight of the token over these characters: the least of them."""
    firm = [weights[p] for p in range(start, end) if not loose[p]]
    return min(firm or weights[start:end], default=0.0)
