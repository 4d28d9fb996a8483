"""Heads silenced for good: a folder of weights in which their rows of the projection are zero.

A head whose rows of the output projection are zero adds nothing, whatever it attends to: the unit
operator zero, without a hook. The folder has the shapes it had, so that any program loads it.
"""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

from ..errors import CapabilityError, MaskvizError, ParameterError
from ..masks.operators import apply
from ..models.building import quiet
from ..models.model import Model, load_model
from ..readings.question import Question, asked
from ..text.words import check_unicode
from .anatomy import whole_layers_stay
from .checks.heads import survey
from .checks.probe import apart, probe
from .operators import ZERO
from .under import under
from .units import HEAD, UnitMask

CLOSE = 1e-4  # of the largest value: what is saved answers as the masked network does


def save_pruned(question: Question, mask: UnitMask, folder: Path) -> Path:
    """Write the question's network without the heads of a mask; return the folder.

    What was written is loaded and asked: it answers as the network does under the operator zero.
    Raises ParameterError for what are no heads, every head of a layer, heads of layers that share
    one projection with others, and a folder that is there; CapabilityError where it answers
    otherwise.
    """
    weights = pruned_weights(question, mask)
    check_unicode(str(folder))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ParameterError(f"{folder} is there already: name a folder that is not.")
    staged = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(staged, ignore_errors=True)
    try:
        staged.mkdir(parents=True)
        with quiet():
            question.network.save_pretrained(staged, state_dict=weights)
        question.model.tokenizer.save_pretrained(staged)
        folder.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(folder)
    except OSError as error:
        raise ParameterError(
            f"{folder} cannot be written ({error.strerror or type(error).__name__}): name another "
            "folder."
        ) from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    _as_masked(question, mask, folder)
    return folder


def pruned_weights(question: Question, mask: UnitMask) -> dict[str, Any]:
    """Return a network's weights by name, with the rows of a mask's heads zero in copies."""
    _heads_alone(mask)
    network, model = question.network, question.model
    with model.lock:
        seats, _ = survey(model, network, probe(model).ids)
    named = {one.data_ptr(): (name, one) for name, one in network.named_parameters()}
    state = dict(network.state_dict())
    for address, heads in _by_projection(mask, seats).items():
        seat = next(one for one in seats.values() if one.weight.data_ptr() == address)
        if address not in named:
            raise CapabilityError(
                f"The architecture {model.family!r} keeps its output projection in a form of its "
                "own, whose rows cannot be saved: mask the heads with --unit-operator zero instead."
            )
        name, weight = named[address]
        changed = weight.detach().clone()
        lies = weight.shape == seat.weight.shape and weight.stride() == seat.weight.stride()
        rows = changed if lies else changed.T
        rows[seat.rows[heads].flatten()] = 0
        for other, one in state.items():
            if other == name or one.data_ptr() == address:
                state[other] = changed
    return state


def _heads_alone(mask: UnitMask) -> None:
    if not mask.units or any(unit.kind != HEAD for unit in mask.units):
        raise ParameterError(
            f"{mask or 'Nothing'} is named, and heads alone are silenced for good: write them as "
            "3.1,3.4, layer and head from 1."
        )
    whole_layers_stay(mask)


def _by_projection(mask: UnitMask, seats: Any) -> dict[int, list[int]]:
    """Return the heads of each projection, by its address; those that share it have the same."""
    anatomy = mask.anatomy
    chosen: dict[Any, set[int]] = defaultdict(set)
    for unit in mask.units:
        chosen[anatomy.part(unit), unit.layer].add(unit.head)
    found: dict[int, list[int]] = {}
    for place in chosen:
        address = seats[place].weight.data_ptr()
        sharing = [p for p, seat in seats.items() if seat.weight.data_ptr() == address]
        if any(chosen.get(other, set()) != chosen[place] for other in sharing):
            layers = ", ".join(str(layer + 1) for _, layer in sharing)
            raise ParameterError(
                f"Layers {layers} of {anatomy.model!r} share one output projection: name the same "
                "heads in each of them, or mask with --unit-operator zero."
            )
        found[address] = sorted(chosen[place])
    return found


def _as_masked(question: Question, mask: UnitMask, folder: Path) -> None:
    """Ask what was written, and take it away where it answers otherwise than the masked network."""
    import torch

    model: Model = question.model
    text = model.tokenizer.decode(list(probe(model).ids), skip_special_tokens=True)
    put = question.about(text)
    try:
        expected = under(put, mask, ZERO).logits([apply(text, "attention", put.model)])
        again = asked(load_model(str(folder)), {"name": put.name, **dict(put.parameters)})
        found = again.logits([apply(text, "attention", again.model)])
        far = apart(torch.from_numpy(found), torch.from_numpy(expected))
    except MaskvizError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if far > CLOSE:
        shutil.rmtree(folder, ignore_errors=True)
        raise CapabilityError(
            f"What was written for {model.name!r} answers otherwise than the network without the "
            f"heads, by {far:.1g} of its size: it was taken away; mask with --unit-operator zero."
        )
