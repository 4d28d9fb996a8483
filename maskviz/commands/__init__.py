"""The commands, by what they work on; importing this package registers all of them."""

from . import (
    attend,
    audit,
    bench,
    chat,
    compare,
    distraction,
    explain,
    house,
    inside,
    report,
    runs,
    shortcuts,
    sweep,
    text,
    train,
    units,
    write,
)
from .common import app

__all__ = [
    "app",
    "attend",
    "audit",
    "bench",
    "chat",
    "compare",
    "distraction",
    "explain",
    "house",
    "inside",
    "report",
    "runs",
    "shortcuts",
    "sweep",
    "text",
    "train",
    "units",
    "write",
]
