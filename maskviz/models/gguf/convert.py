"""A GGUF file read once, and kept as a folder of safetensors under its checksum.

transformers dequantises the weights; what it leaves out without a word is found here: a setting
with no place in the configuration (`settings`), a weight of the network that the file lacks, one
of the file that the network lacks. The folder is written beside its place and renamed, so that two
processes at once, or one that is stopped, leave a whole folder or none.
"""

from __future__ import annotations

import errno
import importlib
import importlib.util
import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...checksums import sha256
from ...errors import DiskFullError, MaskvizError, MissingDependencyError, ModelError
from ...paths import flush, home, no_room, write_atomic
from ..building import LOADING, quiet
from ..size import dtype_for, fits, torch_dtype
from . import settings, vocabulary
from .header import Header, read_header

_FORMAT = 1  # counts up when a conversion comes out differently
_ABOUT = "gguf.json"
_DAY = 86_400  # seconds after which what a stopped process left is taken away
_TWICE = 2  # the weights as they are read, and in their network

Watch = Callable[[str, float], None]  # what is done, and which share of it


@dataclass(frozen=True)
class Source:
    """What a kept folder was read from. quantised_to: `Q4_K_M`, `F16`, …, as llama.cpp says it."""

    name: str
    sha256: str
    bytes: int
    architecture: str
    quantised_to: str
    parameters: int


