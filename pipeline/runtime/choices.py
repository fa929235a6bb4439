"""Choose device, precision, threads and shards for this machine, each with its reason.

Precision, shards and the tokens of a scoring pass decide the bytes of results, and so stand as
values among DVC's keys: `auto` is replaced when a profile is applied, see `values`, and a stage
refuses it.
"""

from __future__ import annotations

import os
from typing import NoReturn, Protocol

from pipeline.errors import ParamsError

JOBS = "MTDNNKD_JOBS"  # how many stages run in parallel
RESOLVE = "python -m stages.profile resolve"
"""The command that replaces `auto` in params.yaml by this machine's values."""

_MOST_SHARDS = 8  # of a batch of 32 rows; smaller ones would mostly be overhead
_TOKENS_ON_CPU, _TOKENS_A_GIB = 4096, 1024  # of a pass when rows are scored
_SET = "set in params.yaml"
_NATIVE_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")  # as torch names them


class Settings(Protocol):
    """The settings of section `machine` that `values` reads."""

    @property
    def device(self) -> str:
        """auto, or torch's name of a device."""

    @property
    def precision(self) -> str:
        """auto, float32, bfloat16 or float16."""

    @property
    def shards(self) -> str | int:
        """auto, or shards of a training batch."""

    @property
    def labelling_tokens(self) -> str | int:
        """auto, or tokens of one forward pass when rows are scored."""


def values(settings: Settings) -> dict[str, str | int]:
    """What this machine puts for `auto`, by the key of section `machine`; no key without `auto`.

    Raises:
        ParamsError: this machine lacks the device that the settings name.
    """
    own: dict[str, str | int] = {}
    if settings.precision == "auto":
        own["precision"] = _precision(device(settings.device)[0])[0]
    if settings.shards == "auto":
        own["shards"] = _shards()
    if settings.labelling_tokens == "auto":
        own["labelling_tokens"] = tokens_for(_memory(device(settings.device)[0]))
    return own


def device(wanted: str) -> tuple[str, str]:
    """Torch's name of the device, and the reason for it.

    Raises:
        ParamsError: this machine has no such device.
    """
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
    return wanted, _SET


def precision(wanted: str, device: str) -> tuple[str, str]:
    """The precision of matrix products on a device, and the reason for it.

    Raises:
        ParamsError: it is auto, or the device cannot compute in it.
    """
    if wanted == "auto":
        _refuse_auto("precision")
    own, _ = _precision(device)
    if wanted == "bfloat16" and not _has_bfloat16(device):
        return wanted, f"{_SET}, though {device} here only emulates it: about ten times slower"
    return wanted, _SET if wanted == own else f"{_SET}; auto would choose {own} here"


def threads(wanted: str | int, device: str) -> tuple[int, str]:
    """CPU threads of a stage, and what they are in words."""
    if device != "cpu":
        return 1, "thread (the device does the work)"
    if isinstance(wanted, int):
        return wanted, f"threads ({_SET})"
    cores = _cores()
    jobs = max(1, int(os.environ.get(JOBS) or 1))
    return max(1, cores // jobs), f"threads ({cores} cores, {jobs} stages side by side)"


def shards(wanted: str | int, device: str, engine: str) -> tuple[int, str]:
    """Shards of a training batch, and the reason for them.

    Raises:
        ParamsError: they are auto.
    """
    if not isinstance(wanted, int):
        _refuse_auto("shards")
    if device != "cpu" or engine == "plain":
        return 1, "for this device" if device != "cpu" else "for this engine"
    own = _shards()
    return wanted, _SET if wanted == own else f"{_SET}; auto would choose {own} here"


def labelling_tokens(wanted: str | int) -> int:
    """Tokens of one forward pass when rows are scored.

    Raises:
        ParamsError: they are auto.
    """
    if not isinstance(wanted, int):
        _refuse_auto("labelling_tokens")
    return wanted


def tokens_for(memory: int | None) -> int:
    """Tokens for auto: a power of two, so that GPUs of one size have one number.

    Args:
        memory: bytes of the GPU's own memory; None for a processor without.
    """
    if memory is None:
        return _TOKENS_ON_CPU
    most = max(_TOKENS_ON_CPU, _TOKENS_A_GIB * memory >> 30)
    return 1 << most.bit_length() - 1


def _memory(device: str) -> int | None:
    import torch

    if not device.startswith("cuda"):
        return None
    return int(torch.cuda.get_device_properties(torch.device(device)).total_memory)


def _precision(device: str) -> tuple[str, str]:
    if device.startswith("cuda"):
        has = _has_bfloat16(device)
        return ("bfloat16", "native on this GPU") if has else ("float32", "no bfloat16 here")
    return "float32", f"the default on {device}"


def _has_bfloat16(device: str) -> bool:
    """Whether products in bfloat16 are faster than in float32 there."""
    import torch

    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    processor = torch.cpu.get_capabilities()
    return device != "cpu" or any(processor.get(name) for name in _NATIVE_BFLOAT16)


def _shards() -> int:
    """As many as cores, whatever the threads, so that parallel stages change no result."""
    return min(_cores(), _MOST_SHARDS)


def _cores() -> int:
    import psutil

    return min(psutil.cpu_count(logical=False) or 1, _allowed())


def _allowed() -> int:
    """CPUs that this process may use, where the system reports them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _refuse_auto(key: str) -> NoReturn:
    raise ParamsError(
        "auto decides the bytes of results and must be a value before a stage runs",
        seen="auto",
        where=f"machine.{key} in params.yaml",
        fix=f"{RESOLVE} writes this machine's value",
    )
