"""What is heavy loads beside the server, before the first visitor asks for it.

A thread of the server's process loads the model of the first page and asks it for the first
example, then loads what the other pages need. It does so in an order of its own, piece by piece,
and steps aside between two of them while the server answers or the first page is painted.
`MASKVIZ_LAZY=1` loads nothing before it is needed.
"""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import inspect
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from .errors import MaskvizError

LAZY = "MASKVIZ_LAZY"
_PAGES = "maskviz.ui"  # imported by the first visitor's page
_LONGEST_WAIT = 3.0  # seconds; a paint takes less, and nobody waits for one that never comes
_SWITCH = 1e-4  # seconds a thread waits until this one lets it go on; Python's own are 5e-3
_LOOK = 0.02  # seconds between two looks at how busy the server is
_BUSY = 0.05  # of a processor: more than a server that waits
# What transformers imports for a network, the largest pieces: an order alone, nothing hangs on it.
_PARTS = (
    "sympy", "torch.fx.experimental.symbolic_shapes", "torch.distributed.tensor",
    "transformers.integrations.accelerate", "torch._dynamo", "transformers.activations",
    "scipy.linalg", "scipy.optimize", "transformers.modeling_utils",
    "transformers.models.modernbert.modeling_modernbert",
)  # fmt: skip
_painted, _shown = threading.Event(), threading.Event()
_lock = threading.Lock()
_begun: list[threading.Thread] = []


def is_lazy() -> bool:
    """Tell whether `MASKVIZ_LAZY` asks to load nothing before it is needed."""
    return os.environ.get(LAZY, "").strip().lower() not in ("", "0", "no", "false", "off")


def begin(listening: Callable[[], bool] = lambda: True) -> threading.Thread | None:
    """Begin to load, once in a process, when the server listens; None where `is_lazy`.

    listening: asked every few milliseconds until it says so.
    """
    if is_lazy():
        return None
    with _lock:
        if not _begun:
            thread = threading.Thread(
                target=_run, args=(listening,), name="maskviz-warm-up", daemon=True
            )
            _begun.append(thread)
            thread.start()
        return _begun[0]


def painted() -> None:
    """Say that the first page is painted: from now on its imports wait for nothing."""
    _painted.set()


def shown() -> None:
    """Say that the first page is whole: what other pages need can be loaded."""
    _shown.set()


def _wait(done: threading.Event) -> None:
    """Wait where the first visitor's page is on its way, until so much of it is done."""
    if _PAGES in sys.modules and not done.wait(_LONGEST_WAIT):
        done.set()  # it stopped on the way, as before a sign-in


def _run(listening: Callable[[], bool]) -> None:
    while not listening():
        time.sleep(_LOOK)
    _library()  # a browser that stands ready finds the server free meanwhile
    manners = _Manners()
    try:
        with _undisturbed():
            for load in (_ours, _torch, _transformers, *_parts(), _first_finding):
                manners.step_aside()
                load()
                _find_files()
            for load in (_tables, _pipeline, _charts):
                _wait(_shown)
                manners.step_aside()
                load()
                _find_files()
    except (MaskvizError, ImportError):
        return  # the page that needs it says so, with what to do


def _parts() -> Iterator[Callable[[], None]]:
    """Yield what loads the parts of the first network by itself, in the order they need each other.

    Each takes a tenth to a third of a second of a processor; in one piece nobody could be let
    through for one and a half.
    """
    for name in _PARTS:
        yield partial(_part, name)


def _part(name: str) -> None:
    with suppress(ImportError):  # another version has none of that name, and needs none
        importlib.import_module(name)


def _ours() -> None:
    """Load what the first page and this thread both need: nobody waits for a half of it."""
    from .evidence.text import sentence  # noqa: F401
    from .figures import strip  # noqa: F401
    from .masks import OPERATORS, STRATEGIES
    from .models import load_model  # noqa: F401
    from .readings import fills  # noqa: F401

    list(OPERATORS), list(STRATEGIES)  # their modules are imported when they are first asked for


def _library() -> None:
    """Load torch's large library beside everything else: Python's own way stops all threads."""
    found = importlib.util.find_spec("torch")
    if sys.platform == "linux" and found is not None and found.origin:
        library = Path(found.origin).parent / "lib" / "libtorch_python.so"
        ctypes.CDLL(None).dlopen(bytes(library), os.RTLD_NOW)  # nothing lost where it finds none


def _torch() -> None:
    import torch  # noqa: F401


def _transformers() -> None:
    from .models import auto  # noqa: F401


def _first_finding() -> None:
    from .evidence.text.sentence import fill_sentence
    from .examples import EXAMPLES
    from .figures.strip import strip_page
    from .masks import mask
    from .models import load_model
    from .readings import fill

    first, model = EXAMPLES[0], load_model()
    hidden = mask(
        first.text, first.strategy, ratio=first.ratio, seed=first.seed, **first.parameters
    )
    found = fill_sentence(hidden, fill(hidden, model), model.name)
    strip_page(hidden, found)


def _tables() -> None:
    import pandas  # noqa: F401
    import pyarrow  # noqa: F401


def _pipeline() -> None:
    from .text import load_pipeline

    load_pipeline()


def _charts() -> None:
    import plotly.graph_objects  # noqa: F401


def _find_files() -> None:
    """Have `inspect` look up the file of every module, and remember it.

    Streamlit asks it for the stack at the first element of a process: a third of a second with all
    of this loaded, before the first paint.
    """
    inspect.getmodule(compile("", "<maskviz>", "exec"))


class _Manners:
    """Lets the server's own thread and the first page's paint go before what is loaded next."""

    def __init__(self) -> None:
        self.left, self.looked, self.served = _LONGEST_WAIT, time.monotonic(), _served()

    def step_aside(self) -> None:
        """Wait while the server answers, and for the paint of the first page."""
        while self.left > 0 and self._busy():
            time.sleep(_LOOK)
            self.left -= _LOOK
        _wait(_painted)

    def _busy(self) -> bool:
        now, served = time.monotonic(), _served()
        share = (served - self.served) / max(now - self.looked, _LOOK)
        self.looked, self.served = now, served
        return share > _BUSY


def _served() -> float:
    """Return the seconds of processor time that the server's own thread has had."""
    if not hasattr(time, "pthread_getcpuclockid"):  # Windows: the page's paint alone is waited for
        return 0.0
    return time.clock_gettime(time.pthread_getcpuclockid(threading.main_thread().ident or 0))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let the server's other threads go on at once wherever they can, and collect no garbage.

    There is none while modules are loaded, and looking for it takes a fifth of the time.
    """
    before, collects = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(_SWITCH)
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
        sys.setswitchinterval(before)
