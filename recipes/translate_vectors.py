"""Bilingual starting vectors for `mini-translate`, counted and not trained.

Two tokens are near each other where they occur in the same sentence pairs: positive pointwise
mutual information over pairs, max(0, ln(n_ij · N / (n_i · n_j))), cut to its first dimensions by a
singular value decomposition (Levy and Goldberg 2014, over pairs instead of windows). A word and its
translation so start side by side, which is most of what the first epochs would have to find out.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

MINIMUM = 3  # pairs that a token must occur in


def joint_vectors(
    sources: list[list[int]], targets: list[list[int]], vocab_size: int, size: int, seed: int
) -> Tensor:
    """A vector per token, each of root mean square 1; (V, d)."""
    ids = [np.unique([*s, *t]) for s, t in zip(sources, targets, strict=True)]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in ids])])
    columns = np.concatenate(ids)
    ones = np.ones(len(columns), dtype=np.float32)
    pairs = csr_matrix((ones, columns, starts), shape=(len(ids), vocab_size))
    together = torch.from_numpy((pairs.T @ pairs).toarray())  # (V, V) pairs that hold both
    alone = together.diagonal().clone()
    together.fill_diagonal_(0)
    expected = alone[:, None] * alone[None, :] / len(ids)
    information = (together / expected.clamp(min=1e-9)).clamp(min=1.0).log()
    information[(together < 2)] = 0.0
    torch.manual_seed(seed)
    left, values, _ = torch.svd_lowrank(information, q=size, niter=3)
    # The fourth root keeps the first, most general directions from drowning the others.
    vectors = left * values.pow(0.25)
    vectors = vectors - vectors[alone >= MINIMUM].mean(0)
    vectors = vectors / vectors.square().mean(1, keepdim=True).sqrt().clamp(min=1e-6)
    rare = alone < MINIMUM
    vectors[rare] = torch.randn(int(rare.sum()), size)
    return vectors
