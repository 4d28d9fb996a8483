"""A decoder's batch in parts: read one after another, they give the step of the whole.

The loss of a step is Σ w ℓ / Σ w over all that it learns, whatever is read together, so the
gradients of its parts add up to its own. What is kept for the way back is that of one part; rows of
one length stand together, so that each part is as short as its own longest row; and on a processor
what a layer computes stays in its cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..machine.memory import part_limits
from .teaching import IGNORED


def limits_of(config: Any) -> tuple[int, int]:
    """Return how many tokens a part has at most, and how many learned ones, on a processor.

    config: of the network, as transformers has it.
    """
    text = config.get_text_config()
    width = int(getattr(text, "intermediate_size", None) or 4 * text.hidden_size)
    return part_limits(width, text.vocab_size)


def parted(
    lengths: Sequence[int], learned: Sequence[int], limits: tuple[int, int]
) -> list[list[int]]:
    """Return rows in parts within the limits, from short to long; a row is never torn apart.

    lengths, learned: the tokens of each row, and how many of them are learned.

    >>> parted([5, 9, 4], [1, 1, 1], (10, 9))
    [[2, 0], [1]]
    """
    parts: list[list[int]] = []
    taught = 0
    for row in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        fits = parts and (len(parts[-1]) + 1) * lengths[row] <= limits[0]
        if fits and taught + learned[row] <= limits[1]:
            parts[-1].append(row)
            taught += learned[row]
        else:
            parts.append([row])
            taught = learned[row]
    return parts


def parts_of(batch: Mapping[str, Any], limits: tuple[int, int]) -> Iterator[dict[str, Any]]:
    """Yield the parts of a batch of `TaughtCollator`, each cut to its own longest row."""
    ids, lengths = batch["input_ids"], batch["row_lengths"]
    positions = batch.get("head_positions")
    where = positions // ids.shape[1] if positions is not None else None
    if where is not None:
        learned = where.bincount(minlength=len(ids)).tolist()
    else:
        learned = (batch["labels"] != IGNORED).sum(1).tolist()
    parts = parted(lengths, learned, limits)
    if len(parts) == 1:
        yield dict(batch)
        return
    for number, rows in enumerate(parts):
        part = _part(batch, rows, max(lengths[row] for row in rows), where)
        yield {**part, "real_tokens": 0 if number else batch["real_tokens"]}


def _part(batch: Mapping[str, Any], rows: Sequence[int], width: int, where: Any) -> dict[str, Any]:
    """Return some rows of a batch; where: the row of each learned place, None where all stand."""
    import torch

    whole = batch["input_ids"].shape[1]
    cut = slice(whole - width, whole) if batch["left"] else slice(0, width)
    found = {
        name: batch[name][rows][:, cut]
        for name in ("input_ids", "position_ids", "attention_mask")
        if name in batch
    }
    if (matrix := batch.get("attention_matrix")) is not None:
        found["attention_matrix"] = matrix[rows][:, :, cut, cut]
    if where is None:
        found |= {name: batch[name][rows][:, cut] for name in ("labels", "loss_weights")}
    else:
        new = torch.full((len(batch["input_ids"]),), -1, device=where.device)
        new[rows] = torch.arange(len(rows), device=where.device)
        kept = new[where] >= 0
        if not kept.any():  # a head over nothing has no gradient
            kept[0], new[where[0]] = True, 0
            found["loss_weights"] = batch["loss_weights"][:, kept] * 0
        columns = (batch["head_positions"] % whole - cut.start)[kept].clamp(0, width - 1)
        found["head_positions"] = new[where[kept]] * width + columns
        found["labels"] = batch["labels"][:, kept]
        found.setdefault("loss_weights", batch["loss_weights"][:, kept])
    return {**found, "row_lengths": [batch["row_lengths"][row] for row in rows],
            "left": batch["left"]}  # fmt: skip
