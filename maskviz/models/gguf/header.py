"""What a GGUF file says of itself: settings and tensors, read without trusting a single count.

The layout is llama.cpp's (docs/gguf.md of the ggml project): `GGUF`, a version, how many tensors
and settings follow, the settings, the tensors' names, shapes and places, and then their values.
Every length is held against the bytes that are left before anything of that length is read, so
that a cut or hostile file costs no memory. transformers' own reader does not check, and reads a
file only after this one has.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ModelError, ModelNotFoundError

MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_NUMBERS = dict(zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True))
_STRING, _ARRAY = 8, 9
_MOST = 100_000  # tensors, and settings
# Entries of all lists together. The largest vocabularies have 1.4 million with their scores, kinds
# and merges; transformers' reader takes about 300 bytes for each.
_ENTRIES = 3_000_000
_SHORT = 4096  # entries of a list of numbers that are kept: settings of layers, no vocabulary
_NAME, _TEXT = 2**10, 2**22  # bytes of a name, and of a text such as a chat template


@dataclass(frozen=True)
class Tensor:
    """A tensor of the file: its name and shape (slowest dimension first), and how it is stored.

    kind: the number of its type in ggml. start, size: bytes, from the start of the file.
    """

    name: str
    shape: tuple[int, ...]
    kind: int
    start: int
    size: int


@dataclass(frozen=True)
class Header:
    """What a GGUF file says of itself; of lists with more than 4,096 entries only their number.

    settings: `general.architecture`, `llama.block_count`, `tokenizer.chat_template`, …
    """

    path: Path
    settings: dict[str, Any]
    tensors: dict[str, Tensor]

    @property
    def architecture(self) -> str:
        """The architecture, as llama.cpp names it: `llama`, `qwen2`, `gemma3`, …"""
        return str(self.settings["general.architecture"])

    @property
    def parameters(self) -> int:
        """How many values the weights have."""
        return sum(math.prod(tensor.shape) for tensor in self.tensors.values())

    def own(self) -> dict[str, Any]:
        """Return the settings of the architecture, without its name: `block_count`, …"""
        prefix = f"{self.architecture}."
        return {k.removeprefix(prefix): v for k, v in self.settings.items() if k.startswith(prefix)}


def is_gguf(path: Path) -> bool:
    """Tell from its first bytes whether a file is a GGUF."""
    with path.open("rb") as file:
        return file.read(4) == MAGIC


def read_header(path: Path) -> Header:
    """Return what a GGUF file says of itself.

    Raises ModelNotFoundError for a file of another kind, ModelError for one that is cut, of a
    version or with types that are not known, or whose counts cannot be true.
    """
    if not is_gguf(path):
        raise ModelNotFoundError(
            f"The file {path.name!r} is no GGUF (it does not begin with those four letters): give "
            "a GGUF file, a folder that save_pretrained wrote, or a name on the Hub."
        )
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _Reader(path, content).header()


class _Reader:
    """Reads from one place to the next, and never past the end."""

    def __init__(self, path: Path, content: mmap.mmap) -> None:
        self.path, self.content, self.place, self.entries = path, content, 4, 0

    def header(self) -> Header:
        version = self.number("I")
        if version not in _VERSIONS:
            raise self.broken(f"it has version {version}, and 2 and 3 are known")
        tensors, settings = self.number("Q"), self.number("Q")
        self.fits(tensors, 24, "tensors")
        self.fits(settings, 13, "settings")
        if max(tensors, settings) > _MOST:
            raise self.broken(f"it has {max(tensors, settings):,} entries, of {_MOST:,} allowed")
        found: dict[str, Any] = {}
        for _ in range(settings):
            name = self.text(_NAME)
            if name in found:
                raise self.broken(f"the setting {name[:60]!r} stands twice")
            found[name] = self.value(self.number("I"))
        if not isinstance(found.get("general.architecture"), str):
            raise self.broken("it names no architecture")
        placed = [self.placed() for _ in range(tensors)]
        return Header(self.path, found, self.tensors(placed, found))

    def placed(self) -> tuple[str, tuple[int, ...], int, int]:
        """Return a tensor's name, shape, kind and place behind the header."""
        name, dimensions = self.text(_NAME), self.number("I")
        if not 1 <= dimensions <= 4:
            raise self.broken(f"the tensor {name[:60]!r} has {dimensions} dimensions")
        shape = tuple(self.number("Q") for _ in range(dimensions))
        return name, shape[::-1], self.number("I"), self.number("Q")

    def tensors(
        self, placed: list[tuple[str, tuple[int, ...], int, int]], settings: dict[str, Any]
    ) -> dict[str, Tensor]:
        step = settings.get("general.alignment", 32)
        if type(step) is not int or step < 1 or step & (step - 1) or step > 2**20:
            raise self.broken(f"its tensors stand at multiples of {step!r}")
        start = -(-self.place // step) * step
        found: dict[str, Tensor] = {}
        for name, shape, kind, offset in placed:
            tensor = Tensor(name, shape, kind, start + offset, self.bytes_of(name, shape, kind))
            if name in found:
                raise self.broken(f"the tensor {name[:60]!r} stands twice")
            if tensor.start + tensor.size > len(self.content):
                raise self.cut(tensor.start + tensor.size)
            found[name] = tensor
        if not found:
            raise self.broken("it has no weights: a vocabulary alone cannot be asked")
        return found

    def bytes_of(self, name: str, shape: tuple[int, ...], kind: int) -> int:
        from gguf.constants import GGML_QUANT_SIZES

        sizes: dict[int, tuple[int, int]] = {int(k): v for k, v in GGML_QUANT_SIZES.items()}
        if kind not in sizes:
            raise self.broken(f"the tensor {name[:60]!r} has the type {kind}, which is not known")
        block, size = sizes[kind]
        if not all(shape) or shape[-1] % block:
            raise self.broken(f"the tensor {name[:60]!r} has the shape {shape}")
        return math.prod(shape) // block * size

    def value(self, kind: int) -> Any:
        if kind in _NUMBERS:
            return self.number(_NUMBERS[kind])
        if kind == _STRING:
            return self.text(_TEXT)
        if kind == _ARRAY:
            return self.several(self.number("I"), self.number("Q"))
        raise self.broken(f"a setting has the type {kind}, which is not known")

    def several(self, kind: int, count: int) -> list[Any] | int:
        """Return a list, or the number of its entries where it is long."""
        size = struct.calcsize(_NUMBERS[kind]) if kind in _NUMBERS else 8
        self.fits(count, size, "entries of a list")
        self.entries += count
        if self.entries > _ENTRIES:
            raise self.broken(f"its lists have more than {_ENTRIES:,} entries")
        if kind != _STRING and kind not in _NUMBERS:
            raise self.broken(f"a list has entries of the type {kind}, which is not known")
        if count > _SHORT:
            self.pass_by(kind, count)
            return count
        return [self.value(kind) for _ in range(count)]

    def pass_by(self, kind: int, count: int) -> None:
        """Go past the entries of a long list."""
        if kind in _NUMBERS:
            self.place += count * struct.calcsize(_NUMBERS[kind])
            return
        for _ in range(count):
            length = self.number("Q")
            self.fits(length, 1, "bytes of a text")
            self.place += length

    def number(self, kind: str) -> Any:
        return struct.unpack(f"<{kind}", self.take(struct.calcsize(kind)))[0]

    def text(self, most: int) -> str:
        length = self.number("Q")
        self.fits(length, 1, "bytes of a text")
        if length > most:
            raise self.broken(f"a text of it has {length:,} bytes, of {most:,} allowed")
        try:
            return self.take(length).decode()
        except UnicodeDecodeError:
            raise self.broken("a text of it is not UTF-8") from None

    def take(self, size: int) -> bytes:
        if self.place + size > len(self.content):
            raise self.cut(self.place + size)
        self.place += size
        return self.content[self.place - size : self.place]

    def fits(self, count: int, each: int, what: str) -> None:
        """Refuse a count of things that the rest of the file has no room for."""
        left = len(self.content) - self.place
        if count * each > left:
            raise self.broken(
                f"it is cut, or its header is wrong: it speaks of {count:,} {what} where {left:,} "
                "bytes are left"
            )

    def cut(self, needed: int) -> ModelError:
        return ModelError(
            f"The GGUF file {self.path.name!r} is cut: it has {len(self.content):,} bytes, and its "
            f"header speaks of {needed:,} or more; fetch it again."
        )

    def broken(self, what: str) -> ModelError:
        return ModelError(
            f"The GGUF file {self.path.name!r} cannot be read ({what}): fetch it again, or take "
            "the model's safetensors."
        )
