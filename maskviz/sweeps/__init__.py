"""Sweeps: strategy × operator × ratio × seed as one object, trained as ordinary runs.

Nothing here imports torch until a ratio has to be measured with a model's own tokens.
"""

from .results import Group, Results, results
from .service import Sweep, advance, cancel_sweep, list_sweeps, load_sweep, start, wait_for, watch
from .spec import Cell, SweepSpec

__all__ = [
    "Cell",
    "Group",
    "Results",
    "Sweep",
    "SweepSpec",
    "advance",
    "cancel_sweep",
    "list_sweeps",
    "load_sweep",
    "pretraining",
    "results",
    "service",
    "shipped",
    "start",
    "wait_for",
    "watch",
    "written",
]
