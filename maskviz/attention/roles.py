"""The role each head plays, read from its weights.

The share of a role is the attention that an ordinary (not special) query gives, on average, to

- previous token, next token: position q − 1, q + 1
- same word: the query's own word, itself included
- separator: special tokens such as [CLS] and [SEP]
- onto hidden words: the other tokens that the mask hides
- sink: the first token, special or not, where no token looks ahead, if it takes half of it or more

after the head types of Clark, Khandelwal, Levy and Manning (2019), "What Does BERT Look At?", and
the attention sinks of Xiao et al. (2023), https://arxiv.org/abs/2309.17453.
A head plays the role with the largest share, if that is at least 30 % and twice what attention
spread evenly would give. Otherwise it is *broad* where the mean perplexity of its rows, exp(H),
is at least half the number of tokens (share = exp(H) / tokens), else *mixed*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..text.percent import percent

SHORT = {
    "previous token": "previous",
    "next token": "next",
    "same word": "same",
    "separator": "separator",
    "onto hidden words": "hidden",
    "sink": "sink",
    "broad": "broad",
    "mixed": "mixed",
}
NAMED = tuple(SHORT)[:6]
LEAST_SHARE = 0.3
SINK = 0.5
LEAST_LIFT = 2.0
BROAD = 0.5
_AHEAD = 1e-4  # attention that is none


@dataclass(frozen=True)
class HeadRole:
    """A head's role, with the share in [0, 1] that earned it.

    >>> HeadRole("previous token", 0.63).sentence
    'previous token: 63\\xa0% of its attention'
    """

    name: str
    share: float

    @property
    def short(self) -> str:
        """One word, for the space under a small map."""
        return SHORT[self.name]

    @property
    def sentence(self) -> str:
        """What the share is a share of."""
        share = percent(self.share, 0)
        if self.name == "broad":
            return f"broad: as if spread evenly over {share} of the tokens"
        if self.name == "mixed":
            return f"mixed: no single role, the strongest has {share}"
        return f"{self.name}: {share} of its attention"


@dataclass(frozen=True)
class HeadChange:
    """How much of a head's attention a mask moves elsewhere, in [0, 1].

    >>> HeadChange(0.24).sentence
    'the mask moves 24\\xa0% of its attention elsewhere'
    """

    share: float
    name: str = "moved"
    short: str = "moves"

    @property
    def sentence(self) -> str:
        """What the share is a share of."""
        return f"the mask moves {percent(self.share, 0)} of its attention elsewhere"


def telling(note: HeadRole | HeadChange) -> float:
    """Rank heads by how much there is to see: a named role, then mixed, then the least broad.

    >>> telling(HeadRole("separator", 0.4)) > telling(HeadRole("broad", 0.9))
    True
    """
    if note.name in ("broad", "mixed"):
        return 1 - note.share if note.name == "broad" else 1.0
    return 2 + note.share


def head_roles(
    weights: Any,
    special: Sequence[bool],
    hidden: Sequence[bool] | None = None,
    words: Sequence[int] | None = None,
    queries: Sequence[bool] | None = None,
) -> tuple[tuple[HeadRole, ...], ...]:
    """Return roles[layer][head] for weights (layers, heads, tokens, tokens), rows summing to 1.

    `words` gives each token the number of its word (default: each token is its own word).
    `queries` chooses the rows that count (default: all but special tokens), such as those of the
    hidden tokens: what does a head look at to fill the gaps?

    >>> import numpy as np
    >>> head_roles(np.eye(6)[None, None], [False] * 6)[0][0].name
    'same word'
    """
    back = _looks_back(weights)
    patterns = patterns_of(len(special), special, hidden, words, looks_back=back)
    return _roles(weights, patterns, rows_that_count(special, queries))


def cross_roles(
    weights: Any,
    special: Sequence[bool],
    special_keys: Sequence[bool],
    hidden_keys: Sequence[bool],
) -> tuple[tuple[HeadRole, ...], ...]:
    """Return roles[layer][head] for cross-attention, weights (layers, heads, queries, keys).

    Between two texts there is no previous, next or same token: the roles are separator, onto
    hidden words, broad and mixed.
    """
    import numpy as np

    shape = (len(special), len(special_keys))
    nothing = np.zeros(shape, bool)
    marks = [np.broadcast_to(np.asarray(m, bool), shape) for m in (special_keys, hidden_keys)]
    patterns = np.stack([nothing, nothing, nothing, *marks, nothing]).astype(np.float32)
    return _roles(weights, patterns, rows_that_count(special, None))


def _looks_back(weights: Any) -> bool:
    """Tell whether no token attends to a later one."""
    import numpy as np

    count = np.shape(weights)[-1]
    later = np.triu(np.ones((count, count), dtype=bool), 1)
    return count > 2 and all(
        float(np.asarray(layer)[:, later].max(initial=0)) < _AHEAD for layer in weights
    )


def _roles(weights: Any, patterns: Any, rows: Any) -> tuple[tuple[HeadRole, ...], ...]:
    import numpy as np

    even = patterns[:, rows].mean(axis=(1, 2))  # share under even attention, (roles,)
    roles = []
    for layer in weights:  # one layer at a time, to hold only one in float32
        read = shares_of(np.asarray(layer, dtype=np.float32)[:, rows])  # (heads, queries, keys)
        shares = np.tensordot(read, patterns[:, rows], ((1, 2), (1, 2))) / rows.sum()
        roles.append(tuple(map(role_of, shares, _spread(read), [even] * len(read))))
    return tuple(roles)


def shares_of(read: Any) -> Any:
    """Return rows that sum to 1: of maps such as flow and relevance, each row's shares."""
    import numpy as np

    total = read.sum(-1, keepdims=True)
    return read if np.abs(total - 1).max(initial=0) < 0.05 else read / np.maximum(total, 1e-12)


