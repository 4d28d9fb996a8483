"""The commands, by what they work on; importing this package registers all of them."""

from ..runs.commands import register
from . import attend, audit, bench, compare, explain, house, report, sweep, text, write
from .common import app

register(app)

__all__ = [
    "app",
    "attend",
    "audit",
    "bench",
    "compare",
    "explain",
    "house",
    "report",
    "sweep",
    "text",
    "write",
]