def source_of(folder: Path) -> Source | None:
    """Return what a kept folder was read from; None of any other folder."""
    try:
        return Source(**json.loads((folder / _ABOUT).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def folder_of(file: Path, watch: Watch | None = None) -> Path:
    """Return the folder of safetensors of a GGUF file, which is made where there is none yet.

    Raises what `read_header` does, MissingDependencyError without the package `gguf`, ModelError
    for what transformers does not read, CapabilityError and DiskFullError where there is no room.
    """
    digest = _digest(file)
    folder = place_of(digest)
    if source_of(folder) is None:
        convert(file, digest, watch)
    return folder


def place_of(digest: str) -> Path:
    """Return where the folder of a file with this SHA-256 is kept."""
    return home() / "gguf" / f"{digest[:32]}-{_FORMAT}"


def _digest(file: Path) -> str:
    """Return the SHA-256 of a file, from where it is kept by the file's path, size and date."""
    from hashlib import sha256 as of

    about = file.stat()
    key = f"{file.resolve()} {about.st_size} {about.st_mtime_ns}"
    kept = home() / "gguf" / "known" / of(key.encode()).hexdigest()[:32]
    try:
        return kept.read_text(encoding="ascii")
    except (OSError, ValueError):
        read_header(_with_package(file))  # what is no GGUF is said before all of it is read
        digest = sha256(file)
        write_atomic(kept, digest)
        return digest


def _with_package(file: Path) -> Path:
    if importlib.util.find_spec("gguf") is None:
        raise MissingDependencyError(
            f"The model {file.name!r} is a GGUF file, and the package that reads it is missing: "
            "run pip install 'maskviz[gguf]'."
        )
    return file


def convert(file: Path, digest: str, watch: Watch | None = None) -> None:
    """Read a GGUF file and keep it as safetensors, all of it or nothing."""
    header = read_header(_with_package(file))
    _whole(header)
    dtype = dtype_for(header.parameters)
    fits(file.name, header.parameters, dtype, _TWICE)
    place = place_of(digest)
    place.parent.mkdir(parents=True, exist_ok=True)
    _sweep(place.parent)
    _disk(header, dtype, place.parent)
    written = place.parent / f".part-{uuid.uuid4().hex}"
    try:
        with _named(header), _alone(file, place.parent) as folder:
            _write(header, folder, dtype, written, watch or (lambda what, share: None))
        about = Source(
            file.name, digest, file.stat().st_size, header.architecture, _quantised(header),
            header.parameters,
        )  # fmt: skip
        (written / _ABOUT).write_text(json.dumps(asdict(about)), encoding="utf-8")
        flush(written)
        _into_place(written, place)
    finally:
        shutil.rmtree(written, ignore_errors=True)


@contextmanager
def _alone(file: Path, parent: Path) -> Iterator[Path]:
    """Give a folder that holds the file and nothing else.

    Beside it may lie a tokenizer, a template or an adapter of another model, and transformers
    would read it.
    """
    folder = parent / f".part-{uuid.uuid4().hex}"
    folder.mkdir()
    try:
        try:
            (folder / file.name).symlink_to(file.resolve())
        except OSError:  # Windows allows links to administrators alone
            shutil.copy(file, folder / file.name)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _into_place(written: Path, place: Path) -> None:
    try:
        written.rename(place)
    except OSError:
        if source_of(place) is None:  # not because another process was first
            raise


def _sweep(folder: Path) -> None:
    """Take away what a process that was killed has left."""
    for part in folder.glob(".part-*"):
        if time.time() - part.stat().st_mtime > _DAY:
            shutil.rmtree(part, ignore_errors=True)


def _disk(header: Header, dtype: str, folder: Path) -> None:
    needed = header.parameters * torch_dtype(dtype).itemsize + 2**26
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DiskFullError(
            f"The GGUF file {header.path.name!r} takes {needed / 1e9:.1f} GB where it is kept as "
            f"safetensors, and {free / 1e9:.1f} GB of the disk are free: make room, or let "
            "MASKVIZ_HOME name a folder on another disk."
        )


def _whole(header: Header) -> None:
    """Refuse one part of several, and what is no language model."""
    parts = header.settings.get("split.count", 0)
    if isinstance(parts, int) and parts > 1:
        raise ModelError(
            f"The GGUF file {header.path.name!r} is one of {parts} parts: join them with "
            "'llama-gguf-split --merge', and give the whole."
        )
    layers = header.own().get("block_count", 0)
    if not isinstance(layers, int) or not 0 < layers <= len(header.tensors):
        raise ModelError(
            f"The GGUF file {header.path.name!r} ({header.architecture[:40]}) speaks of "
            f"{str(layers)[:20]} layers and has {len(header.tensors)} weights: give the file of a "
            "language model."
        )


@contextmanager
def _named(header: Header) -> Iterator[None]:
    """Say in one sentence what transformers, the package `gguf` or the disk raises."""
    try:
        yield
    except (MaskvizError, MemoryError):
        raise
    except Exception as error:
        text = str(error).strip().split("\n")[0]
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        if full or "os error 28" in text:
            raise no_room(home()) from None
        raise ModelError(
            f"transformers does not read the GGUF file {header.path.name!r} (architecture "
            f"{header.architecture[:40]!r}; {text.replace(str(header.path), '')[:120]}): take the "
            "model's safetensors, or a newer transformers."
        ) from error


def _write(header: Header, source: Path, dtype: str, folder: Path, watch: Watch) -> None:
    from ..auto import HEADS, AutoConfig, AutoTokenizer

    where = {"gguf_file": header.path.name, "local_files_only": True, "trust_remote_code": False}
    watch("reading the settings", 0.0)
    with LOADING, quiet(), _weights_watched(watch):
        config = AutoConfig.from_pretrained(source, **where)
        settings.settle(config, header)
        read = AutoTokenizer.from_pretrained(source, **where)
        tokenizer = vocabulary.tokenizer_of(header, read)
        _counted(header, config, HEADS["generate"])
        network, found = HEADS["generate"].from_pretrained(
            source, config=config, dtype=torch_dtype(dtype), output_loading_info=True, **where
        )  # fmt: skip
        if missing := [*found["missing_keys"], *found["mismatched_keys"]]:
            raise _differs(header, f"the weight {str(missing[0])[:60]} is not in it")
        watch("writing", 1.0)
        _save(network, tokenizer, header, folder)


def _counted(header: Header, config: Any, head: Any) -> None:
    """Refuse a file whose weights are more or fewer than its network's: the rest would be lost."""
    import torch

    with torch.device("meta"):
        network = head.from_config(config, trust_remote_code=False)
    expected = sum(weight.numel() for weight in network.parameters())
    factors = header.tensors.get(settings.FACTORS)
    have = header.parameters - (factors.shape[0] if factors else 0)
    if expected != have:
        raise _differs(header, f"it has {have:,} values and the network {expected:,}")


def _differs(header: Header, what: str) -> ModelError:
    return ModelError(
        f"The GGUF file {header.path.name!r} does not fit the architecture "
        f"{header.architecture!r} as transformers has it ({what}): take the model's safetensors."
    )


@contextmanager
def _weights_watched(watch: Watch) -> Iterator[None]:
    """Follow the reading of the weights in the place of transformers' bar, which cannot be off."""
    reading: Any = importlib.import_module("transformers.modeling_gguf_pytorch_utils")

    def following(tensors: Iterable[Any], **_: Any) -> Iterator[Any]:
        every = list(tensors)
        for i, tensor in enumerate(every):
            watch("reading the weights", i / len(every))
            yield tensor

    bar = reading.tqdm
    reading.tqdm = following
    try:
        yield
    finally:
        reading.tqdm = bar


def _save(network: Any, tokenizer: Any, header: Header, folder: Path) -> None:
    """Write a network as any other one: its weights are plain by now."""
    network.hf_quantizer = None
    for name in ("quantization_config", "_model_name_or_path", "unk_token_id"):
        if hasattr(network.config, name):
            delattr(network.config, name)
    ends = [header.settings.get(f"tokenizer.ggml.{name}_token_id") for name in ("eos", "eot")]
    ends = list(dict.fromkeys(end for end in ends if end is not None))
    if len(ends) > 1 and network.generation_config is not None:  # a turn ends before the text does
        network.generation_config.eos_token_id = ends
    network.save_pretrained(folder)
    vocabulary.kept(tokenizer, folder, header)


def _quantised(header: Header) -> str:
    """Return what a file was quantised to: what it says, else the type most weights have."""
    from gguf.constants import GGMLQuantizationType, LlamaFileType

    said = header.settings.get("general.file_type")
    if said in set(LlamaFileType) - {LlamaFileType.GUESSED}:
        return LlamaFileType(said).name.removeprefix("MOSTLY_").removeprefix("ALL_")
    sizes: dict[int, int] = {}
    for tensor in header.tensors.values():
        sizes[tensor.kind] = sizes.get(tensor.kind, 0) + tensor.size
    return GGMLQuantizationType(max(sizes, key=lambda kind: sizes[kind])).name
