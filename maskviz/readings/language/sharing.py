"""Variants of one prompt, each read from where it parts from what was read before.

No token of a decoder looks ahead: what two prompts begin with has the same keys and values in both.
They are computed once, see `branches`. Whether a network gives the same answers that way is checked
once a model (`shared beginnings`); where not, every variant is read whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...models.checks import finding
from ...models.model import Model, device
from .. import side_by_side
from ..batches import Ids, Read, together
from ..question import Question, in_batches
from .branches import Costs, Plan, Tree, best_plan
from .scoring import Layer, begun, logits_at, way_of

_ROWS, _TOKENS = 16, 1536  # of a group at most: variants, and tokens that are new
_PASS = 1e8  # weights times tokens that are multiplied in the time that a pass takes beside
_BYTES = 512_000_000  # of keys and values that lie beside those of the plain prompt

Kept = dict[int, tuple[Layer, ...]]  # prompt → its keys and values, (1, heads, tokens, width) each


@dataclass(frozen=True)
class _Known:
    """A prompt that was read the last time, with its keys and values."""

    row: Ids
    layers: tuple[Layer, ...]


def shared_answers(question: Question, reads: Sequence[Read], batch_size: int | None) -> Any:
    """Return the logits (texts, outputs) of many texts; what they begin with alike is read once.

    So is what they begin with like a text that was asked the last time.
    """
    model = question.model
    if batch_size or way_of(model) != "generate" or not _may_share(model):
        return in_batches(question, reads, batch_size)
    rows = [_row(read) for read in reads]
    if not together(model, [len(row.input_ids) for row in rows]):
        return in_batches(question, reads, None)
    known: _Known | None = model.bare.memos.get(_Known)
    all_rows = [*rows, known.row] if known else rows
    plan = best_plan(all_rows, _costs(question), len(rows) if known else None)
    if plan is None:
        return in_batches(question, reads, None)
    return _by_plan(question, rows, plan, known)


def _may_share(model: Model) -> bool:
    return finding(model, "shared beginnings").passed


def _row(read: Read) -> Ids:
    """Return a prompt as arrays, without the hidden tokens at its end."""
    import numpy as np

    ids, seen = np.asarray(read.input_ids), np.asarray(read.attention_mask)
    end = int(seen.nonzero()[0][-1]) + 1
    return Ids(ids[:end], seen[:end])


def _costs(question: Question) -> Costs:
    tails = getattr(question.model, "tails", ())
    return Costs(
        tail=max((len(tail.ids) - 1 for tail in tails), default=0),
        each=_pass_in_tokens(question.network),
        rows=_ROWS if device() == "cpu" else 8 * _ROWS,
        tokens=_TOKENS if device() == "cpu" else 8 * _TOKENS,
        kept=_BYTES // _bytes_of_token(question.network),
    )


def _pass_in_tokens(network: Any) -> float:
    """Return how many tokens cost as much as one more pass, in which all weights are fetched."""
    return 24 + _PASS / float(network.num_parameters())


def _bytes_of_token(network: Any) -> int:
    """Return what the keys and values of a token take, by the configuration: at most so much."""
    config = network.config.get_text_config()
    width = config.hidden_size
    heads, groups = (getattr(config, f"num_{n}_heads", None) for n in ("attention", "key_value"))
    if isinstance(heads, int) and isinstance(groups, int):
        width = groups * (getattr(config, "head_dim", None) or width // heads)
    return int(2 * config.num_hidden_layers * width * network.dtype.itemsize)


def _by_plan(question: Question, rows: Sequence[Ids], plan: Plan, known: _Known | None) -> Any:
    """Return the logits of prompts that are read in the order of a plan."""
    import numpy as np

    found = np.zeros((len(rows), len(question.outputs)))
    kept: Kept = {len(rows): known.layers} if known else {}
    lengths = [len(row.input_ids) for row in rows]
    needed = plan.tree.needed([*lengths, 0][: len(plan.tree.parents)])
    main = _main(plan.tree)

    def answer(group: tuple[int, ...]) -> tuple[Any, Kept]:
        return _read(question, rows, group, plan.tree, kept, needed)

    for groups in plan.stages:
        longest = [max(lengths[row] for row in group) for group in groups]
        done = list(side_by_side.answers(question.model, answer, groups, longest))
        parents = {plan.tree.parents[row] for group in groups for row in group}
        kept = {row: own for row, own in kept.items() if row == main or row not in parents}
        for group, (logits, own) in zip(groups, done, strict=True):
            found[list(group)] = logits
            kept.update(own)
    if main < len(rows):
        question.model.bare.memos[_Known] = _Known(rows[main], kept[main])
    return found


def _main(tree: Tree) -> int:
    """Return the first prompt from which most others part."""
    first = [parent for parent in tree.parents if parent is not None and not tree.levels[parent]]
    return max(first, key=first.count)


def _read(
    question: Question,
    rows: Sequence[Ids],
    group: tuple[int, ...],
    tree: Tree,
    kept: Kept,
    needed: dict[int, int],
) -> tuple[Any, Kept]:
    """Return the logits of a group, and the keys and values of those that others part from."""
    import torch

    start = min(tree.shared[row] for row in group)
    above = [parent for row in group if (parent := tree.parents[row]) is not None]
    with torch.inference_mode():
        layers = _stacked([kept[row] for row in above], start) if start else ()
        with begun(layers, start, keeps=any(row in needed for row in group)) as passed:
            logits = question.ask([rows[row] for row in group])
        each = len(passed.kept[0][0]) // len(group) if passed.kept else 0  # its tails in a line
        own = {
            row: tuple(_part(layer, i * each, needed[row]) for layer in passed.kept)
            for i, row in enumerate(group)
            if row in needed
        }
    return logits.double().cpu().numpy(), own


def _stacked(parents: Sequence[tuple[Layer, ...]], start: int) -> Sequence[Layer]:
    """Return the beginnings of several prompts as one batch; once where all have the same."""
    import torch

    if all(parent is parents[0] for parent in parents):
        return parents[0]
    return [
        (
            torch.cat([keys[:, :, :start] for keys, _ in layer]),
            torch.cat([values[:, :, :start] for _, values in layer]),
        )
        for layer in zip(*parents, strict=True)
    ]


def _part(layer: Layer, row: int, tokens: int) -> Layer:
    keys, values = (part[row : row + 1, :, :tokens].clone() for part in layer)
    return keys, values


def layers_of(network: Any, row: Ids) -> tuple[Layer, ...]:
    """Return the keys and values of a prompt, each (1, heads, tokens, width), layer by layer."""
    import torch

    ids, seen = (
        torch.tensor(part)[None].to(network.device) for part in (row.input_ids, row.attention_mask)
    )
    with begun((), 0, keeps=True) as passed:
        logits_at(network, {"input_ids": ids, "attention_mask": seen}, torch.zeros(1, 1).long())
    return passed.kept
