"""What an architecture raises on the way, in one sentence that names it.

A network is other people's code: what it cannot do it says by any exception there is. Whoever runs
one does so within `naming`, so that a person reads a sentence and never a traceback.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import CapabilityError, MaskvizError

_RAN = ("/transformers/", "/tokenizers/", "/torch/autograd/", "/torch/nn/modules/module.py")
_NETWORK = re.compile(r"/transformers/models/(\w+)/modeling_")


@contextmanager
def naming(family: str) -> Iterator[None]:
    """Raise CapabilityError in the place of what the architecture raises while the block runs.

    What this project's own code raises stays as it is, and so does memory that has run out.
    """
    try:
        yield
    except (MaskvizError, MemoryError):
        raise
    except Exception as error:
        if not from_architecture(error):
            raise
        raise CapabilityError(_sentence(family, "run", error)) from error


def from_architecture(error: Exception) -> bool:
    """Tell whether an exception comes from a network, its gradients or its tokenizer."""
    if isinstance(error, MaskvizError | MemoryError) or "out of memory" in str(error):
        return False
    return any(part in file for file in _files(error) for part in _RAN)


def said_of(error: BaseException, done: str = "run") -> str | None:
    """Return the sentence on what a network raised, wherever that was; None for any other error.

    done: what it cannot be, `run` or `trained`. The files it went through tell the architecture.
    """
    if not isinstance(error, Exception) or isinstance(error, OSError):
        return None
    names = [found[1] for file in _files(error) if (found := _NETWORK.search(file))]
    return _sentence(names[-1], done, error) if names and from_architecture(error) else None


def first_line(error: BaseException, most: int = 100) -> str:
    """Return what an error says first, its kind where it says nothing.

    >>> first_line(ValueError("too long\\nsee above")), first_line(KeyError())
    ('too long', 'KeyError')
    """
    return str(error).strip().split("\n")[0][:most] or type(error).__name__


def _files(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    return [frame.filename.replace("\\", "/") for frame in frames]


def _sentence(family: str, done: str, error: Exception) -> str:
    first = str(error).strip().split("\n")[0][:100]
    return (
        f"The architecture {family!r} cannot be {done} like this ({type(error).__name__}: "
        f"{first}): choose another method or another model."
    )
