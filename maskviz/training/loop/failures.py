"""Why a run failed, in one sentence with the next step."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from ...errors import DiskFullError, MaskvizError
from ...models.raised import said_of
from ...paths import no_room

_LITTLE_SPACE = 50 * 2**20  # bytes; under this a failed write is taken for a full disk


def explain(error: BaseException, folder: Path) -> str:
    """Return the sentence for an error that ended the run in `folder`.

    >>> explain(MemoryError(), Path("."))
    'Memory ran out: lower per_device_train_batch_size or max_length, then resume.'
    """
    text = str(error).strip()
    if isinstance(error, MaskvizError) and not isinstance(error, DiskFullError):
        return text
    if _is_memory(error, text):
        return "Memory ran out: lower per_device_train_batch_size or max_length, then resume."
    if _is_disk(error, text, folder):
        return str(no_room(folder, "resume"))
    if sentence := said_of(error, "trained"):
        return f"{sentence} Its log says where."
    first = text.splitlines()[0][:200] if text else "no message"
    return f"{type(error).__name__}: {first.rstrip('.')}. Its log says where; then resume."


def lost_company(error: BaseException) -> bool:
    """Tell whether a run of several processes broke off because another of them is gone."""
    return "gloo/transport" in str(error) or type(error).__name__ == "DistBackendError"


def _is_memory(error: BaseException, text: str) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    said = ("out of memory", "can't allocate memory", "cannot allocate memory")
    return any(words in text.lower() for words in said)


def _is_disk(error: BaseException, text: str, folder: Path) -> bool:
    if isinstance(error, DiskFullError):
        return True
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    if "no space left" in text.lower():
        return True
    # torch's and safetensors' writers hide the system's error behind one of their own.
    writing = any(words in text.lower() for words in ("failed writing", "unexpected pos", "i/o"))
    return writing and shutil.disk_usage(folder).free < _LITTLE_SPACE
