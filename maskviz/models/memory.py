"""How much memory models may keep, and what they take of it.

Half of what is free at the first load, on the GPU where there is one, else of the machine or of
the container that this process runs in; MASKVIZ_MODEL_CACHE says another size.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import lru_cache, wraps
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, cast

from ..byte_cache import ByteCache
from ..errors import ParameterError

VARIABLE = "MASKVIZ_MODEL_CACHE"
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY_UNITS = {"ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_BYTES_PER_ENTRY = 300  # of a tokenizer's vocabulary, as measured with 6,000 and 16,000 entries


def limit() -> int:
    """Return how many bytes of models are kept; raises ParameterError for a size it cannot read."""
    said = os.environ.get(VARIABLE, "").strip()
    return _bytes_of(said) if said else free_at_first() // 2


def _bytes_of(said: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kmgt]?i?)b", said.lower())
    factor = match and (_UNITS | _BINARY_UNITS).get(match[2])
    if not match or not factor:
        raise ParameterError(
            f"{VARIABLE} is {said[:40]!r} and must be a size with its unit, such as 4GB or 800MB."
        )
    return int(float(match[1]) * factor)


@lru_cache(maxsize=1)
def free_at_first() -> int:
    """Return the bytes that were free when they were first asked for."""
    return free_bytes()


def free_bytes() -> int:
    """Return the bytes that models may take now where they are computed: GPU or machine."""
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    return free_on_machine()


def free_on_machine() -> int:
    """Return the bytes that are free to this process beside a GPU; torch is not asked for it."""
    import psutil

    free = int(psutil.virtual_memory().available)
    return max(0, min([free, *_free_in_groups()]))


def _free_in_groups(root: Path = Path("/sys/fs/cgroup")) -> Iterator[int]:
    """Yield what each control group that limits this process leaves, as in a container (Linux)."""
    for folder in _groups(root):
        for most, now, cached in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            allowed, used = _number(folder / most), _number(folder / now)
            if allowed is not None and used is not None:
                yield allowed - used + _reclaimable(folder / "memory.stat", cached)


def _groups(root: Path) -> Iterator[Path]:
    """Yield the folders of this process's control group and of those it lies in."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        _, kinds, path = line.split(":", 2)
        if kinds in ("", "memory"):
            own = root / kinds / path.strip("/")
            yield from (f for f in (own, *own.parents) if f.is_relative_to(root) and f.is_dir())


def _number(file: Path) -> int | None:
    try:
        said = file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return int(said) if said.isdecimal() else None  # `max` where nothing is limited


def _reclaimable(file: Path, name: str) -> int:
    """Return the bytes of files that the system keeps at hand and gives back when asked."""
    try:
        rows = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
    except (OSError, ValueError):
        return 0
    return next((int(row[1]) for row in rows if row[0] == name), 0)


NETWORKS = ByteCache(limit)  # and the models they belong to: all that is loaded by name


def size_of_network(network: Any) -> dict[int, int]:
    """Return the bytes of each piece of memory that a network's tensors lie in, by its address."""
    tensors = [*network.parameters(), *network.buffers()]
    memory = [tensor.untyped_storage() for tensor in tensors]
    return {piece.data_ptr(): piece.nbytes() for piece in memory if piece.nbytes()}


def size_of_tokenizer(tokenizer: Any) -> int:
    """Return about how many bytes a tokenizer takes."""
    return _BYTES_PER_ENTRY * len(tokenizer)


def tensor_shapes(file: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor, from the file's header alone.

    A file that is cut off or no safetensors has none: loading it says what is wrong.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as opened:
            names = opened.keys()
            return {name: tuple(opened.get_slice(name).get_shape()) for name in names}
    except SafetensorError:
        return {}


def shared(network: Any, others: list[Any]) -> Any:
    """Return the network, its weights in the place of those of `others` where they are equal.

    Heads of one model stand on the same encoder: in evaluation nobody changes it, so that one copy
    is enough.
    """
    import torch

    known = [dict(_by_base_name(other)) for other in others]
    for name, (layer, own, weight) in _by_base_name(network):
        for there in known:
            same = there.get(name, (None, "", None))[2]
            if same is not None and same.shape == weight.shape and torch.equal(same, weight):
                layer._parameters[own] = same
                break
    return network


def _by_base_name(network: Any) -> Iterator[tuple[str, tuple[Any, str, Any]]]:
    """Yield each weight by its name without the head's prefix, with its layer and name there."""
    prefix = f"{network.base_model_prefix}."
    for path, layer in network.named_modules(remove_duplicate=False):
        for own, weight in layer._parameters.items():
            if weight is not None:
                yield f"{path}.{own}".removeprefix(prefix), (layer, own, weight)


F = TypeVar("F", bound=Callable[..., Any])


def remembered(maxsize: int) -> Callable[[F], F]:
    """Remember the last answers of a function (model, …), with the model itself.

    They go when the model goes: a cache of the function's own would keep it for good. An answer
    that holds the model would keep it too, until the collector comes.
    """

    def decorate(function: F) -> F:
        @wraps(function)
        def ask(model: Any, *given: Any) -> Any:
            memo = getattr(model, "memos", {}).setdefault(ask, _Memo(maxsize))
            return memo.answer(given, lambda: function(model, *given))

        return cast(F, ask)

    return decorate


class _Memo:
    """The answers used last, by what was asked; `lru_cache` would hold on to the one asked."""

    def __init__(self, maxsize: int) -> None:
        self.maxsize = maxsize
        self._answers: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._lock = Lock()

    def answer(self, given: tuple[Any, ...], ask: Callable[[], Any]) -> Any:
        """Return the answer that is kept, else the one that is found now."""
        with self._lock:
            if given in self._answers:
                self._answers.move_to_end(given)
                return self._answers[given]
        found = ask()
        with self._lock:
            self._answers[given] = found
            if len(self._answers) > self.maxsize:
                self._answers.popitem(last=False)
        return found
