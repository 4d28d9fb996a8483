"""Leakage: can the hidden attribute still be read from what the model gets, or from what it makes?

A linear probe (Alain and Bengio 2016, https://arxiv.org/abs/1610.01644) is trained to tell two
groups apart from features of each row; its accuracy on rows it has not seen stands beside that of
the same probe on shuffled groups, as Hewitt and Liang (2019, https://arxiv.org/abs/1909.03368)
ask of every probe. The probe is ridge regression on ±1, whose weights have a closed form:

    w = (XᵀX + λI)⁻¹ Xᵀy,   group = [x·w > 0],   columns of X centred and scaled, λ = number of rows
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

FOLDS = 5


@dataclass(frozen=True)
class Leakage:
    """What a probe reads of the groups.

    accuracy: mean over folds on rows not trained on. chance: mean accuracy over shuffled groups.
    low, high: the middle 95 % of the shuffles. p_value: share of shuffles at least as accurate,
    (1 + count) / (1 + shuffles) (Phipson and Smyth 2010).
    """

    accuracy: float
    chance: float
    low: float
    high: float
    p_value: float

    @property
    def leaks(self) -> bool:
        """Whether the probe beats 95 % of the shuffles."""
        return self.accuracy > self.high


def probe(features: Any, groups: ArrayLike, shuffles: int = 50, seed: int = 0) -> Leakage:
    """Return how well a linear probe tells the two groups (0, 1) apart; features are (rows, d).

    Raises DataError with fewer than two rows of a group in each fold.

    >>> import numpy as np
    >>> groups = np.arange(40) % 2
    >>> probe(groups[:, None].astype(float), groups).accuracy
    1.0
    """
    import numpy as np

    features, truth = np.asarray(features, dtype=float), np.asarray(groups)
    fewest = int(min((truth == 0).sum(), (truth == 1).sum()))
    if fewest < 2 * FOLDS:
        raise DataError(
            f"A probe needs {2 * FOLDS} rows of each group and one has {fewest}: give more rows."
        )
    rng = np.random.default_rng(seed)
    columns = [truth, *(rng.permutation(truth) for _ in range(shuffles))]
    accuracies = _accuracies(features, np.stack(columns, axis=1), rng)
    own, chance = float(accuracies[0]), accuracies[1:]
    low, high = np.quantile(chance, [0.025, 0.975])
    p_value = (1 + int((chance >= own).sum())) / (1 + shuffles)
    return Leakage(own, float(chance.mean()), float(low), float(high), p_value)


def _accuracies(features: Any, groups: Any, rng: Any) -> Any:
    """Return the cross-validated accuracy of each column of groups (rows, columns)."""
    import numpy as np

    order = rng.permutation(len(features))
    right = np.zeros(groups.shape[1])
    for fold in np.array_split(order, FOLDS):
        kept = np.setdiff1d(order, fold)
        scores = _ridge(features[kept], 2.0 * groups[kept] - 1, features[fold])
        right += ((scores > 0) == groups[fold]).sum(axis=0)
    return right / len(features)


def _ridge(known: Any, targets: Any, unseen: Any) -> Any:
    """Return scores (unseen rows, columns), by whichever of the two equal forms is smaller."""
    import numpy as np

    mean, scale = known.mean(axis=0), known.std(axis=0)
    used = scale > 1e-9  # a column that never changes says nothing
    if not used.any():
        return np.broadcast_to(targets.mean(axis=0), (len(unseen), targets.shape[1]))
    x, new = ((part[:, used] - mean[used]) / scale[used] for part in (known, unseen))
    offset, penalty = targets.mean(axis=0), float(len(x))
    if x.shape[1] <= len(x):
        gram = x.T @ x + penalty * np.eye(x.shape[1])
        return new @ np.linalg.solve(gram, x.T @ (targets - offset)) + offset
    kernel = x @ x.T + penalty * np.eye(len(x))
    return new @ (x.T @ np.linalg.solve(kernel, targets - offset)) + offset


def counts_of(rows: Sequence[Sequence[int]]) -> Any:
    """Return how often each token id that occurs stands in each row, (rows, ids) float."""
    import numpy as np

    place = {token: i for i, token in enumerate(sorted({t for row in rows for t in row}))}
    table = np.zeros((len(rows), len(place)))
    for i, row in enumerate(rows):
        for token in row:
            table[i, place[token]] += 1
    return table
