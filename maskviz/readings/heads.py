"""What a model's numbers mean, by the kind of head they come from.

single       softmax over the outputs: one of them is the answer
multi        a sigmoid for each output: those of 0.5 or more are the answer
regression   values, unbounded: the first is the answer
likelihood   log-probabilities, each an output's own: the first is the answer
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

HEADS = ("single", "multi", "regression", "likelihood")


def valued(head: str) -> bool:
    """Tell whether the outputs are values without bounds, not probabilities."""
    return head in ("regression", "likelihood")


def head_of(config: Any) -> str:
    """Return what a classifier's outputs are: `single` label, `multi` label or `regression`."""
    kind = config.problem_type
    if kind == "regression" or (config.num_labels == 1 and kind is None):
        return "regression"
    return "multi" if kind == "multi_label_classification" else "single"


def activate(head: str, logits: Any) -> Any:
    """Turn logits (…, outputs), a tensor, into probabilities; a regression's values stay."""
    if valued(head):
        return logits
    return logits.sigmoid() if head == "multi" else logits.softmax(-1)


def activated(head: str, logits: Any) -> Any:
    """Return `activate` of a float array, as a float array."""
    import torch

    return activate(head, torch.from_numpy(logits)).numpy()


def log_odds(head: str, logits: Any) -> Any:
    """Return ln(p / (1 − p)) of every output from logits (…, outputs); a regression's values.

    Of a softmax it is z_i − ln Σ_{j≠i} exp(z_j), of a sigmoid the logit itself.
    """
    import numpy as np

    if head != "single":
        return logits
    others = np.array(np.broadcast_to(logits[..., None, :], (*logits.shape, logits.shape[-1])))
    others[..., np.arange(logits.shape[-1]), np.arange(logits.shape[-1])] = -np.inf
    return logits - np.logaddexp.reduce(others, -1)


def answer_of(head: str, row: Any) -> int:
    """Return the number of the output that one row of probabilities (outputs,) answers with."""
    return 0 if valued(head) else int(row.argmax())


def chosen_of(head: str, outputs: Sequence[str], row: Any) -> tuple[str, ...]:
    """Return every output that one row of probabilities (outputs,) gives."""
    if head == "multi":
        return tuple(name for name, p in zip(outputs, row, strict=True) if p >= 0.5)
    return (outputs[answer_of(head, row)],)
