"""Resident memory of this process: now, and at its highest."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def resident() -> int:
    """Bytes that are resident now."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def highest() -> int:
    """Most bytes that were resident since the process began.

    Linux's `ru_maxrss` may be the parent's, from before the process ran its own program, so the
    kernel's high-water mark of the address space is read where there is one.
    """
    if _STATUS.is_file():
        for line in _STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
