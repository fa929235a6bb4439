"""Choose a stage's device, precision, threads and shards, with reasons, and set up torch."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.errors import ParamsError
from pipeline.runtime import progress

if TYPE_CHECKING:
    import torch

JOBS = "MTDNNKD_JOBS"  # how many stages run in parallel
MOST_SHARDS = 8  # of a batch of 32 rows; smaller ones would mostly be overhead
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
_NEVER = 2**30  # bytes
_TOKENS_ON_CPU, _TOKENS_A_GIB = 4096, 1024  # of a pass when rows are scored


@dataclass(frozen=True)
class Hardware:
    """The hardware that a stage uses.

    Attributes:
        device: torch's name of the device.
        precision: float32, bfloat16 or float16 for the matrix products.
        threads: CPU threads of this process.
        engine: fast, or plain for torch's dropout and transformers' attention.
        shards: parts of a training batch that threads work on in parallel.
        labelling_tokens: tokens, padding included, of one forward pass when scoring rows.
        reason: one line with the reasons, for the log.
    """

    device: str
    precision: str
    threads: int
    engine: str
    shards: int
    labelling_tokens: int
    reason: str

    @property
    def chip(self) -> str:
        """The part of the processor that decides the last bit: a GPU's name or a CPU's kernels."""
        import torch

        if self.device.startswith("cuda"):
            return torch.cuda.get_device_name()
        return f"{self.device} {platform.machine()} {torch.backends.cpu.get_cpu_capability()}"

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Context in which matrix products run in the chosen precision."""
        import torch

        if self.precision == "float32":
            return contextlib.nullcontext()
        kind = self.device.partition(":")[0]
        # Threads would share the cache of narrow weights, and each empties it when it is done.
        return torch.autocast(kind, getattr(torch, self.precision), cache_enabled=kind != "cpu")

    def put(self, array: Any) -> torch.Tensor:
        """Copy a numpy array to the device, without waiting where the device allows it."""
        import torch

        tensor = torch.from_numpy(array)
        if self.device.startswith("cuda"):
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)


class Settings(Protocol):
    """The settings of section `machine` of params.yaml."""

    @property
    def device(self) -> str:
        """auto, or torch's name of a device."""

    @property
    def precision(self) -> str:
        """auto, float32, bfloat16 or float16."""

    @property
    def engine(self) -> str:
        """Fast or plain."""

    @property
    def threads(self) -> str | int:
        """auto, or CPU threads of this process."""

    @property
    def shards(self) -> str | int:
        """auto, or shards of a training batch."""

    @property
    def labelling_tokens(self) -> str | int:
        """auto, or tokens of one forward pass when rows are scored."""


def set_up(settings: Settings) -> Hardware:
    """Choose device, precision, threads and shards, and set up torch for them.

    Raises:
        ParamsError: this machine lacks the device that params.yaml names.
    """
    import torch

    device, why_device = _device(settings.device)
    if device.startswith("cuda"):
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # for deterministic results
        torch.cuda.set_device(torch.device(device))
    precision, why_precision = _precision(settings.precision, device)
    threads, why_threads = _threads(settings.threads, device)
    shards = _shards(settings.shards, device, settings.engine)
    # Same input, same bytes: an operation that cannot promise it fails instead of drifting.
    torch.use_deterministic_algorithms(True)
    # Every new tensor would be filled first; nothing here reads what it has not written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if device == "cpu":
        torch.set_num_threads(1)  # each thread takes whole shards: see thread_pool.py
        _keep_freed_memory()
    reason = (
        f"{device} ({why_device}), {precision} ({why_precision}), {threads} {why_threads}, "
        f"batches in {shards} {'shards' if shards > 1 else 'piece'}, {settings.engine} engine"
    )
    progress.message(f"machine: {reason}")
    tokens = labelling_tokens(settings.labelling_tokens, _memory(device))
    return Hardware(device, precision, threads, settings.engine, shards, tokens, reason)


def _device(wanted: str) -> tuple[str, str]:
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        for name, is_available in available.items():
            if is_available:
                return name, "found"
        return "cpu", "no GPU found"
    kind, _, number = wanted.partition(":")
    if not available.get(kind, True) or int(number or 0) >= max(1, torch.cuda.device_count()):
        raise ParamsError(
            "no such device on this machine",
            seen=wanted,
            where="machine.device in params.yaml",
            fix="set it to auto or cpu: dvc exp run -S machine.device=auto",
        )
    return wanted, "set in params.yaml"


def _precision(wanted: str, device: str) -> tuple[str, str]:
    """On a GPU bfloat16 where the chip has it; on a CPU it would be ten times slower."""
    import torch

    if wanted != "auto":
        return wanted, "set in params.yaml"
    if not device.startswith("cuda"):
        return "float32", f"no fast 16-bit products assumed on {device}"
    if torch.cuda.is_bf16_supported(including_emulation=False):
        return "bfloat16", "native on this GPU"
    return "float32", "this GPU has no bfloat16"


def _threads(wanted: str | int, device: str) -> tuple[int, str]:
    if device != "cpu":
        return 1, "thread (the device does the work)"
    if isinstance(wanted, int):
        return wanted, "threads (set in params.yaml)"
    cores = _cores()
    jobs = max(1, int(os.environ.get(JOBS) or 1))
    return max(1, cores // jobs), f"threads ({cores} cores, {jobs} stages side by side)"


def _shards(wanted: str | int, device: str, engine: str) -> int:
    """As many as cores, whatever the threads, so that parallel stages change no result."""
    if device != "cpu" or engine == "plain":
        return 1
    return wanted if isinstance(wanted, int) else min(_cores(), MOST_SHARDS)


def labelling_tokens(wanted: str | int, memory: int | None) -> int:
    """Tokens of one forward pass when rows are scored.

    Args:
        wanted: auto, or the number.
        memory: bytes of the GPU's own memory; None for a processor without.
    """
    if isinstance(wanted, int):
        return wanted
    if memory is None:
        return _TOKENS_ON_CPU
    most = max(_TOKENS_ON_CPU, _TOKENS_A_GIB * memory >> 30)
    return 1 << most.bit_length() - 1  # a power of two, so that GPUs of one size have one number


def _memory(device: str) -> int | None:
    import torch

    if not device.startswith("cuda"):
        return None
    return int(torch.cuda.get_device_properties(torch.device(device)).total_memory)


def _cores() -> int:
    import psutil

    return min(psutil.cpu_count(logical=False) or 1, _allowed())


def _keep_freed_memory() -> None:
    """Let glibc keep the memory that a step frees: the next step needs as much at once."""
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):
        return
    libc.mallopt(_M_ARENA_MAX, 1)
    libc.mallopt(_M_MMAP_THRESHOLD, _NEVER)
    libc.mallopt(_M_TRIM_THRESHOLD, _NEVER)


def _allowed() -> int:
    """CPUs that this process may use, where the system reports them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
