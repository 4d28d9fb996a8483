"""Runs: fine-tunes in processes of their own, found again by anyone who looks.

Nothing here imports torch; the store needs SQLAlchemy, reading a folder does not.
"""

from __future__ import annotations

from ..training.folder import ENDED, STATES, Run, tuned_models
from .engines import ensure_worker, wait_for_worker, worker_alive
from .foreground import train
from .service import cancel, clone, delete, list_runs, load_run, resume, submit, wait

__all__ = [
    "ENDED",
    "STATES",
    "Run",
    "background",
    "cancel",
    "clone",
    "compare",
    "delete",
    "engines",
    "ensure_worker",
    "export",
    "foreground",
    "list_runs",
    "load_run",
    "lock",
    "resume",
    "service",
    "submit",
    "train",
    "tuned_models",
    "wait",
    "wait_for_worker",
    "worker",
    "worker_alive",
]
