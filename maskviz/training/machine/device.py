"""Which device and which precision a run uses, decided once and said."""

from __future__ import annotations

import time

from ...errors import CapabilityError


def resolve_device(wanted: str) -> str:
    """Return `cuda` or `cpu`; raises CapabilityError where a GPU is asked for and there is none."""
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise CapabilityError("There is no CUDA device here: set device to 'auto' or 'cpu'.")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def resolve_precision(wanted: str, device: str) -> str:
    """Return `bf16` where it is asked for or the device computes in it natively, else `float32`."""
    if wanted != "auto":
        return wanted
    return "bf16" if _native_bf16(device) else "float32"


def _native_bf16(device: str) -> bool:
    import torch

    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # Processors that only emulate bf16 are slower in it than in float32.
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, probe, bool)() for probe in probes)


def device_name(device: str) -> str:
    """Return what a person calls the device: the GPU's name, or the CPU and its threads."""
    import torch

    if device == "cuda":
        return torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    return f"cpu, {threads} thread{'s' * (threads != 1)}"


def peak_memory_bytes(device: str) -> int:
    """Return the most memory the run has held so far, on the device it trains on."""
    import torch

    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    return _high_water_mark() or _most_resident()


class Usage:
    """How much of its device a run uses, between one question and the next."""

    def __init__(self, device: str) -> None:
        self.device = device
        self._wall, self._busy = time.perf_counter(), time.process_time()

    def share(self) -> float | None:
        """Return the share of the run's threads, or of the GPU, that was busy, in [0, 1]."""
        if self.device == "cuda":
            return _gpu_share()
        import torch

        wall, busy = time.perf_counter(), time.process_time()
        spent, used = wall - self._wall, busy - self._busy
        self._wall, self._busy = wall, busy
        return min(1.0, used / spent / torch.get_num_threads()) if spent > 0 else None


def _gpu_share() -> float | None:
    import torch

    try:
        return torch.cuda.utilization() / 100
    except (ModuleNotFoundError, RuntimeError):  # needs NVIDIA's own library
        return None


def _high_water_mark() -> int:
    """Return the peak of this program's memory in bytes where Linux tells it, else 0.

    What getrusage says includes the memory of whatever process started this one.
    """
    from pathlib import Path

    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    peak = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "")
    return int(peak.split()[1]) * 1024 if peak else 0


def _most_resident() -> int:
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB
