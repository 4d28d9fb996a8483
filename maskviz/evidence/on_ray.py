"""Blocks of rows read side by side on a Ray cluster (extra `ray`), their results in order.

One function reads a block, here or there: a *plan* travels once and makes it in each worker, which
loads the model; a block is a task of its own, so that one whose worker is killed is done anew by
another. Whoever asks counts the results in the order of the blocks, as those of this process.
Blocks on their way are twice the cluster's processors, so memory does not grow with the file.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from ..errors import MaskvizError, MissingDependencyError, ParameterError, RunError
from ..models.locate import bundled
from ..paths import home

ENGINES = ("local", "ray")
_TRIES = 5  # of a block whose worker dies
_LISTED = 4  # readers a worker keeps: those of several searches, or of a search's phases
_readers: dict[str, Callable[[Any], Any]] = {}


class Plan(Protocol):
    """What says how a block is read, and is small enough to travel."""

    def reader(self) -> Callable[[Any], Any]:
        """Return what reads a block, with the model loaded."""


@dataclass(frozen=True)
class OnRay:
    """A Ray cluster: the one at `address`, else the one that runs here, else one that is begun.

    address: `HOST:6379`, or `ray://HOST:10001` from a machine that is none of its nodes. num_gpus:
    of each block, 0.5 for two on one GPU. maskviz must be installed on every node, and a model in a
    folder must lie where all nodes see it.
    """

    address: str | None = None
    num_gpus: float = 0.0

    def answers(self, plan: Plan, blocks: Iterable[Any], in_turn: bool = False) -> Iterator[Any]:
        """Yield what the plan's reader makes of each block, in order.

        in_turn: a block is sent once the one before is counted. Raises what the reader raises, and
        RunError where no cluster answers or a block's worker dies again and again.
        """
        ray = _connected(self.address)
        gpus = self.num_gpus or None
        ask = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=_TRIES)(_read)
        key, shared, waiting = uuid4().hex, ray.put(plan), deque[Any]()
        most = 1 if in_turn else 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
        try:
            for block in blocks:
                waiting.append(ask.remote(key, shared, block))
                if len(waiting) >= most:
                    yield _found(ray, waiting.popleft())
            while waiting:
                yield _found(ray, waiting.popleft())
        finally:
            for asked in waiting:
                ray.cancel(asked)


def engine_of(name: str, address: str | None = None, num_gpus: float = 0.0) -> OnRay | None:
    """Return the cluster that `ray` names, None for `local`; raises ParameterError for others."""
    if name not in ENGINES:
        raise ParameterError(f"The engine {name!r} is none of {', '.join(ENGINES)}: give one.")
    if num_gpus < 0:
        raise ParameterError(f"A block is to have {num_gpus:g} GPUs: give 0 or more.")
    if name == "local" and (address or num_gpus):
        raise ParameterError("--address and --num-gpus are Ray's: add --engine ray.")
    return OnRay(address, num_gpus) if name == "ray" else None


def travels(model: object) -> str | None:
    """Return the name by which each node loads a model, a folder here with its whole path.

    Raises ParameterError for a model that is changed in this process, which no name stands for.
    """
    if model is None:
        return None
    if isinstance(model, str | os.PathLike):
        path = Path(model)
        own = str(model) in bundled() or not path.exists()
        return str(model) if own else str(path.resolve())
    raise ParameterError(
        "A model that was changed or loaded in this process cannot go to a cluster: name it, or "
        "leave --engine out."
    )


def _read(key: str, plan: Plan, block: Any) -> Any:
    """Read a block in a worker, which makes the reader once."""
    if key not in _readers:
        while len(_readers) >= _LISTED:
            del _readers[next(iter(_readers))]
        _readers[key] = plan.reader()
    return _readers[key](block)


def _found(ray: Any, asked: Any) -> Any:
    try:
        return ray.get(asked)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, MaskvizError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError as error:
        first = str(error).strip().splitlines()[0][:120]
        raise RunError(
            f"A block of rows was given up after {_TRIES + 1} tries ({first}): see whether a node "
            "has too little memory for the model, or the cluster is gone."
        ) from None


def _connected(address: str | None) -> Any:
    """Return Ray, connected; nothing about its use is sent to anyone."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise MissingDependencyError(
            "The engine 'ray' needs Ray: pip install maskviz[ray], or leave --engine out."
        ) from None
    if not ray.is_initialized():
        try:
            ray.init(
                address=address, log_to_driver=False, logging_level=logging.ERROR,
                include_dashboard=None if address else False,
                runtime_env={"env_vars": {"MASKVIZ_HOME": str(home())}},
            )  # fmt: skip
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            first = str(error).strip().splitlines()[0][:120]
            raise RunError(
                f"No Ray cluster answers at {address or 'this machine'} ({first}): start it with "
                "'ray start --head', and give --address HOST:6379, or ray://HOST:10001."
            ) from None
    return ray
