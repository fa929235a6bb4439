"""Choose a stage's device, precision, threads and shards, with reasons, and set up torch."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.runtime import choices, products, progress

if TYPE_CHECKING:
    import torch

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
_NEVER = 2**30  # bytes


@dataclass(frozen=True)
class Hardware:
    """The hardware that a stage uses.

    Attributes:
        device: torch's name of the device.
        precision: float32, bfloat16 or float16 for the matrix products.
        products: library of float32 products on a CPU; empty on other devices.
        threads: CPU threads of this process.
        engine: fast, or plain for torch's dropout and transformers' attention.
        shards: parts of a training batch that threads work on in parallel.
        labelling_tokens: tokens, padding included, of one forward pass when scoring rows.
        reason: one line with the reasons, for the log.
    """

    device: str
    precision: str
    products: str
    threads: int
    engine: str
    shards: int
    labelling_tokens: int
    reason: str

    @property
    def chip(self) -> str:
        """What of the processor decides the last bit: a GPU's name, or a CPU's kernels."""
        import torch

        if self.device.startswith("cuda"):
            return torch.cuda.get_device_name()
        kernels = torch.backends.cpu.get_cpu_capability()
        return " ".join([self.device, platform.machine(), kernels, self.products]).strip()

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
    def products(self) -> str:
        """auto, mkl or onednn."""

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
        ParamsError: this machine lacks what params.yaml names, or what decides bytes is auto.
    """
    import torch

    device, why_device = choices.device(settings.device)
    if device.startswith("cuda"):
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # for deterministic results
        torch.cuda.set_device(torch.device(device))
    precision, why_precision = choices.precision(settings.precision, device)
    library, why_library = products.switch(settings.products) if device == "cpu" else ("", "")
    threads, why_threads = choices.threads(settings.threads, device)
    shards, why_shards = choices.shards(settings.shards, device, settings.engine)
    # Same input, same bytes: an operation that cannot promise it fails instead of drifting.
    torch.use_deterministic_algorithms(True)
    # Every new tensor would be filled first; nothing here reads what it has not written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if device == "cpu":
        torch.set_num_threads(1)  # each thread takes whole shards: see thread_pool.py
        _keep_freed_memory()
    reason = ", ".join(
        part
        for part in (
            f"{device} ({why_device})",
            f"{precision} ({why_precision})",
            f"products by {library} ({why_library})" if library else "",
            f"{threads} {why_threads}",
            f"batches in {shards} {'shards' if shards > 1 else 'piece'} ({why_shards})",
            f"{settings.engine} engine",
        )
        if part
    )
    progress.message(f"machine: {reason}")
    tokens = choices.labelling_tokens(settings.labelling_tokens)
    return Hardware(device, precision, library, threads, settings.engine, shards, tokens, reason)


def _keep_freed_memory() -> None:
    """Let glibc keep the memory that a step frees: the next step needs as much at once."""
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):
        return
    libc.mallopt(_M_ARENA_MAX, 1)
    libc.mallopt(_M_MMAP_THRESHOLD, _NEVER)
    libc.mallopt(_M_TRIM_THRESHOLD, _NEVER)
