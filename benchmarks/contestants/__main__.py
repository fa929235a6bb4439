"""One contestant's process: reads a job as JSON, prints its reading as JSON.

Every contestant multiplies by the library of the job. Timed is the work alone, after imports,
building and a warm-up batch. CPU seconds are those of all threads of the process.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from typing import Any

from benchmarks.contestants import NAMES, OURS, Prepared
from benchmarks.job import Job
from pipeline.runtime import products, startup


def prepare(job: Job) -> Prepared:
    """Import, build and warm up the job's contestant.

    Raises:
        ParamsError: this machine lacks the job's library of products.
    """
    module, function = NAMES[job.contestant].split(":")
    if module in OURS:
        startup.prepare()  # before torch is imported
    products.switch(job.products)
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
        "products": _library(),
        "details": {**prepared.details, **_memory(), **(details or {})},
    }


def _wait() -> None:
    """Wait until a GPU has done all that is queued."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _memory() -> dict[str, int]:
    """The most bytes that tensors had on a GPU, warm-up included."""
    import torch

    if not torch.cuda.is_available():
        return {}
    return {"gpu_bytes": torch.cuda.max_memory_allocated()}


def _library() -> str:
    """The library of float32 products now, whatever a contestant may have set."""
    import torch

    return products.ONEDNN if products.by_onednn(torch.empty(0)) else products.MKL


def main() -> None:
    """Do the job that the first argument describes."""
    job = Job.from_dict(json.loads(sys.argv[1]))
    reading = measure(prepare(job))
    print(json.dumps(reading), flush=True)


if __name__ == "__main__":
    main()
