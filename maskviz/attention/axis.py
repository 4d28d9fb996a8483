"""One axis of a map of attention: tokens with their marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..masks.encoding import Encoding


@dataclass(frozen=True)
class Axis:
    """Tokens, which of them are hidden or special, the word and the part of a pair they are in."""

    tokens: tuple[str, ...]
    hidden: tuple[bool, ...]
    special: tuple[bool, ...]
    words: tuple[int, ...]
    segments: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.tokens)

    def membership(self) -> Any:
        """Return 1 where a token belongs to a word, float32 (words, tokens)."""
        import numpy as np

        groups = np.array(self.words)
        return (np.arange(groups.max() + 1)[:, None] == groups[None, :]).astype(np.float32)

    def merged(self) -> Axis:
        """Return the axis with one entry for each word."""
        members: list[list[int]] = [[] for _ in range(max(self.words) + 1)]
        for i, word in enumerate(self.words):
            members[word].append(i)
        return Axis(
            tuple(self._name(group) for group in members),
            tuple(any(self.hidden[i] for i in group) for group in members),
            tuple(self.special[group[0]] for group in members),
            tuple(range(len(members))),
            tuple(self.segments[group[0]] for group in members),
        )

    def _name(self, members: Sequence[int]) -> str:
        """Join the tokens of a word, or name it once where a mark such as [MASK] repeats."""
        names = [self.tokens[i] for i in members]
        if len(set(names)) == 1:
            return names[0]
        return "".join(name.removeprefix("##") for name in names)

    def ordinary(self) -> list[int]:
        """Return which tokens are not special, or all where there are no others."""
        keep = [i for i, special in enumerate(self.special) if not special]
        return keep or list(range(len(self)))

    def picked(self, keep: Sequence[int]) -> Axis:
        """Return the axis with these entries alone; words are numbered anew."""
        words = [self.words[i] for i in keep]
        numbers = {old: new for new, old in enumerate(dict.fromkeys(words))}
        return Axis(
            tuple(self.tokens[i] for i in keep),
            tuple(self.hidden[i] for i in keep),
            tuple(self.special[i] for i in keep),
            tuple(numbers[word] for word in words),
            tuple(self.segments[i] for i in keep),
        )


def word_numbers(encoding: Encoding) -> tuple[int, ...]:
    """Number the words of an encoding: tokens that touch without a space share one.

    Words are runs of letters and digits as in `maskviz.text`; punctuation and special tokens
    stand alone.
    """
    from bisect import bisect_right

    from ..text.words import word_offsets

    words = word_offsets(encoding.text)
    starts = [start for start, _ in words]
    numbers: list[int] = []
    seen: dict[int, int] = {}
    fresh = 0
    for offset in encoding.offsets:
        at = bisect_right(starts, offset[0]) - 1 if offset else -1
        inside = at >= 0 and offset is not None and offset[0] < words[at][1]
        numbers.append(seen.setdefault(at, fresh) if inside else fresh)
        fresh = max(fresh, numbers[-1] + 1)
    return tuple(numbers)