def role_of(shares: Any, spread: float, even: Any) -> HeadRole:
    """Choose the role of one head from its six shares and its spread."""
    best = int(shares.argmax())
    share = float(shares[best])
    earned = [
        (float(s), name)
        for s, name, e in zip(shares, NAMED, even, strict=True)
        if s >= (SINK if name == "sink" else LEAST_SHARE) and s >= LEAST_LIFT * e
    ]
    if earned:
        top, name = max(earned, key=lambda pair: pair[0])
        return HeadRole(name, min(1.0, top))
    if spread >= BROAD:
        return HeadRole("broad", min(1.0, float(spread)))
    return HeadRole("mixed", min(1.0, share))


def patterns_of(
    count: int,
    special: Sequence[bool],
    hidden: Sequence[bool] | None,
    words: Sequence[int] | None,
    queries: Any = None,
    looks_back: bool = False,
) -> Any:
    """Return 1 where a (query, key) pair belongs to a role, float32 (roles, queries, keys).

    queries: the numbers of those that are asked for, without it all. looks_back: whether no token
    attends to a later one.
    """
    import numpy as np

    ordinary = ~np.asarray(special, dtype=bool)
    off = np.zeros(count, dtype=bool) if hidden is None else np.asarray(hidden, dtype=bool)
    word = np.arange(count) if words is None else np.asarray(words)
    position = np.arange(count)
    own = position if queries is None else np.asarray(queries)
    step = position[None, :] - own[:, None]  # key − query
    found = np.stack(
        [
            (step == -1) & ordinary[None, :],
            (step == 1) & ordinary[None, :],
            (word[own, None] == word[None, :]) & ordinary[None, :],
            np.broadcast_to(~ordinary[None, :], step.shape),
            np.broadcast_to(off[None, :], step.shape) & (step != 0),
            np.zeros(step.shape, dtype=bool),
        ]
    ).astype(np.float32)
    if looks_back:
        found[NAMED.index("separator"), :, 0] = 0
        found[NAMED.index("sink"), own > 0, 0] = 1
    return found


def rows_that_count(special: Sequence[bool], queries: Sequence[bool] | None) -> Any:
    """Return which rows count: those asked for, else the ordinary ones, else all."""
    import numpy as np

    asked = np.asarray(special if queries is None else queries, dtype=bool)
    rows = ~asked if queries is None else asked
    return rows if rows.any() else np.ones_like(rows)


def _spread(rows: Any) -> Any:
    """Return exp(entropy) / keys, averaged over the queries, (heads,)."""
    import numpy as np

    logs = np.log(np.maximum(rows, 1e-12))
    return np.exp(-(rows * logs).sum(-1)).mean(-1) / rows.shape[-1]
