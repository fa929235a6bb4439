"""Record wall time, CPU time and peak memory of a stage, outside the hashed artifacts."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

FOLDER = Path("scratch/usage")
_START = time.time()


def record() -> None:
    """Write this process's cost to scratch/usage/<stage>.json when DVC runs it as a stage."""
    stage = os.environ.get("DVC_STAGE")
    root = os.environ.get("DVC_ROOT")
    if not stage or not root:
        return
    folder = Path(root) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"stage": stage, **measure()}, sort_keys=True)
    (folder / f"{stage}.json").write_text(text + "\n", encoding="utf-8")


def measure() -> dict[str, float]:
    """Seconds of wall and CPU time and the peak of resident memory in MiB, up to now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes there, KiB here
    return {
        "wall_seconds": round(time.time() - _START, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak_mib": round(used.ru_maxrss * unit / 2**20, 1),
    }


def read(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """The last recorded cost of every stage, by stage name."""
    return [json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))]
