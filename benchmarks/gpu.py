"""Training and labelling on a GPU against transformers' Trainer, in turns until the time is used.

Rows a second, the share of the time in which the host's CPU works (near 100 %: the GPU waits for
launches), and the most memory that tensors take. All that was read is on disk after every run.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd

from benchmarks import computer, rounds
from benchmarks.job import Job, Kind
from benchmarks.rounds import Reading
from pipeline.errors import PipelineError
from pipeline.evaluation.report.markdown_table import markdown
from pipeline.runtime import artifacts

TRAINERS: Mapping[str, str] = {
    "ours": "ours",
    "ours, bytes left free": "ours_freely",
    "Trainer grouped by length": "trainer_grouped",
    "Trainer grouped by length, compiled": "trainer_compiled",
    "Trainer padded to 128": "trainer_padded",
}
"""Label -> contestant."""
TOKENS = (4096, 16384, 65536, 262144)
"""Tokens of a pass when rows are scored."""
ROWS, WARMUP = 2560, 20  # the latter in batches
SCORED = 8
"""Rows that are scored for each one that is trained on: a pass holds up to 2,000 of them."""
_GIB = 2**30


def measure(
    out: Path,
    minutes: float,
    repeats: int,
    models: Sequence[Kind] = ("base", "large"),
    device: str = "cuda",
    rows: int | None = None,
) -> dict[str, Any]:
    """Let contestants take turns; write gpu.json and gpu.md.

    Args:
        out: folder of both files.
        minutes: time for all; what would not be done in time is not begun.
        repeats: most rounds.
        models: shapes of BERT, with random weights.
        device: torch's name of the processor.
        rows: rows of each run; None for 2,560, which is 80 steps.

    Returns:
        What is in gpu.json.

    Raises:
        PipelineError: there is no such device.
    """
    end = time.monotonic() + 60 * minutes
    readings: dict[str, list[Reading]] = {}
    failures: dict[str, str] = {}

    def note(label: str, reading: Reading | None, fault: str) -> None:
        if reading is None:
            failures[label] = fault
        else:
            readings.setdefault(label, []).append(reading)
        print(_line(label, reading, fault), file=sys.stderr, flush=True)
        _write(out, machine, readings, failures)

    machine = {**computer.describe(), "gpu": _name(device)}
    rounds.race_for(dict(jobs(models, device, rows or ROWS)), repeats, end, note)
    return _write(out, machine, readings, failures)


def jobs(models: Sequence[Kind], device: str, rows: int) -> Iterator[tuple[str, Job]]:
    """All contestants in their order, by label."""
    for model in models:
        job = Job("ours", model, rows=rows, threads=4, device=device, precision="bfloat16")
        job = replace(job, warmup=min(WARMUP, max(1, rows // job.batch_size)))
        for label, contestant in TRAINERS.items():
            yield f"{model}, training, {label}", replace(job, contestant=contestant)
        for tokens in TOKENS:
            yield (
                f"{model}, labelling, {tokens:,} tokens a pass",
                replace(
                    job, contestant="ours_labelling", labelling_tokens=tokens, rows=SCORED * rows
                ),
            )


def table(readings: Mapping[str, Sequence[Reading]]) -> str:
    """A Markdown table: medians over each contestant's runs."""
    return markdown(pd.DataFrame([_row(label, runs) for label, runs in readings.items()]))


def _row(label: str, runs: Sequence[Reading]) -> dict[str, str]:
    peaks = [run.details["gpu_bytes"] / _GIB for run in runs if "gpu_bytes" in run.details]
    return {
        "contestant": label,
        "runs": str(len(runs)),
        "rows a second": f"{median(run.examples / run.wall_seconds for run in runs):,.1f}",
        "CPU seconds a second": f"{median(run.cpu_seconds / run.wall_seconds for run in runs):.2f}",
        "GiB of the GPU": f"{max(peaks):.1f}" if peaks else "-",
    }


def _line(label: str, reading: Reading | None, fault: str) -> str:
    if reading is None:
        return f"{label}: {fault}"
    return f"{label}: {reading.examples / reading.wall_seconds:,.1f} rows a second"


def _write(
    out: Path,
    machine: Mapping[str, Any],
    readings: Mapping[str, Sequence[Reading]],
    failures: Mapping[str, str],
) -> dict[str, Any]:
    found = {
        "benchmark": "gpu",
        "computer": dict(machine),
        "readings": {
            label: [{**run.to_dict(), **run.details} for run in runs]
            for label, runs in readings.items()
        },
        "failures": dict(failures),
    }
    artifacts.write_json(out / "gpu.json", found)
    with artifacts.new_file(out / "gpu.md") as staging:
        staging.write_text(f"{machine['gpu']}\n\n{table(readings)}\n", encoding="utf-8")
    return found


def _name(device: str) -> str:
    import torch

    if device == "cpu":
        return "none"
    if not torch.cuda.is_available():
        raise PipelineError(
            "torch finds no GPU on this machine",
            seen=torch.__version__,
            fix="install a torch with CUDA: pip install torch --index-url "
            "https://download.pytorch.org/whl/cu126",
        )
    return str(torch.cuda.get_device_name(device))
