"""Conversations: turns with roles, whose contents are one text."""

from .conversation import Conversation, Piece
from .lines import conversation_lines, in_cells
from .reading import holds_turns, read_conversation, spoken_with
from .turn import ROLES, ToolCall, Turn

__all__ = [
    "ROLES",
    "Conversation",
    "Piece",
    "ToolCall",
    "Turn",
    "conversation_lines",
    "holds_turns",
    "in_cells",
    "read_conversation",
    "spoken_with",
]
