"""The commands, by what they work on; importing this package registers all of them."""

from ..runs.commands import register
from . import audit, compare, house, text
from .common import app

register(app)

__all__ = ["app", "audit", "compare", "house", "text"]
