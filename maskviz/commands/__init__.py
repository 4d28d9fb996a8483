"""The commands, by what they work on; importing this package registers all of them."""

from . import compare, house, text
from .common import app

__all__ = ["app", "compare", "house", "text"]
