"""Masks inside self-attention: who may attend to whom.

    attention(Q, K, V) = softmax(Q·Kᵀ / √d + log M)·V

with M binary, (queries, keys), 1 = may attend: log 1 = 0 changes nothing, log 0 = −∞ takes a key
away. Each named matrix is a small function; every row keeps at least its diagonal, so that no
softmax is over nothing. As `Edges` it acts in some layers and heads alone.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ParameterError, UnknownNameError
from ..text.document import Document
from ..text.span import Span
from .encoding import Encoding

Matrix = Callable[..., Any]
_SAID = {"0": False, "1": True, "0.0": False, "1.0": True}
MATRICES: dict[str, Matrix] = {}


def _matrix(name: str) -> Callable[[Matrix], Matrix]:
    def register(function: Matrix) -> Matrix:
        MATRICES[name] = function
        return function

    return register


def attention_matrix(name: str, encoding: Encoding, **parameters: Any) -> Any:
    """Return the named matrix for an encoding, bool (tokens, tokens), True = may attend.

    `random` takes `ratio` and `seed`, `window` takes `width`, `custom` takes `values` (the text of
    a CSV with 0 and 1), `entity` and `same-sentence` take `pipeline`. Raises UnknownNameError,
    ParameterError.

    >>> from maskviz.masks import apply
    >>> attention_matrix("causal", apply("a b", "mask", "mini"))[0].tolist()
    [True, False, False, False]
    """
    import numpy as np

    if name not in MATRICES:
        raise UnknownNameError.of("attention matrix", name, MATRICES)
    allowed = np.array(MATRICES[name](encoding, **parameters), dtype=bool)
    np.fill_diagonal(allowed, True)
    return allowed


@dataclass(frozen=True, eq=False)
class Edges:
    """An attention matrix that acts in some layers and heads alone.

    allowed: bool (queries, keys), True = may attend. layers, heads: their numbers from 0, None for
    all.
    """

    allowed: Any
    layers: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.allowed)

    def at(self, layer: int, count: int) -> Any:
        """Return the matrix of a layer with `count` heads, (1, 1 or heads, queries, keys).

        None where it does not act.
        """
        import numpy as np

        if self.layers is not None and layer not in self.layers:
            return None
        own = np.asarray(self.allowed, bool)
        if self.heads is None:
            return own[None, None]
        whole = np.ones((1, count, *own.shape), bool)
        whole[0, list(self.heads)] = own
        return whole


def attention_edges(
    name: str,
    encoding: Encoding,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    **parameters: Any,
) -> Edges:
    """Return the named matrix so that it acts in some layers and heads alone, numbered from 0.

    Everything that takes a matrix takes it. Raises as `attention_matrix` does.

    >>> from maskviz.masks import apply
    >>> attention_edges("causal", apply("a b", "mask", "mini"), layers=[2]).at(1, 4) is None
    True
    """
    return Edges(
        attention_matrix(name, encoding, **parameters),
        None if layers is None else tuple(layers),
        None if heads is None else tuple(heads),
    )


@_matrix("hidden-keys")
def hidden_keys(encoding: Encoding) -> Any:
    """Nobody attends to a hidden token."""
    import numpy as np

    visible = ~np.array(encoding.hidden)
    return np.broadcast_to(visible, (len(encoding), len(encoding)))


@_matrix("random")
def random_matrix(encoding: Encoding, *, ratio: float = 0.5, seed: int = 0) -> Any:
    """Each pair of tokens may attend with probability `ratio`, independently."""
    if not 0 <= ratio <= 1:
        raise ParameterError(f"The ratio is {ratio} and must lie between 0 and 1, such as 0.5.")
    rng = random.Random(seed)  # noqa: S311  repeatable, not secret
    return [[rng.random() < ratio for _ in encoding.tokens] for _ in encoding.tokens]


@_matrix("entity")
def entity_matrix(encoding: Encoding, *, pipeline: str = "en_mini") -> Any:
    """The tokens of a named entity are seen by that entity's own tokens only."""

    owner = _owners(encoding, Document(encoding.text, pipeline).entities)
    return (owner[None, :] < 0) | (owner[:, None] == owner[None, :])


@_matrix("same-sentence")
def same_sentence(encoding: Encoding, *, pipeline: str = "en_mini") -> Any:
    """Tokens attend within their own sentence, and to special tokens."""
    import numpy as np

    owner = _owners(encoding, Document(encoding.text, pipeline).sentences)
    special = np.array(encoding.special)
    return (owner[:, None] == owner[None, :]) | special[None, :] | special[:, None]


@_matrix("window")
def window(encoding: Encoding, *, width: int = 3) -> Any:
    """Tokens attend at most `width` tokens to each side."""
    import numpy as np

    if width < 0:
        raise ParameterError(f"The width is {width} and must be 0 or more tokens, such as 3.")
    place = np.arange(len(encoding))
    return np.abs(place[:, None] - place[None, :]) <= width


@_matrix("causal")
def causal(encoding: Encoding) -> Any:
    """Tokens attend to themselves and to what stands before them."""
    import numpy as np

    return np.tri(len(encoding), dtype=bool)


@_matrix("custom")
def custom(encoding: Encoding, *, values: str) -> Any:
    """A CSV of 0 and 1, one row per query and one column per key."""
    first = values.lstrip().partition("\n")[0]
    separator = max(",;\t", key=first.count)  # spreadsheets differ by language
    try:
        rows = [row for row in csv.reader(io.StringIO(values), delimiter=separator) if row]
    except csv.Error:
        rows = []
    n = len(encoding)
    if len(rows) != n or any(len(row) != n for row in rows):
        wide = max(map(len, rows), default=0)
        raise ParameterError(
            f"The matrix has {len(rows)} rows of up to {wide} values and the text {n} tokens: "
            f"give {n} rows of {n} values, special tokens included."
        )
    said = [[cell.strip() for cell in row] for row in rows]
    for cell in (cell for row in said for cell in row):
        if cell not in _SAID:
            raise ParameterError(f"The matrix holds {cell[:20]!r} and may hold only 0 and 1.")
    return [[_SAID[cell] for cell in row] for row in said]


def _owners(encoding: Encoding, spans: Iterable[Span]) -> Any:
    """Return for each token the index of the span it overlaps, −1 for none, int (tokens,)."""
    import numpy as np

    owners = np.full(len(encoding), -1)
    for k, span in enumerate(spans):
        for i, offset in enumerate(encoding.offsets):
            if offset and offset[0] < span.end and offset[1] > span.start:
                owners[i] = k
    return owners
