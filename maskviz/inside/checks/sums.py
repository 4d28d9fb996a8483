"""The checks of MLPs and of layers: what they add to the stream of states can be taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from ...errors import CapabilityError
from ...models.checks import Finding, check
from ...models.model import Model
from ..adding import altered, first_of, read_by, with_first
from ..places import layers_of, placing
from ..tape import eager, modules_of, parts_of
from ..units import LAYER, MLP, Anatomy, Key
from .heads import survey
from .padding import answers, for_decoder
from .probe import SMALL, apart, probe

Place = tuple[str, int]
_CANNOT = (
    "cannot be taken away by themselves ({said}): mask words or heads, or choose a model such "
)


@check(
    "MLPs",
    "But for what an MLP puts out no matrix of its layer has a say but those of its attention, and "
    "the layer still hands on what it read.",
    "The MLPs of the architecture {family!r} " + _CANNOT + "as 'mini'.",
)
def mlps(model: Model) -> Finding:
    """Find which MLPs can be changed.

    The value has `mlps`, [part, layer, where it lies in its layer], `layers`, how many each part
    has, and `last`, where in the last layer the block lies that treats each token by itself.
    """
    network, read = model.main_network(), probe(model)
    with model.lock:
        seats, counts = survey(model, network, read.ids)
        found = _mlps(model, network, read.ids, {key: one.weight for key, one in seats.items()})
        met = _met(model, network, read.ids)
        last = _token_by_token(met[max(found)], found[max(found)]) if found else ""
    if not found:
        return Finding(False, "no map or block of a layer is all of its MLP")
    every = {(part, n, MLP) for part, n in found}
    anatomy = Anatomy(model.name, model.family, parts_of(model)[0], {}, counts, found)
    if said := _zeroed(network, anatomy, every, read.ids):
        return Finding(False, said)
    places = [[*place, path] for place, path in found.items()]
    value = {"mlps": places, "layers": counts, "last": last}
    return Finding(True, f"{len(found)} MLPs can be changed", value)


@check(
    "whole layers",
    "What a layer puts out, less what it read, is what it adds: without it the next layer reads "
    "what this one read.",
    "The layers of the architecture {family!r} " + _CANNOT + "as 'mini'.",
)
def layers_left_out(model: Model) -> Finding:
    """Find which layers can be left out.

    The value has `whole`, [part, layer], and `layers`, how many each part has.
    """
    network, read = model.main_network(), probe(model)
    with model.lock:
        met = _met(model, network, read.ids)
        if said := _broken(met):
            return Finding(False, said)
        counts = {part: sum(p == part for p, _ in met) for part, _ in met}
        whole = [place for place in met if counts[place[0]] > 1]
        first = parts_of(model)[0]
        anatomy = Anatomy(model.name, model.family, first, {}, counts, {}, tuple(whole))
        said = _zeroed(network, anatomy, {(part, n, LAYER) for part, n in whole}, read.ids)
    if said or not whole:
        return Finding(False, said or "there is one alone")
    value = {"whole": [list(place) for place in whole], "layers": counts}
    return Finding(True, f"{len(whole)} layers can be left out", value)


def _zeroed(network: Any, anatomy: Anatomy, keys: set[Key], ids: Sequence[int]) -> str:
    """Say where units do not do as they should: kept they change nothing, changed they do."""
    plain, every = _said(network, ids), sorted(keys)
    with altered(network, anatomy, every, lambda _, value, __: value.clone()):
        if apart(_said(network, ids), plain) > SMALL:
            return "keeping what they add changes what it computes"
    for key in {every[0], every[len(every) // 2], every[-1]}:
        with altered(network, anatomy, {key}, _other):
            if apart(_said(network, ids), plain) <= SMALL / 100:
                return f"changing what layer {key[1] + 1} adds changes nothing"
    return ""


def _other(_key: Key, value: Any, _values: Any) -> Any:
    """Return another value, which no norm makes the same."""
    import torch

    width = value.shape[-1]
    return value + torch.linspace(-1, 1, width, device=value.device, dtype=value.dtype)


def _said(network: Any, ids: Sequence[int]) -> Any:
    states, logits = answers(network, [ids], [[1] * len(ids)])
    return states if logits is None else logits


@dataclass(eq=False)
class _Ran:
    """A module in a layer that ran: where it lies, what it was given, and what it put out."""

    path: str
    module: Any
    given: tuple[Any, ...]
    output: Any


@dataclass(eq=False)
class _Layer:
    """What one layer read and put out, and the modules in it that ran, in their order."""

    module: Any
    read: Any
    output: Any = None
    ran: list[_Ran] = field(default_factory=list)


def _met(
    model: Model, network: Any, ids: Sequence[int], silent: Mapping[Place, str] | None = None
) -> dict[Place, _Layer]:
    """Run a pass in which each layer begins anew for gradients; return what the layers met.

    silent: place → the module in that layer of which nothing is known but what it puts out.
    """
    import torch

    modules = {
        name: one for part in parts_of(model) for name, one in modules_of(network, part).items()
    }
    met: dict[Place, _Layer] = {}
    with ExitStack() as stack, placing(modules) as places:
        for name, part in modules.items():
            for layer in dict.fromkeys(layers_of(part)):
                _follow(layer, name, places, met, silent or {}, stack)
        stack.enter_context(eager(network))
        stack.enter_context(torch.enable_grad())
        given = {"input_ids": torch.tensor([ids], device=network.device)}
        given["attention_mask"] = torch.ones_like(given["input_ids"])
        network(**given, **for_decoder(network, given["input_ids"]))
    if not met:
        raise CapabilityError("its layers are not seen")
    return met


def _follow(
    layer: Any,
    name: str,
    places: Any,
    met: dict[Place, _Layer],
    silent: Mapping[Place, str],
    stack: ExitStack,
) -> None:
    paths = {module: path for path, module in layer.named_modules() if path}

    def begins(module: Any, given: Any, named: Any) -> Any:
        place = (name, places.counts[name] - 1)
        read = read_by(given, named)
        met[place] = _Layer(module, read.detach().requires_grad_())
        if given:
            return (met[place].read, *given[1:]), named
        return given, {**named, "hidden_states": met[place].read}

    def ends(_module: Any, _given: Any, output: Any) -> None:
        met[name, places.counts[name] - 1].output = first_of(output)

    def ran(module: Any, given: Any, output: Any) -> Any:
        place = (name, places.counts[name] - 1)
        path = paths[module]
        if silent.get(place) == path:
            output = with_first(output, first_of(output).detach())
        if place in met:
            met[place].ran.append(_Ran(path, module, given, output))
        return output

    handles = [
        layer.register_forward_pre_hook(begins, with_kwargs=True),
        layer.register_forward_hook(ends),
        *(module.register_forward_hook(ran) for module in paths),
    ]
    for handle in handles:
        stack.callback(handle.remove)


def _broken(met: Mapping[Place, _Layer]) -> str:
    """Say where a layer does not read what the one before put out, shaped as what it read."""
    import torch

    for (part, n), one in met.items():
        if getattr(one.output, "shape", None) != one.read.shape or one.read.dim() != 3:
            return f"layer {n + 1} changes the shape of its states"
        behind = met.get((part, n + 1))
        if behind is not None and not torch.equal(behind.read, one.output):
            return f"layer {n + 2} does not read what layer {n + 1} puts out"
    return ""


def _mlps(
    model: Model, network: Any, ids: Sequence[int], projections: Mapping[Place, Any]
) -> dict[Place, str]:
    """Return where in its layer each MLP lies: the innermost module that is all of it."""
    met = _met(model, network, ids)
    offered = {
        place: _offered(one, [w for (_, n), w in projections.items() if n == place[1]])
        for place, one in met.items()
        if place in projections
    }
    found: dict[Place, str] = {}
    while offered:
        silent = {place: paths[0] for place, (paths, _) in offered.items() if paths}
        if not silent:
            break
        tried = _met(model, network, ids, silent)
        for place, path in silent.items():
            paths, own = offered[place]
            if _all_of_it(tried[place], own):
                found[place] = path
                del offered[place]
            else:
                offered[place] = (paths[1:], own)
    return dict(sorted(found.items()))


def _offered(layer: _Layer, projections: Sequence[Any]) -> tuple[list[str], list[Any]]:
    """Return where an MLP may lie, in the order of the pass, so that what lies in another comes
    first, and the matrices that are not of attention.
    """
    import torch

    matrices = [one for one in layer.module.parameters() if one.dim() > 1 and one.requires_grad]
    where = {weight.data_ptr() for weight in projections}
    outputs = [
        first_of(one.output)
        for one in layer.ran
        if getattr(getattr(one.module, "weight", None), "data_ptr", int)() in where
    ]
    if not outputs:
        return [], []
    total = sum((one.float() ** 2).sum() for one in outputs)
    moved = torch.autograd.grad(total, matrices, retain_graph=True, allow_unused=True)
    attends = {one for one, grad in zip(matrices, moved, strict=True) if grad is not None}
    own = [one for one in matrices if one not in attends]
    found = [
        one.path
        for one in layer.ran
        if _like(first_of(one.output), layer.read)
        and any(weight.dim() > 1 for weight in one.module.parameters())
        and attends.isdisjoint(one.module.parameters())
    ]
    return list(dict.fromkeys(found)), own


def _like(value: Any, read: Any) -> bool:
    """Tell whether a value is as many states as a layer reads, also all in one line."""
    shape = getattr(value, "shape", (0,))
    return shape == read.shape or (len(shape) == 2 and shape == read.flatten(0, 1).shape)


def _token_by_token(layer: _Layer, path: str) -> str:
    """Return the outermost block around an MLP that treats each token by itself; else nothing."""
    import torch

    found = ""
    for one in layer.ran:
        if one.path != path and not path.startswith(f"{one.path}."):
            continue
        shapes = [getattr(value, "shape", (0,)) for value in (*one.given, one.output)]
        if len(shapes) != 2 or any(shape[:-1] != layer.read.shape[:-1] for shape in shapes):
            continue
        with torch.no_grad():
            alone = one.module(one.given[0][:, -2:-1])
        if apart(alone.float(), one.output[:, -2:-1].detach().float()) <= SMALL:
            found = one.path
    return found


def _all_of_it(layer: _Layer, own: Sequence[Any]) -> bool:
    """Tell whether no matrix has a say in what a layer puts out, and what it read still has."""
    import torch

    spread = torch.linspace(-1, 1, layer.output.numel(), device=layer.output.device)
    total = (layer.output.float().flatten() * spread).sum()
    if not total.requires_grad:
        return False
    moved = torch.autograd.grad(total, [layer.read, *own], allow_unused=True)
    read, *others = (0.0 if one is None else float(one.abs().max()) for one in moved)
    return read > 0 and not any(others)
