"""Models in GGUF files: read once, kept as safetensors, every setting accounted for."""

from . import convert
from .convert import Source, folder_of, place_of, source_of

__all__ = ["Source", "convert", "folder_of", "place_of", "source_of"]
