"""Run contestants in turns (A B A B ...), each time in a fresh process, and read their times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.job import Job
from benchmarks.stopwatch import Clock
from pipeline.errors import PipelineError

_WITHOUT = (
    "OPENBLAS_CORETYPE",  # would hold numpy to an older processor's kernels
    # What `pipeline.runtime.startup` sets here: contestants of ours set it again for themselves.
    *("OMP_WAIT_POLICY", "LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"),
)
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Reading:
    """What one run of a contestant took.

    Attributes:
        cpu_seconds: of all threads of the process.
        wall_seconds: from begin to end.
        examples: rows times epochs.
        rows: digest of the rows.
        weights: digest of the first weights.
        products: library of float32 products.
        details: further figures of the contestant.
    """

    cpu_seconds: float
    wall_seconds: float
    examples: int
    rows: str
    weights: str
    products: str
    details: Mapping[str, Any]

    def seconds(self, clock: Clock) -> float:
        """Seconds by one clock."""
        return self.cpu_seconds if clock == "cpu" else self.wall_seconds

    def to_dict(self) -> dict[str, float]:
        """For JSON: what it took and how many examples passed."""
        return {
            "cpu_seconds": round(self.cpu_seconds, 3),
            "wall_seconds": round(self.wall_seconds, 3),
            "examples": self.examples,
        }


def race(jobs: Mapping[str, Job], repeats: int) -> dict[str, list[Reading]]:
    """Readings of every contestant, one a round.

    Args:
        jobs: by the contestant's label; they differ in who does the work, not in the work.
        repeats: number of rounds.

    Raises:
        PipelineError: a contestant failed, or two of them did not do the same work.
    """
    readings: dict[str, list[Reading]] = {label: [] for label in jobs}
    for number in range(repeats):
        for label, job in jobs.items():
            reading = run(job)
            readings[label].append(reading)
            print(
                f"round {number + 1} of {repeats}, {label}: "
                f"{reading.examples / reading.cpu_seconds:,.1f} examples a CPU-second, "
                f"{reading.wall_seconds:.1f} s",
                file=sys.stderr,
                flush=True,
            )
    check_alike({label: first for label, (first, *_) in readings.items()})
    return readings


def race_for(
    jobs: Mapping[str, Job],
    repeats: int,
    end: float,
    note: Callable[[str, Reading | None, str], None],
) -> None:
    """Let contestants take turns until the time is used.

    A contestant that fails or does not end in time has no more turns; the others go on.

    Args:
        jobs: by the contestant's label.
        repeats: most rounds.
        end: when to stop, in seconds of `time.monotonic`.
        note: called after each run with the label, its reading or None, and what went wrong.
    """
    left, longest = dict(jobs), dict.fromkeys(jobs, 0.0)
    for _ in range(repeats):
        for label, job in list(left.items()):
            start = time.monotonic()
            if start + longest[label] > end:
                return
            try:
                note(label, run(job, end - start), "")
            except PipelineError as error:
                del left[label]
                note(label, None, str(error))
            longest[label] = time.monotonic() - start


def run(job: Job, seconds: float | None = None) -> Reading:
    """Let a contestant do its job in a process of its own.

    Args:
        job: what it does.
        seconds: most time it may take; None for any.

    Raises:
        PipelineError: it failed, or took longer.
    """
    try:
        done = _process(job, seconds)
    except subprocess.TimeoutExpired:
        raise PipelineError(f"contestant {job.contestant} was not done in time") from None
    if done.returncode:
        raise PipelineError(
            f"contestant {job.contestant} failed",
            seen="\n".join(done.stderr.strip().splitlines()[-3:]),
            where=f"exit code {done.returncode}",
            fix="make bench, which installs what it needs",
        )
    return Reading(**json.loads(done.stdout.splitlines()[-1]))


def _process(job: Job, seconds: float | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.contestants", json.dumps(job.to_dict())],
        cwd=ROOT,
        env=_environment(job.threads),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )


def check_alike(readings: Mapping[str, Reading]) -> None:
    """Check that contestants had the same rows, epochs, first weights and library of products.

    Raises:
        PipelineError: they had not.
    """
    works = {
        label: (reading.examples, reading.rows, reading.weights, reading.products)
        for label, reading in readings.items()
    }
    if len(set(works.values())) > 1:
        raise PipelineError("contestants did not do the same work", seen=works)


def seconds(readings: Mapping[str, Sequence[Reading]]) -> dict[str, list[dict[str, float]]]:
    """Readings as they are kept."""
    return {label: [reading.to_dict() for reading in rounds] for label, rounds in readings.items()}


def _environment(threads: int) -> dict[str, str]:
    limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    limits["OPENBLAS_NUM_THREADS"] = "1"  # only `limit` multiplies by it, in threads of its own
    libraries = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    own = {name: value for name, value in os.environ.items() if name not in _WITHOUT}
    return {**own, **limits, **libraries}
