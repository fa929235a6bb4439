"""The GPUs of this machine, by the names that CUDA_VISIBLE_DEVICES takes."""

from __future__ import annotations

import os
import shutil
import subprocess

VISIBLE = "CUDA_VISIBLE_DEVICES"
_COMMAND = ("nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader")
_TIMEOUT_SECONDS = 60.0  # a driver that was not loaded takes some


def to_hand_out(device: str) -> list[str]:
    """GPUs that stages may be spread over; none if a single device is named.

    Args:
        device: machine.device in params.yaml.
    """
    return _visible() if device in ("auto", "cuda") else []


def _visible() -> list[str]:
    """The GPUs that the user left visible, or all that NVIDIA's tool lists.

    Its identifiers are used rather than numbers, as CUDA counts the fastest GPU first and the tool
    the one in the lowest slot. Torch is not asked: its import alone takes seconds.
    """
    if (named := os.environ.get(VISIBLE)) is not None:
        return _until_invalid(named)
    if shutil.which(_COMMAND[0]) is None:
        return []
    try:
        answer = subprocess.run(
            _COMMAND, capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return answer.stdout.split() if answer.returncode == 0 else []


def _until_invalid(named: str) -> list[str]:
    """CUDA ignores a negative number and all that follows it."""
    names: list[str] = []
    for name in (part.strip() for part in named.split(",")):
        if not name or name.startswith("-"):
            break
        names.append(name)
    return names
