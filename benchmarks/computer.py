"""The machine that a benchmark ran on, and how busy it was."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_INFO = Path("/proc/cpuinfo")
_NARROW = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")  # as torch names them
_LIBRARIES = ("torch", "transformers", "accelerate", "textbrewer", "numpy")


def describe() -> dict[str, Any]:
    """Processor, kernels, products, cores, load average, versions and the code's commit.

    Products are by the library of `machine.products: auto`. The load average is over one minute.
    """
    import psutil

    from pipeline.runtime import products

    return {
        "cpu": _cpu(),
        "kernels": _kernels(),
        "products": products.switch("auto")[0],
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_at_start": round(os.getloadavg()[0], 2),
        "system": platform.system(),
        "python": platform.python_version(),
        "libraries": {name: number for name in _LIBRARIES if (number := _version(name))},
        "commit": _commit(),
    }


def _cpu() -> str:
    """Name as the system reports it, with family and model where names repeat."""
    if not _INFO.is_file():
        return platform.processor() or platform.machine()
    first, *_ = _INFO.read_text(encoding="utf-8").split("\n\n")
    pairs = (line.partition(":") for line in first.splitlines())
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    name = fields.get("model name") or platform.machine()
    numbers = [
        f"{key.split()[-1]} {fields[key]}" for key in ("cpu family", "model") if key in fields
    ]
    return ", ".join([name, " ".join(numbers)]) if numbers else name


def _kernels() -> str:
    """Torch's vector kernels, and what the processor has for narrow products."""
    import torch

    has = torch.cpu.get_capabilities()
    narrow = [name for name in _NARROW if has.get(name)]
    return " ".join([torch.backends.cpu.get_cpu_capability(), *narrow])


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Short hash, with a plus where tracked files differ from it; None without git."""
    try:
        head, changed = (
            subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout
            for words in (
                ["rev-parse", "--short", "HEAD"],
                [
                    "status",
                    "--porcelain",
                    "--untracked-files=no",
                    "--",
                    "pipeline",
                    "benchmarks/*.py",
                ],
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.strip() + ("+" if changed.strip() else "")
