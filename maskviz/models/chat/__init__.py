"""Chat templates: conversations as a model reads them, each content at its proved place."""

from .placing import Unplaced, places_of
from .rendering import Rendering, render_conversation
from .tokens import read_rendering, special_ids

__all__ = [
    "Rendering",
    "Unplaced",
    "places_of",
    "read_rendering",
    "render_conversation",
    "special_ids",
]
