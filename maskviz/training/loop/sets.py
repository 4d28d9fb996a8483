"""The rows of a part under a mask: to train on, and to evaluate plain and masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..data.rows import Part
from ..spec.mask_spec import NO_STRATEGY, MaskingSpec
from ..spec.spec import CAUSAL, RunSpec

if TYPE_CHECKING:
    from ..data.batches import MaskedRows


def masked_rows(
    spec: RunSpec, model: Any, part: Part, masking: MaskingSpec, seed: int, packing: bool = False
) -> MaskedRows:
    """Return the rows of a part under a mask, their targets as the model needs them.

    packing: of a decoder, several rows are one item.
    """
    from ..data.batches import MaskedRows
    from ..data.collating import MatrixRows, target_ids, target_limit
    from ..data.masking import Masker

    length = min(spec.training.max_length, model.max_length)
    if spec.task == CAUSAL:
        from ..data.teaching import SpokenMasker, TaughtRows, packed

        spoken = SpokenMasker(model, part.labels, masking, seed)
        return TaughtRows(spoken, packed(spoken.lengths, length, seed) if packing else None)
    masker = Masker(model, part.texts, masking, seed, length, part.marked)
    labels: Sequence[Any] = part.labels
    if spec.task == "seq2seq":
        labels = target_ids(model.tokenizer, part.labels, target_limit(spec, model))
    return (MatrixRows if masking.matrix else MaskedRows)(masker, labels)


def evaluation_sets(spec: RunSpec, model: Any, part: Part) -> Mapping[str, Any]:
    """Return the rows as they are and under the evaluation's mask."""
    masked = spec.evaluated_mask
    if masked.second:  # as the first, it draws others than in training
        masked = replace(masked, second=replace(masked.second, seed=masked.second.seed + 1))
    masks = {"plain": MaskingSpec(NO_STRATEGY), "masked": masked}
    if spec.task == "mlm":
        del masks["plain"]  # with nothing hidden there is nothing to guess
    sets = {
        name: masked_rows(spec, model, part, mask, spec.seed + 1)
        for name, mask in masks.items()
        if name == "plain" or mask.changes
    }
    for rows in sets.values():
        rows.groups = part.groups
    return sets
