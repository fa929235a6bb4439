"""One contestant's process: reads a job as JSON, prints its reading as JSON.

Timed is the work alone, after imports, building and a warm-up batch. CPU seconds are those of all
threads of the process.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from typing import Any

import torch

from benchmarks.contestants import NAMES, Prepared
from benchmarks.job import Job


def prepare(job: Job) -> Prepared:
    """Import, build and warm up the job's contestant."""
    module, function = NAMES[job.contestant].split(":")
    prepared: Prepared = getattr(import_module(f"{__package__}.{module}"), function)(job)
    return prepared


def measure(prepared: Prepared) -> dict[str, Any]:
    """Run a contestant once and return its seconds, digests and details."""
    _wait()
    wall, cpu = time.perf_counter(), time.process_time()
    details = prepared.run()
    _wait()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {
        "cpu_seconds": cpu,
        "wall_seconds": wall,
        "examples": prepared.examples,
        "rows": prepared.rows,
        "weights": prepared.weights,
        "details": {**prepared.details, **_memory(), **(details or {})},
    }


def _wait() -> None:
    """Wait until a GPU has done all that is queued."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _memory() -> dict[str, int]:
    """The most bytes that tensors had on a GPU, warm-up included."""
    if not torch.cuda.is_available():
        return {}
    return {"gpu_bytes": torch.cuda.max_memory_allocated()}


def main() -> None:
    """Do the job that the first argument describes."""
    job = Job.from_dict(json.loads(sys.argv[1]))
    reading = measure(prepare(job))
    print(json.dumps(reading), flush=True)


if __name__ == "__main__":
    main()
