"""Chat templates: conversations as a model reads them, each content at its proved place."""

from .placing import Unplaced, places_of
from .rendering import Rendering, render_conversation
from .tokens import read_rendering, read_tokens, special_ids

__all__ = [
    "Rendering",
    "Unplaced",
    "own",
    "places_of",
    "plain",
    "read_rendering",
    "read_tokens",
    "render_conversation",
    "special_ids",
]
