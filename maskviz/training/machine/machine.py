"""What this machine offers a run, found out without importing torch."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...models.memory import free_on_machine

# Of a float32 product's speed that a small encoder reaches; 0.5 and 1.3 were measured on an EPYC.
_SHARE_OF_PEAK = {"float32": 0.4, "bf16": 1.0}
_MATRIX = 48  # columns: so few that NumPy computes on one thread, enough for its full speed
# A tenth of what cards compute in half precision, or less: T4 65, V100 125, A100 312 TFLOP/s by
# their data sheets. A small network keeps none of them busy.
_GPU_FLOPS = 6e12
_GPU_CONTEXT = 0.6  # gigabytes that a process takes on a GPU before its first tensor


@dataclass(frozen=True)
class Machine:
    """Where a run will train: on a GPU or not, and the memory that is free there for tensors."""

    gpu: bool
    gigabytes_free: float

    @classmethod
    def of(cls, device: str) -> Machine:
        """Return what `auto`, `cpu` or `cuda` means here."""
        if device != "cpu" and (free := _free_on_gpu()) is not None:
            return cls(True, max(0.0, free - _GPU_CONTEXT))
        return cls(False, free_on_machine() / 1e9)

    def flops(self, precision: str) -> float:
        """Return the floating-point operations per second that training may reach: a guess."""
        if self.gpu:
            return _GPU_FLOPS
        fast = "bf16" if precision != "float32" and _native_bf16() else "float32"
        return matrix_flops() * _SHARE_OF_PEAK[fast]


@lru_cache(maxsize=1)
def _native_bf16() -> bool:
    """Tell from what Linux says of the processor, without torch, whether bf16 is native to it."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return False
    return not {"avx512_bf16", "amx_tile"}.isdisjoint(flags)


@lru_cache(maxsize=1)
def matrix_flops() -> float:
    """Return the floating-point operations per second of matrix products on all threads of a run.

    Small ones on one thread, by the processor time they take: what else the machine does
    meanwhile, a page that loads libraries for example, makes them no slower.
    """
    import numpy as np

    a = np.ones((64, _MATRIX, _MATRIX), dtype=np.float32)
    best = math.inf
    for _ in range(5):
        began = time.thread_time()
        a @ a
        best = min(best, time.thread_time() - began)
    asked = os.environ.get("OMP_NUM_THREADS", "")
    threads = int(asked) if asked.isdigit() else os.cpu_count() or 1
    return threads * 2 * len(a) * _MATRIX**3 / best


def _free_on_gpu() -> float | None:
    import shutil
    import subprocess

    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    asked = [tool, "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()  # noqa: S603
    return int(said[0]) * 2**20 / 1e9 if said and said[0].isdigit() else None
